/* shares.h: how much each term of a stage pulls: the norm of its own gradient, and how far two of them agree. */
#ifndef TRAIN_SHARES_H
#define TRAIN_SHARES_H

#include "train/stage_graph.h"

struct shares {
    struct context *ctx;
    const struct stage_graph *built; /* borrowed */
    struct program **programs;       /* per term: its value as the loss; NULL: it is never measured */
    double *gradients;               /* of the last term that was measured, and those before it: [n_terms][size] */
    int64_t size;                    /* of the largest student */
    double *norms;                   /* per term, unweighted; 0: it does not reach its student */
    double *cosines;                 /* [n_terms][n_terms]; 0 where either norm is 0, or the students differ */
};

/* shares_new: NULL with the error recorded. The stage's graph, kernels and memory are borrowed. */
struct shares *shares_new(struct context *ctx, const struct stage_graph *built, struct kernel_context *kernels,
                          struct program_memory *memory);
void shares_free(struct shares *shares);
/* shares_shown: is the term one of the first term's student? Those of its peers are measured only to find their weights. */
bool shares_shown(const struct shares *shares, int term);
/* shares_measure: of one batch; nothing is committed, the parameters' gradients are overwritten. all: also where a weight is to be found; else
 * only what is shown. */
enum status shares_measure(struct shares *shares, const struct bindings *bindings, bool all);
/* shares_weigh: terms with weight: auto get what makes their part of the sum of all |weight * gradient| on their student the one that they
 * state; the others keep theirs. Where all of a student's are auto, the first weighs 1. at: for weights that change. */
enum status shares_weigh(struct shares *shares, struct moment at);
/* shares_part: of term `term` in the sum of all |weight * gradient| on its student. */
double shares_part(const struct shares *shares, int term, struct moment at);

#endif
