/* elementwise.h: what ops of one or two inputs, element by element, share: all but their formulas.
 *
 * Two inputs follow NumPy's broadcasting; the gradient of an input that was stretched is summed over what it was
 * stretched to. */
#ifndef GRAPH_OP_ELEMENTWISE_H
#define GRAPH_OP_ELEMENTWISE_H

#include "graph/op.h"
#include "kernel/elementwise.h"

/* --- two inputs --- */

enum status binary_shape(struct op_call *call);
/* binary_batch: MIXED where an input's batch lies along another axis of the output than the first. */
enum batch_kind binary_batch(const struct op_call *call);
/* binary_needs: kernel and overwriting; `reads` is what backward reads of the inputs. d_in[0] may take the place of
 * d_out[0] only where making it leaves d_out as it is, since d_in[1] is made afterwards. */
void binary_needs(const struct op_call *call, struct op_needs *needs, unsigned reads, bool first_keeps_gradient);
void binary_forward(const struct op_run *run, enum binary_kind kind);
/* binary_backward: both gradients, as far as they are wanted. */
void binary_backward(const struct op_run *run, enum binary_slope first, enum binary_slope second);
void binary_reference(const struct op_call *call, const double *const *in, double *out,
                      double (*formula)(double, double));

/* --- one input --- */

enum status unary_shape(struct op_call *call);
/* unary_needs: backward reads x, or y where reads_output. */
enum status unary_needs(struct op_needs *needs, bool reads_output);
void unary_forward(const struct op_run *run, enum unary_kind kind);
void unary_backward(const struct op_run *run, enum unary_kind kind, bool reads_output);
void unary_reference(const struct op_call *call, const double *const *in, double *out, double (*formula)(double));

#endif
