/* linear.h: attributes of the op `linear`, for who fuses an activation into it. */
#ifndef GRAPH_OP_LINEAR_H
#define GRAPH_OP_LINEAR_H

#include "graph/ops.h"

/* Inputs: x [..., D], weight [O,D], bias [O] if has_bias. With an activation the op is for inference: it has no gradient. */
struct linear_attributes {
    bool has_bias;
    enum activation activation;
};

#endif
