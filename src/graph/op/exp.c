/* exp: y = exp(x);  dx = dy y */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static enum status exp_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, true);
}

static void exp_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_EXP);
}

static void exp_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_EXP, true);
}

static double exp_formula(double x)
{
    return exp(x);
}

static void exp_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], exp_formula);
}

static const struct op_example exp_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_exp;
const struct op op_exp = {
    .name = "exp",
    .summary = "exponential",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = exp_prepare,
    .forward = exp_forward,
    .backward = exp_backward,
    .reference = exp_reference,
    .examples = exp_examples,
    .n_examples = sizeof(exp_examples) / sizeof(exp_examples[0]),
};

struct node *graph_exp(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_exp, NULL, 1, &x);
}
