/* decomposition.h: what the ops eigen and svd share. */
#ifndef GRAPH_OP_DECOMPOSITION_H
#define GRAPH_OP_DECOMPOSITION_H

#include "graph/ops.h"
#include "kernel/decompose.h"

struct decomposition_attributes {
    int k; /* leading values and vectors; 0 or less: all */
};

/* decomposition_leading: k of a call on matrices with a smaller side of `side`, or an error. */
enum status decomposition_leading(const struct op_call *call, int64_t side, int64_t *leading);
/* decomposition_of: a bound call, for the kernels. */
struct decompose_shape decomposition_of(const struct op_call *call);
enum status decomposition_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
/* decomposition_sign: of a reference's vector, whose elements lie `stride` apart: 1 or -1 as the largest says. */
double decomposition_sign(const double *vector, int64_t n, int64_t stride);

#endif
