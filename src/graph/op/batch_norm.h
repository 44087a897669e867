/* batch_norm.h: the attributes of batch_norm, batch_norm_inference and batch_norm_pool, for who fuses an activation
 * into them. */
#ifndef GRAPH_OP_BATCH_NORM_H
#define GRAPH_OP_BATCH_NORM_H

#include "graph/ops.h"

struct batch_norm_attributes {
    double epsilon;
    enum activation activation; /* of y, behind gamma and beta */
};

extern const struct op op_batch_norm, op_batch_norm_inference, op_batch_norm_pool;

#endif
