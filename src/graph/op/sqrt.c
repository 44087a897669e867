/* sqrt: y = sqrt(x);  dx = dy / (2 y), and 0 where y is 0: a distance of a point to itself has no say */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static enum status sqrt_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, true);
}

static void sqrt_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_SQRT);
}

static void sqrt_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_SQRT, true);
}

static double sqrt_formula(double x)
{
    return sqrt(x);
}

static void sqrt_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], sqrt_formula);
}

static const struct op_example sqrt_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_sqrt;
const struct op op_sqrt = {
    .name = "sqrt",
    .summary = "square root",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = sqrt_prepare,
    .forward = sqrt_forward,
    .backward = sqrt_backward,
    .reference = sqrt_reference,
    .examples = sqrt_examples,
    .n_examples = sizeof(sqrt_examples) / sizeof(sqrt_examples[0]),
};

struct node *graph_sqrt(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_sqrt, NULL, 1, &x);
}
