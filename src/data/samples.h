/* samples.h: what is done to sets of samples before they become splits. Private to data.c. */
#ifndef DATA_SAMPLES_H
#define DATA_SAMPLES_H

#include "data/data.h"

/* samples_alike: the images of both have the same shape and element type, or one of the two sets is not there; else the
 * failure names both files. */
enum status samples_alike(struct context *ctx, const struct samples *a, const struct samples *b);

/* samples_label: a set without labels gets -1 for each sample, so that nobody has to ask. */
enum status samples_label(struct context *ctx, struct samples *samples);

/* samples_insert: all samples of `extra`, without labels, come in between the first `at` samples of `to` and the others.
 * Both are alike, and `to` has labels unless it is not there. */
enum status samples_insert(struct context *ctx, struct samples *to, int64_t at, const struct samples *extra);

#endif
