/* checkpoint.h: everything that a stage needs to go on as if it had never stopped: values and state of every term and of
 * every learner that it changes, the
 * optimisers' slots, the per-sample stores, and where it is. One safetensors file, written atomically. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "train/early_stop.h"
#include "train/learning.h"

struct checkpoint {
    int64_t step;            /* steps done */
    double seconds;          /* spent on them */
    const char *fingerprint; /* of the recipe and stage: a checkpoint of another is refused; borrowed */
    struct early_stop *best; /* the best epoch; NULL: none is kept; borrowed */
};

enum status checkpoint_save(struct context *ctx, const char *path, const struct stage_graph *built,
                            const struct learning *learning, const struct checkpoint *at);
/* checkpoint_load: fills at->step, at->seconds and what at->best points to; fails when the file is broken, or not of this stage and fingerprint. */
enum status checkpoint_load(struct context *ctx, const char *path, const struct stage_graph *built,
                            struct learning *learning, struct checkpoint *at);

#endif
