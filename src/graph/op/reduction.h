/* reduction.h: what sum, mean, max and min share: everything but the formula. */
#ifndef GRAPH_OP_REDUCTION_H
#define GRAPH_OP_REDUCTION_H

#include "graph/op.h"

struct reduction_attributes {
    unsigned axes; /* bit i set: axis i is reduced */
    bool keep;     /* as 1 */
};

enum status reduction_shape(struct op_call *call);
enum batch_kind reduction_batch(const struct op_call *call);
enum status reduction_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
/* reduction_count: how many elements make one output. */
int64_t reduction_count(const struct op_call *call);
/* reduction_place: the output that element i of the input belongs to, for references. */
int64_t reduction_place(const struct op_call *call, int64_t i);
/* reduction_trailing: are these axes the last ones of the shape, however many? */
bool reduction_trailing(const struct shape *shape, unsigned axes);
/* reduction_leaves_last: are these all axes but the last? */
bool reduction_leaves_last(const struct shape *shape, unsigned axes);

/* Sums, times `scale`. */
void reduction_forward(const struct op_run *run, double scale);
void reduction_backward(const struct op_run *run, double scale);

/* The largest, or the smallest; the gradient is shared evenly among those that are equal to it. */
enum status reduction_extreme_prepare(const struct op_call *call, bool backward, struct op_needs *needs);
void reduction_extreme_forward(const struct op_run *run, bool largest);
void reduction_extreme_backward(const struct op_run *run);
void reduction_extreme_reference(const struct op_call *call, const double *const *in, double *out, bool largest);

#define REDUCTION_EXAMPLE(title, fill_, axes, keep, ...)                                                               \
    {                                                                                                                  \
        .name = title, .attributes = &(const struct reduction_attributes){axes, keep}, .n_inputs = 1, .in = {          \
            {.fill = fill_, __VA_ARGS__}                                                                               \
        }                                                                                                              \
    }
#define REDUCTION_EXAMPLES(fill)                                                                                       \
    REDUCTION_EXAMPLE("whole map", fill, 0xF, false, .rank = 4, .dim = {2, 5, 3, 17}),                                 \
        REDUCTION_EXAMPLE("rows of a map", fill, 0xE, false, .rank = 4, .dim = {3, 5, 5, 3}),                          \
        REDUCTION_EXAMPLE("last axis", fill, 0x4, false, .rank = 3, .dim = {4, 3, 10}),                                \
        REDUCTION_EXAMPLE("last axis kept, batch 1", fill, 0x2, true, .rank = 2, .dim = {1, 7}),                       \
        REDUCTION_EXAMPLE("all but the last axis", fill, 0x7, false, .rank = 4, .dim = {5, 7, 3, 17}),                 \
        REDUCTION_EXAMPLE("wide columns", fill, 0x1, true, .rank = 2, .dim = {35, 259}),                               \
        REDUCTION_EXAMPLE("alternating axes", fill, 0xA, true, .rank = 4, .dim = {3, 4, 5, 6}),                        \
        REDUCTION_EXAMPLE("first and last axis", fill, 0x9, false, .rank = 4, .dim = {3, 4, 1, 6}),                    \
        REDUCTION_EXAMPLE("longer than a chunk", fill, 0x1, true, .rank = 1, .dim = {5003}),                           \
        REDUCTION_EXAMPLE("a scalar", fill, 0, false, .rank = 0),                                                      \
        REDUCTION_EXAMPLE("no axis", fill, 0, false, .rank = 2, .dim = {3, 2})
/* REDUCTION_MEMBERS: what is the same in their struct op. */
#define REDUCTION_MEMBERS(identifier)                                                                                  \
    .name = #identifier, .inputs_min = 1, .inputs_max = 1, .outputs = 1,                                               \
    .attributes_size = sizeof(struct reduction_attributes), .shape = reduction_shape, .batch = reduction_batch,        \
    .forward = identifier##_forward, .backward = identifier##_backward, .reference = identifier##_reference,           \
    .examples = identifier##_examples, .n_examples = sizeof(identifier##_examples) / sizeof(identifier##_examples[0])

#endif
