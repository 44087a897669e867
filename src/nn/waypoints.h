/* waypoints.h: the layers that every path from the images to the logits passes, and those of them that end a part of the
 * network: where an exit or a branch can leave it. Inside nn only. */
#ifndef NN_WAYPOINTS_H
#define NN_WAYPOINTS_H

#include "nn/builder.h"

struct waypoints {
    const struct network *network; /* borrowed */
    bool *needed;                  /* [n_layers] the logits are computed by it */
    bool *passed;                  /* [n_layers] every path to the logits passes it: the logits' layer among them */
    int last_map; /* the last needed layer that learns and gives a map of more than one position; -1: there is none */
};

/* waypoints_find: the marks are the arena's. */
enum status waypoints_find(const struct network *network, struct arena *arena, struct waypoints *waypoints);
/* waypoints_ends_stage: is the layer the last waypoint with maps of its height and width? Not where they are the last map's, nor
 * where no layer that learns gives maps of that size. */
bool waypoints_ends_stage(const struct waypoints *waypoints, int layer);
/* waypoints_behind: the last of the layers behind a waypoint that learn nothing and that all paths pass, such as the pool that ends a stage:
 * what leaves there has smaller maps to go on with. The layer itself where there is none. */
int waypoints_behind(const struct waypoints *waypoints, int layer);
/* waypoints_staged: does any layer end such a stage? */
bool waypoints_staged(const struct waypoints *waypoints);
/* waypoints_activates: is the layer a waypoint, and an activation: of a map, or in a network without maps of a vector? */
bool waypoints_activates(const struct waypoints *waypoints, int layer);
/* waypoints_learns: does a needed layer in (from, to] have learnable values? */
bool waypoints_learns(const struct waypoints *waypoints, int from, int to);

#endif
