/* elementwise.h: what ops of one or two inputs, element by element, share: all but their formulas.
 *
 * Two inputs follow NumPy's broadcasting; the gradient of an input that was stretched is summed over what it was
 * stretched to. An op's attributes, if it has any, are its kernel's parameters: double [2] for one input, double [1]
 * for two. */
#ifndef GRAPH_OP_ELEMENTWISE_H
#define GRAPH_OP_ELEMENTWISE_H

#include "graph/op/broadcast.h"

/* --- two inputs --- */

/* binary_needs: kernel and overwriting; `reads` is what backward reads of the inputs. d_in[0] may take the place of
 * d_out[0] only where making it leaves d_out as it is, since d_in[1] is made afterwards. */
enum status binary_needs(const struct op_call *call, struct op_needs *needs, unsigned reads, bool first_keeps_gradient);
void binary_forward(const struct op_run *run, enum binary_kind kind, const double *parameters);
/* binary_backward: both gradients, as far as they are wanted. */
void binary_backward(const struct op_run *run, enum binary_slope first, enum binary_slope second);
void binary_reference(const struct op_call *call, const double *const *in, double *out,
                      double (*formula)(double, double));

/* BINARY_FUNCTIONS: prepare, forward and backward of an op. reads: the inputs that backward reads, as a mask; without
 * any, both gradients leave d_out as it is. */
#define BINARY_FUNCTIONS(identifier, kind, first, second, reads)                                                       \
    static enum status identifier##_prepare(const struct op_call *call, bool backward, struct op_needs *needs)         \
    {                                                                                                                  \
        (void)backward;                                                                                                \
        return binary_needs(call, needs, reads, (reads) == 0);                                                         \
    }                                                                                                                  \
    static void identifier##_forward(const struct op_run *run)                                                         \
    {                                                                                                                  \
        binary_forward(run, kind, run->call->attributes);                                                              \
    }                                                                                                                  \
    static void identifier##_backward(const struct op_run *run)                                                        \
    {                                                                                                                  \
        binary_backward(run, first, second);                                                                           \
    }
/* BINARY_REFERENCE: of an op without attributes, by NAME_formula. */
#define BINARY_REFERENCE(identifier)                                                                                   \
    static void identifier##_reference(const struct op_call *call, const double *const *in, double *const *out)        \
    {                                                                                                                  \
        binary_reference(call, in, out[0], identifier##_formula);                                                      \
    }
/* BINARY_MEMBERS: what is the same in their struct op; BINARY_MEMBERS_OF: where shape is its own. */
#define BINARY_MEMBERS_OF(identifier)                                                                                  \
    .name = #identifier, .inputs_min = 2, .inputs_max = 2, .outputs = 1, .batch = broadcast_batch,                     \
    .prepare = identifier##_prepare, .forward = identifier##_forward, .backward = identifier##_backward,               \
    .reference = identifier##_reference, .examples = identifier##_examples,                                            \
    .n_examples = sizeof(identifier##_examples) / sizeof(identifier##_examples[0])
#define BINARY_MEMBERS(identifier) BINARY_MEMBERS_OF(identifier), .shape = broadcast_shape

/* --- one input --- */

enum status unary_shape(struct op_call *call);
/* unary_needs: backward reads x, or y where reads_output. */
enum status unary_needs(struct op_needs *needs, bool reads_output);
void unary_forward(const struct op_run *run, enum unary_kind kind);
void unary_backward(const struct op_run *run, enum unary_kind kind, bool reads_output);
void unary_reference(const struct op_call *call, const double *const *in, double *out, double (*formula)(double));

/* UNARY_FUNCTIONS: prepare, forward and backward of an op. */
#define UNARY_FUNCTIONS(identifier, kind, reads_output)                                                                \
    static enum status identifier##_prepare(const struct op_call *call, bool backward, struct op_needs *needs)         \
    {                                                                                                                  \
        (void)call;                                                                                                    \
        (void)backward;                                                                                                \
        return unary_needs(needs, reads_output);                                                                       \
    }                                                                                                                  \
    static void identifier##_forward(const struct op_run *run)                                                         \
    {                                                                                                                  \
        unary_forward(run, kind);                                                                                      \
    }                                                                                                                  \
    static void identifier##_backward(const struct op_run *run)                                                        \
    {                                                                                                                  \
        unary_backward(run, kind, reads_output);                                                                       \
    }
/* UNARY_REFERENCE: of an op without attributes, by NAME_formula. */
#define UNARY_REFERENCE(identifier)                                                                                    \
    static void identifier##_reference(const struct op_call *call, const double *const *in, double *const *out)        \
    {                                                                                                                  \
        unary_reference(call, in, out[0], identifier##_formula);                                                       \
    }
#define UNARY_EXAMPLE(title, fill_, attributes_, ...)                                                                  \
    {                                                                                                                  \
        .name = title, .attributes = attributes_, .n_inputs = 1, .in = { {.fill = fill_, __VA_ARGS__} }                \
    }
#define UNARY_EXAMPLES(fill, attributes)                                                                               \
    UNARY_EXAMPLE("a map", fill, attributes, .rank = 4, .dim = {2, 3, 3, 17}),                                         \
        UNARY_EXAMPLE("batch 1, 1x1", fill, attributes, .rank = 4, .dim = {1, 1, 1, 3}),                               \
        UNARY_EXAMPLE("a scalar", fill, attributes, .rank = 0),                                                        \
        UNARY_EXAMPLE("rows", fill, attributes, .rank = 2, .dim = {7, 5}),                                             \
        UNARY_EXAMPLE("longer than a block", fill, attributes, .rank = 2, .dim = {1, 4103})
/* UNARY_MEMBERS: what is the same in their struct op; UNARY_MEMBERS_OF: where shape is its own; UNARY_MEMBERS_FORWARD:
 * without a gradient. */
#define UNARY_MEMBERS_OF(identifier)                                                                                   \
    .name = #identifier, .inputs_min = 1, .inputs_max = 1, .outputs = 1, .prepare = identifier##_prepare,              \
    .forward = identifier##_forward, .reference = identifier##_reference, .examples = identifier##_examples,           \
    .n_examples = sizeof(identifier##_examples) / sizeof(identifier##_examples[0])
#define UNARY_MEMBERS_FORWARD(identifier) UNARY_MEMBERS_OF(identifier), .shape = unary_shape
#define UNARY_MEMBERS(identifier) UNARY_MEMBERS_FORWARD(identifier), .backward = identifier##_backward

#endif
