/* relu6: y = min(max(x, 0), 6);  dx = dy where 0 < y < 6, else 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static enum status relu6_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, true);
}

static void relu6_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_RELU6);
}

static void relu6_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_RELU6, true);
}

static double relu6_formula(double x)
{
    return fmin(fmax(x, 0), 6);
}

static void relu6_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], relu6_formula);
}

static const struct op_example relu6_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_relu6;
const struct op op_relu6 = {
    .name = "relu6",
    .summary = "the part between 0 and 6",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = relu6_prepare,
    .forward = relu6_forward,
    .backward = relu6_backward,
    .reference = relu6_reference,
    .examples = relu6_examples,
    .n_examples = sizeof(relu6_examples) / sizeof(relu6_examples[0]),
};

struct node *graph_relu6(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_relu6, NULL, 1, &x);
}
