/* square: y = x^2;  dx = 2 dy x */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status square_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, false);
}

static void square_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_SQUARE);
}

static void square_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_SQUARE, false);
}

static double square_formula(double x)
{
    return x * x;
}

static void square_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], square_formula);
}

static const struct op_example square_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_square;
const struct op op_square = {
    .name = "square",
    .summary = "square",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = square_prepare,
    .forward = square_forward,
    .backward = square_backward,
    .reference = square_reference,
    .examples = square_examples,
    .n_examples = sizeof(square_examples) / sizeof(square_examples[0]),
};

struct node *graph_square(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_square, NULL, 1, &x);
}
