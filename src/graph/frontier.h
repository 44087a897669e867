/* frontier.h: which nodes depend on single samples and frozen values only, so that they can be computed once, kept and read back. */
#ifndef GRAPH_FRONTIER_H
#define GRAPH_FRONTIER_H

#include "graph/graph.h"

/* frontier_rows: does row b of the node depend on row b of the graph's inputs alone, through ops that treat rows one by one, frozen
 * parameters, state and constants? (No knob, no parameter that learns, no random number.) false with the error recorded when
 * there is no memory. */
bool frontier_rows(const struct node *node);

#endif
