/* evaluate.h: logits of a split, and what they are worth. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include "data/data.h"
#include "graph/program.h"
#include "nn/network.h"

struct evaluator;

/* evaluator_new: the network in evaluation mode, compiled for `batch` samples and once more for a split's remainder. All borrowed until
 * evaluator_free. NULL: error recorded. */
struct evaluator *evaluator_new(struct context *ctx, const struct network *network, const struct split *split,
                                int64_t batch, enum element precision, struct kernel_context *kernels,
                                struct program_memory *memory);
void evaluator_free(struct evaluator *evaluator);
/* evaluator_logits: of every sample of the split in the data's order, [N,K] as doubles; `logits` is the caller's. */
enum status evaluator_logits(struct evaluator *evaluator, double *logits);

/* Figures of a split's logits; samples without a label are left out. Fractions in [0,1]. */
struct metrics {
    int64_t samples; /* that have a label */
    double accuracy, top5, loss;
    double ece; /* expected calibration error: 15 bins of equal width over the largest probability */
};
/* metrics_of: logits [N,K], labels [N]. No label at all: samples 0, the rest NaN. */
struct metrics metrics_of(const double *logits, const int32_t *labels, int64_t n, int64_t k);
/* fidelity_of: the fraction of samples whose (first) largest logit is the same. */
double fidelity_of(const double *a, const double *b, int64_t n, int64_t k);

/* What a report shows of a split's logits. logits_class: the (first) largest of a row [K]. logits_probabilities: softmax
 * of a row, out [K]. */
int64_t logits_class(const double *row, int64_t k);
void logits_probabilities(const double *row, int64_t k, double *out);
/* logits_confidence: the largest probability of a row. NaN: a logit is no number. */
double logits_confidence(const double *row, int64_t k);
/* confusion_of: counts [K,K], zeroed here: how many samples of class i (row) were answered j. Samples without a label
 * are left out. */
void confusion_of(const double *logits, const int32_t *labels, int64_t n, int64_t k, int32_t *counts);
/* How two networks' answers meet, in samples with a label: the first is the teacher's, the second the student's. */
enum outcome {
    OUTCOME_BOTH_RIGHT,
    OUTCOME_TEACHER_RIGHT,
    OUTCOME_STUDENT_RIGHT,
    OUTCOME_SAME_MISTAKE,
    OUTCOME_DIFFERENT_MISTAKES,
    OUTCOMES
};
/* outcomes_of: counts [OUTCOMES], zeroed here. */
void outcomes_of(const double *teacher, const double *student, const int32_t *labels, int64_t n, int64_t k,
                 int32_t *counts);
/* divergence_of: Jensen and Shannon's divergence of the softmax of two rows, in nats: 0 the same … log 2 disjoint.
 *     ½ KL(p || m) + ½ KL(q || m), m = (p + q) / 2
 * `room` [2K] is the caller's. Lin 1991, IEEE Trans. Inf. Theory 37(1), 145-151. */
double divergence_of(const double *a, const double *b, int64_t k, double *room);

/* evaluate: evaluator_new, logits, metrics in one call; `logits` may be NULL or [N,K] of the caller. */
enum status evaluate(struct context *ctx, const struct network *network, const struct split *split,
                     enum element precision, struct kernel_context *kernels, struct program_memory *memory,
                     double *logits, struct metrics *out);

/* evaluate_layers: logits [count,N,K] of several layers [B,K] of the network, of one pass over the split; the caller's. */
enum status evaluate_layers(struct context *ctx, const struct network *network, const int *layers, int count,
                            const struct split *split, enum element precision, struct kernel_context *kernels,
                            struct program_memory *memory, double *logits);

#endif
