/* broadcast.h: NumPy's broadcasting of up to three inputs: shapes, and the walk through them for the kernels, which see
 * rows and columns only. */
#ifndef GRAPH_OP_BROADCAST_H
#define GRAPH_OP_BROADCAST_H

#include "graph/op.h"
#include "kernel/elementwise.h"

enum { BROADCAST_INPUTS = 3 };

/* broadcast_shape: all inputs are real and broadcast to one shape. */
enum status broadcast_shape(struct op_call *call);
/* broadcast_batch: MIXED where an input's batch lies along another axis of the output than the first. */
enum batch_kind broadcast_batch(const struct op_call *call);

/* The output's axes, those of size 1 left out and those that all inputs walk through alike taken together; the inputs'
 * strides along them. The last two axes go to a kernel as rows and columns, `outer` times: the others are walked
 * through by the caller. */
struct walk {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], stride[BROADCAST_INPUTS][SHAPE_MAX_RANK];
    int64_t rows, cols, strides[BROADCAST_INPUTS][2]; /* of the last two axes */
    int64_t outer;
};
struct walk walk_of(const struct op_call *call);
/* walk_offset: where an input's rows x cols number `step` start. */
int64_t walk_offset(const struct walk *w, int input, int64_t step);
/* walk_gradient: d_in[input] by binary_gradient, which sees inputs 0 and 1 as a and b; nothing if it is not wanted. */
void walk_gradient(const struct op_run *run, const struct walk *w, int input, enum binary_slope slope,
                   const double *parameters);

/* broadcast_place: the element of an input that goes with element i of the output, for references. */
int64_t broadcast_place(const struct op_call *call, int input, int64_t i);

#endif
