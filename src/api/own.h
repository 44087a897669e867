/* own.h: what the public graph interface is inside: its nodes are the graph's nodes, seen without their struct. */
#ifndef API_OWN_H
#define API_OWN_H

#include "knowledge/method.h"
#include "nn/layer.h"

#include <retort.h>

/* The term or the layer for which nodes are being built; exactly one of method and layer is set. */
struct retort_own {
    struct graph *graph;
    const struct method_site *method;
    const struct layer_site *layer;
};

struct node *node_inside(struct retort_node *node);
struct retort_node *node_outside(struct node *node);

/* shape_inside: false with the error recorded where it is none. */
bool shape_inside(struct graph *graph, const struct retort_shape *given, struct shape *shape);

#endif
