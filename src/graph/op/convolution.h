/* convolution.h: attributes of the op `convolution`, for who fuses a batch norm or an activation into it. */
#ifndef GRAPH_OP_CONVOLUTION_H
#define GRAPH_OP_CONVOLUTION_H

#include "graph/ops.h"
#include "kernel/convolution.h"

/* Inputs: x [B,H,W,C], weight [O,C/groups,kh,kw] (or a row x [B,L,C], which is a map of height 1, and weight
 * [O,C/groups,k]), then bias [O] if has_bias, then gamma, beta, running_mean, running_var [O] if
 * fold: a batch norm in inference after the convolution, with `epsilon`. The activation comes last. fold and activation are for
 * inference: with them the op has no gradient. */
struct convolution_attributes {
    struct convolution c;
    bool has_bias, fold;
    double epsilon;
    enum activation activation;
};

struct onednn_pass;

/* What prepare makes (convolution_plan.c): each pass by the library, or by our own loops where its pointer is NULL. */
struct convolution_plan {
    struct context *ctx;
    struct convolution_shape shape;
    bool depthwise, has_bias, fold;
    double epsilon, limit; /* limit: convolution.def */
    size_t size;           /* of an element */
    struct onednn_pass *forward, *data, *weights;
    char kernel[160];
};

/* convolution_map: the shape of a map, or of a row seen as one. */
struct shape convolution_map(const struct shape *shape);

enum status convolution_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
void convolution_release(void *plan);
void convolution_forward(const struct op_run *run);
void convolution_backward(const struct op_run *run);

#endif
