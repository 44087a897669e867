/* transpose.h: what flatten, to_chw and to_hwc share: each sample is a matrix that is transposed. */
#ifndef GRAPH_OP_TRANSPOSE_H
#define GRAPH_OP_TRANSPOSE_H

#include "graph/op.h"

/* transpose_forward: out[0] [B, columns, rows] = in[0] [B, rows, columns]; transpose_backward the other way. */
void transpose_forward(const struct op_run *run, int64_t rows, int64_t columns);
void transpose_backward(const struct op_run *run, int64_t rows, int64_t columns);

#endif
