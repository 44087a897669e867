/* log: y = log(x);  dx = dy / x */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static enum status log_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, false);
}

static void log_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_LOG);
}

static void log_backward(const struct op_run *run)
{
    unary_backward(run, UNARY_LOG, false);
}

static double log_formula(double x)
{
    return log(x);
}

static void log_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    unary_reference(call, in, out[0], log_formula);
}

static const struct op_example log_examples[] = {
    {.name = "a map", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 0, .dim = {0}}}},
    {.name = "rows", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {7, 5}}}},
    {.name = "longer than a block", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {1, 4103}}}},
};

extern const struct op op_log;
const struct op op_log = {
    .name = "log",
    .summary = "natural logarithm",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unary_shape,
    .prepare = log_prepare,
    .forward = log_forward,
    .backward = log_backward,
    .reference = log_reference,
    .examples = log_examples,
    .n_examples = sizeof(log_examples) / sizeof(log_examples[0]),
};

struct node *graph_log(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_log, NULL, 1, &x);
}
