/* op_once.h: one call of one op with buffers of its own, for tests that look at numbers instead of walking the
 * table. */
#ifndef SUPPORT_OP_ONCE_H
#define SUPPORT_OP_ONCE_H

#include "graph/op.h"

struct op_once {
    struct op_call call;
    struct op_needs needs;
    struct op_random random;
    void *in[OP_MAX_INPUTS], *out[OP_MAX_OUTPUTS]; /* in the call's precision, zeroed at first */
    void *d_in[OP_MAX_INPUTS], *d_out[OP_MAX_OUTPUTS];
    bool has_gradient[OP_MAX_OUTPUTS]; /* d_out is handed to backward; at first only that of output 0 */
    void *saved, *scratch;
};

/* op_once_new: shape and prepare; REAL inputs become `element`. Whatever fails fails the test. `kernels` is
 * borrowed. */
void op_once_new(struct op_once *o, struct kernel_context *kernels, const struct op *op, const void *attributes,
                 enum element element, int n_inputs, const struct tensor_spec *in);
void op_once_free(struct op_once *o);
void op_once_forward(struct op_once *o);
void op_once_backward(struct op_once *o); /* overwrites d_in */

int64_t op_once_elements(const struct op_once *o, int input);
/* Numbers of an input, an output, and their gradients. */
void op_once_put(struct op_once *o, int input, int64_t i, double value);
double op_once_out(const struct op_once *o, int output, int64_t i);
void op_once_put_d_out(struct op_once *o, int output, int64_t i, double value);
double op_once_d_in(const struct op_once *o, int input, int64_t i);

#endif
