/* compare: y = 1 where the relation between a and b holds, else 0 (also beside NaN, but for "not equal"); with NumPy's
 * broadcasting. No gradient. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

struct compare_attributes {
    enum relation relation;
};

static enum status compare_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    return binary_needs(call, needs, 0, false);
}

static void compare_forward(const struct op_run *run)
{
    static const enum binary_kind kinds[] = {
        [RELATION_EQUAL] = BINARY_EQUAL,           [RELATION_NOT_EQUAL] = BINARY_NOT_EQUAL,
        [RELATION_GREATER] = BINARY_GREATER,       [RELATION_LESS] = BINARY_LESS,
        [RELATION_LESS_EQUAL] = BINARY_LESS_EQUAL, [RELATION_GREATER_EQUAL] = BINARY_GREATER_EQUAL,
    };
    const struct compare_attributes *attributes = run->call->attributes;
    binary_forward(run, kinds[attributes->relation], NULL);
}

static void compare_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct compare_attributes *attributes = call->attributes;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        double p = in[0][broadcast_place(call, 0, i)], q = in[1][broadcast_place(call, 1, i)];
        bool holds[] = {
            [RELATION_EQUAL] = p == q,         [RELATION_NOT_EQUAL] = p != q, [RELATION_GREATER] = p > q,
            [RELATION_GREATER_EQUAL] = p >= q, [RELATION_LESS] = p < q,       [RELATION_LESS_EQUAL] = p <= q};
        out[0][i] = holds[attributes->relation];
    }
}

#define EXAMPLES(relation)                                                                                             \
    {.name = #relation " of bits",                                                                                     \
     .attributes = &(const struct compare_attributes){relation},                                                       \
     .n_inputs = 2,                                                                                                    \
     .in = {{.fill = OP_FILL_BIT, .rank = 4, .dim = {2, 3, 3, 17}},                                                    \
            {.fill = OP_FILL_BIT, .rank = 4, .dim = {2, 3, 3, 17}}}},                                                  \
    {                                                                                                                  \
        .name = #relation " and a scalar", .attributes = &(const struct compare_attributes){relation}, .n_inputs = 2,  \
        .in = {                                                                                                        \
            {.rank = 2, .dim = {1, 3}},                                                                                \
            {.rank = 0, .dim = {0}}                                                                                    \
        }                                                                                                              \
    }
static const struct op_example compare_examples[] = {
    EXAMPLES(RELATION_EQUAL), EXAMPLES(RELATION_NOT_EQUAL),     EXAMPLES(RELATION_GREATER),
    EXAMPLES(RELATION_LESS),  EXAMPLES(RELATION_GREATER_EQUAL), EXAMPLES(RELATION_LESS_EQUAL),
};

extern const struct op op_compare;
const struct op op_compare = {
    .name = "compare",
    .summary = "1 where a relation of two holds, else 0",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .attributes_size = sizeof(struct compare_attributes),
    .shape = broadcast_shape,
    .batch = broadcast_batch,
    .prepare = compare_prepare,
    .forward = compare_forward,
    .reference = compare_reference,
    .examples = compare_examples,
    .n_examples = sizeof(compare_examples) / sizeof(compare_examples[0]),
};

struct node *graph_compare(struct graph *graph, struct node *a, enum relation relation, struct node *b)
{
    struct compare_attributes attributes = {relation};
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_compare, &attributes, 2, inputs);
}
