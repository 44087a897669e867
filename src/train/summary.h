/* summary.h: what a stage is about to do, said in one block before its first step. */
#ifndef TRAIN_SUMMARY_H
#define TRAIN_SUMMARY_H

#include "train/stage_graph.h"

struct summary {
    const struct stage_graph *built;
    struct program *program; /* the stage's; it is run for the expected time, nothing is committed */
    const struct recording *recordings;
    int n_recordings;
    int64_t steps;
};

/* summary_log: for each term its weight, what it reads, its own parts and who receives its gradient, which networks receive none; then
 * memory, recorded bytes, steps and the expected time; as lines of level INFO. */
enum status summary_log(struct context *ctx, const struct summary *summary);

#endif
