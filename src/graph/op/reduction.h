/* reduction.h: what sum and mean share: everything but the factor. */
#ifndef GRAPH_OP_REDUCTION_H
#define GRAPH_OP_REDUCTION_H

#include "graph/op.h"

struct reduction_attributes {
    unsigned axes; /* bit i set: axis i is summed up */
    bool keep;     /* as 1 */
};

enum status reduction_shape(struct op_call *call);
enum batch_kind reduction_batch(const struct op_call *call);
enum status reduction_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
/* reduction_count: how many elements make one output. */
int64_t reduction_count(const struct op_call *call);
void reduction_forward(const struct op_run *run, double scale);
void reduction_backward(const struct op_run *run, double scale);

#endif
