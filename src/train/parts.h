/* parts.h: what a stage's methods have learnt for themselves, for the stages behind it: a paraphraser, a connector. */
#ifndef TRAIN_PARTS_H
#define TRAIN_PARTS_H

#include "train/stage_graph.h"

/* parts_save: the own values and states of all terms, as TERM/NAME in a safetensors file. parts_load: those that a term of the same
 * name and shape has here take what the file holds; others stay. */
enum status parts_save(struct context *ctx, const char *path, const struct stage_graph *built);
enum status parts_load(struct context *ctx, const char *path, const struct stage_graph *built);

#endif
