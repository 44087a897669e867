/* combine.h: the logits of several networks as those of one teacher.
 *
 * Members see all classes: mean probability, log sum_i w_i softmax(z_i), or mean logit, sum_i w_i z_i, weights of sum 1. A member whose
 * outputs are other classes than ours is mapped first: the probabilities of its outputs that are one class are added, those that are
 * none are left out, and the rest is scaled to a sum of 1.
 * Where a member does not know every class, nobody can say how its probabilities compare with another's: the log-probabilities of each
 * member, less their mean over the classes that it knows, are averaged over those that know a class (Vongkulbhaisal et al., CVPR 2019,
 * arXiv 1904.06062, matrix factorisation of rank 1 in logit space). */
#ifndef SCHEME_COMBINE_H
#define SCHEME_COMBINE_H

#include "graph/ops.h"

/* How the logits of several become those of one. */
enum combine { COMBINE_MEAN_PROBABILITY, COMBINE_MEAN_LOGIT, COMBINE_MIN_LOGIT /* combine_min_logit alone */ };

/* One of those whose logits are combined. */
struct member {
    int learner;   /* of the stage */
    double weight; /* above 0; of the sum of all members' */
    int outputs;   /* of the member's logits */
    const int *
        classes; /* [outputs]: the class that each output is, -1: none of ours; NULL: the outputs are the classes; borrowed */
};
enum { ENSEMBLE_MAX = 64 }; /* members */
struct ensemble {
    enum combine how;
    int classes, n_members;
    const struct member *members; /* borrowed */
};

/* combine_class_missing: a class that no member knows; -1: there is none. */
int combine_class_missing(const struct ensemble *ensemble);
/* combine_nodes: logits[i] [B, outputs of member i] -> [B, classes]. Sticky. */
struct node *combine_nodes(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits);
/* combine_min_logit: of members that see all classes: each one's logits less that of the label [B], then the smallest a class, so that no
 * member is surer of a wrong class than the ensemble is. combine_weighed: the sum of the members' logits times `weights` [members], which are
 * a node. Guo et al. 2020 (CVPR), "Online knowledge distillation via collaborative learning", sections 3.2.2 and 3.2.1. Sticky. */
struct node *combine_min_logit(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits,
                               struct node *labels);
struct node *combine_weighed(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits,
                             struct node *weights);
/* combine_rows: the same for numbers: logits[i] [rows, outputs of member i], out [rows, classes]. combine_rows_add: one member after
 * another, into zeros; combine_rows_finish: after the last. */
enum status combine_rows(struct context *ctx, const struct ensemble *ensemble, const double *const *logits,
                         int64_t rows, double *out);
enum status combine_rows_add(struct context *ctx, const struct ensemble *ensemble, int index, const double *logits,
                             int64_t rows, double *out);
void combine_rows_finish(const struct ensemble *ensemble, int64_t rows, double *out);

#endif
