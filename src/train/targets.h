/* targets.h: soft labels of a batch whose samples are mixed, as a program reads them. */
#ifndef TRAIN_TARGETS_H
#define TRAIN_TARGETS_H

#include "data/loader.h"

struct targets;

/* targets_new: for batches of at most `batch` samples of `classes` classes. NULL: error recorded. */
struct targets *targets_new(struct context *ctx, int64_t batch, int64_t classes, enum element precision);
void targets_free(struct targets *targets);
/* targets_of: [B,K]: part one-hot(label) + (1 - part) one-hot(other); a label of -1 adds nothing. Valid until the next call. */
const void *targets_of(struct targets *targets, const struct batch *batch);

#endif
