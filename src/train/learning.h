/* learning.h: the optimiser's side of a stage: for each learner its sets of parameters (its network's, and those of the terms that it
 * is the student of), their slots, clipping, and one joint step. */
#ifndef TRAIN_LEARNING_H
#define TRAIN_LEARNING_H

#include "train/optimiser/optimiser.h"
#include "train/stage_graph.h"

/* Parameters that lie one after another and are treated alike. */
struct learned_range {
    int64_t from, count;
    struct layer_factors factors;
};

struct learned_set {
    const char *name; /* "student", "term.kd": in checkpoints */
    int learner;
    struct parameters *parameters;
    void *slots[OPTIMISER_MAX_SLOTS]; /* [n_values] of the precision */
    int n_ranges;
    struct learned_range *ranges;
};

struct learning {
    struct context *ctx;
    struct arena *arena;
    const struct stage *stage;
    const struct kernels *table;
    int count;
    struct learned_set *sets;
};

/* learning_new: the sets that the program's gradient reaches. A learner that no gradient reaches is an error. NULL: error recorded. */
struct learning *learning_new(struct context *ctx, const struct stage_graph *built, const struct program *program,
                              const struct kernels *table);
void learning_free(struct learning *learning);
/* learning_step: step `step` of `steps`, with the gradients of the last backward pass. */
void learning_step(struct learning *learning, int64_t step, int64_t steps, int64_t epoch_steps);

#endif
