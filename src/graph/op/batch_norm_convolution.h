/* batch_norm_convolution.h: its attributes, for who fuses the two, and its passes. */
#ifndef GRAPH_OP_BATCH_NORM_CONVOLUTION_H
#define GRAPH_OP_BATCH_NORM_CONVOLUTION_H

#include "graph/op/batch_norm.h"
#include "graph/op/convolution.h"

/* Inputs: x, gamma, beta, running mean and variance if `running`, then the convolution's from its weight on. */
struct batch_norm_convolution_attributes {
    struct convolution_attributes convolution; /* without fold and activation */
    struct batch_norm_attributes norm;
    bool running;
};

/* The two calls of which this is one. */
struct norm_convolution_parts {
    struct op_call norm, convolution;
};
struct norm_convolution_parts norm_convolution_parts_of(const struct op_call *call);

enum status norm_convolution_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
void norm_convolution_release(void *plan);
void norm_convolution_forward(const struct op_run *run);
void norm_convolution_recompute(const struct op_run *run);
void norm_convolution_backward(const struct op_run *run);

extern const struct op op_batch_norm_convolution, op_convolution;

#endif
