/* exits.h: early-exit inference, computed from the logits of all exits.
 *
 * A sample leaves at the first exit whose largest probability is at least the threshold; the last exit takes the rest.
 * With a threshold of 1 nobody leaves early, however sure an exit is. As BranchyNet (Teerapittayanon 2016, arXiv
 * 1709.01686), with the probability in place of the entropy. */
#ifndef TRAIN_EXITS_H
#define TRAIN_EXITS_H

#include "base/arena.h"
#include "nn/exits.h"

/* What the exits of a network said of a split; all borrowed. */
struct exit_logits {
    const struct network_exits *exits; /* M of them */
    int64_t samples, classes;          /* N, K */
    const double *logits;              /* [M,N,K] */
    const int32_t *labels;             /* [N]; -1: none */
};

/* What a threshold comes to. */
struct exit_point {
    double threshold;
    double accuracy; /* of the samples that have a label; NaN: none has */
    double macs;     /* the mean over all samples */
    double saved;    /* 1 - macs / those of the network without its exits */
    double *left;    /* [M] the part of all samples that leaves at each exit */
};

/* The thresholds that are tried: 0.5 … 0.999, and 1. */
enum { EXIT_THRESHOLDS = 16 };
extern const double exit_thresholds[EXIT_THRESHOLDS];

/* exits_points: *points [count], of the arena, one for each threshold. At least one sample. */
enum status exits_points(struct arena *arena, const struct exit_logits *of, const double *thresholds, int count,
                         struct exit_point **points);
/* exits_choose: of points of validation samples the one of the fewest MACs whose accuracy is not below that of the last exit; the
 * highest threshold of equal ones. -1: no sample has a label. */
int exits_choose(const struct exit_point *points, int count, double last_accuracy);
/* exits_rows: logits [N,K] of the exits at which the samples leave. */
void exits_rows(const struct exit_logits *of, double threshold, double *logits);

#endif
