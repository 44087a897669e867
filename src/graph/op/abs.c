/* abs: y = |x|;  dx = dy sign(x), and 0 at 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static enum status abs_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, false);
}

static void abs_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_ABS);
}

static void abs_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_ABS, false);
}

static double abs_formula(double x)
{
    return fabs(x);
}

static void abs_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], abs_formula);
}

static const struct op_example abs_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_abs;
const struct op op_abs = {
    .name = "abs",
    .summary = "absolute value",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = abs_prepare,
    .forward = abs_forward,
    .backward = abs_backward,
    .reference = abs_reference,
    .examples = abs_examples,
    .n_examples = sizeof(abs_examples) / sizeof(abs_examples[0]),
};

struct node *graph_abs(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_abs, NULL, 1, &x);
}
