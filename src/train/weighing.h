/* weighing.h: ensembles of a stage whose members' weights fit the validation labels best (EVENT_WEIGH). */
#ifndef TRAIN_WEIGHING_H
#define TRAIN_WEIGHING_H

#include "train/judges.h"
#include "train/stage_graph.h"

/* weighing_run: after an epoch's look at the validation split: each ensemble that is weighed gets its new weights. An error where a member is
 * not judged. */
enum status weighing_run(const struct stage_graph *built, const struct judges *judges, const struct split *validation);

/* weights_fit: w on the simplex (w_m >= 0, sum 1) that minimise the mean cross-entropy of softmax(sum_m w_m z_m) with the labels, from even
 * ones on; the problem is convex. logits[m] [N,K], labels [N] (-1: left out), weights [members]. */
enum status weights_fit(struct context *ctx, const double *const *logits, int members, const int32_t *labels, int64_t n,
                        int64_t k, double *weights);

#endif
