/* relu: y = max(x, 0);  dx = dy where y > 0, else 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status relu_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, true);
}

static void relu_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_RELU);
}

static void relu_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_RELU, true);
}

static double relu_formula(double x)
{
    return x > 0 ? x : 0;
}

static void relu_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], relu_formula);
}

static const struct op_example relu_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_relu;
const struct op op_relu = {
    .name = "relu",
    .summary = "the positive part",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = relu_prepare,
    .forward = relu_forward,
    .backward = relu_backward,
    .reference = relu_reference,
    .examples = relu_examples,
    .n_examples = sizeof(relu_examples) / sizeof(relu_examples[0]),
};

struct node *graph_relu(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_relu, NULL, 1, &x);
}
