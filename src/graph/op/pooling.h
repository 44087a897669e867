/* pooling.h: what the ops over windows of a map share. x [B,H,W,C]. */
#ifndef GRAPH_OP_POOLING_H
#define GRAPH_OP_POOLING_H

#include "graph/ops.h"
#include "kernel/pool.h"

/* map_expect: input 0 is a map of real numbers with height, width and channels of at least 1. */
enum status map_expect(const struct op_call *call);
/* pooling_shape: out [B,H',W',C], or an error that names the window that does not fit; global_shape: out [B,C]. */
enum status pooling_shape(struct op_call *call, const struct pooling *pooling);
enum status global_shape(struct op_call *call);
/* pooling_of: the windows of a bound call; NULL: one window, the whole map. */
struct pool_shape pooling_of(const struct op_call *call, const struct pooling *pooling);

/* pooling_reference: plain loops; largest: the maximum (padding left out), else the average (padding counted). */
void pooling_reference(const struct op_call *call, const struct pooling *pooling, bool largest, const double *x,
                       double *y);

#endif
