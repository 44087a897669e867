/* stage_taps.h: which outputs of which learners the terms of a stage read, and as which nodes: computed, read back from a recording, or
 * combined of several. Private to stage_graph.c but for stage_teacher_layers. */
#ifndef TRAIN_STAGE_TAPS_H
#define TRAIN_STAGE_TAPS_H

#include "train/stage_graph.h"

/* taps_of: the nodes that a term reads on one side, a teacher's as constants; returns how many (at most METHOD_TAPS), -1: error
 * recorded. */
int taps_of(struct stage_graph *built, const struct stage_graph_spec *spec, const struct term *term, enum side side,
            struct tap *taps);
/* output_of: what a learner's layer gives, computed or recorded; NULL: error recorded. */
struct node *output_of(struct stage_graph *built, const struct stage_graph_spec *spec, int learner, const char *layer);
/* stage_weights_node: the weights [members] of an ensemble that is weighed. */
struct node *stage_weights_node(struct stage_graph *built, int learner);
/* rows_of: the rows of a batch that are asked for, of a node with all of them. */
struct node *rows_of(struct stage_graph *built, struct node *node, enum rows rows);
/* instance_needed: must the learner's network be in the graph? Not where it only teaches and all that is read is recorded. */
bool instance_needed(struct context *ctx, const struct stage_graph_spec *spec, int learner);

#endif
