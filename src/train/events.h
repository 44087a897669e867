/* events.h: what a stage does between learners: copies, averages and networks put together (struct event). */
#ifndef TRAIN_EVENTS_H
#define TRAIN_EVENTS_H

#include "kernel/kernel.h"
#include "train/stage_graph.h"

/* events_begin: before a stage's first step: copies are made, each average begins as a copy of what it follows, and what is put together
 * is. */
void events_begin(const struct stage_graph *built);
/* events_run: all events of that kind, in the stage's order, after step or epoch `index` (0: the first). Allocates nothing; the stage has
 * passed stage_check. Weights of ensembles are another's (weighing.h). */
void events_run(const struct stage_graph *built, enum event_when when, int64_t index, const struct kernels *table);

#endif
