/* div: y = a / b, with NumPy's broadcasting.
 *
 *     da = dy / b;  db = -dy a / b^2, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status div_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    binary_needs(call, needs, 3, false);
    return STATUS_OK;
}

static void div_forward(const struct op_run *run)
{
    binary_forward(run, BINARY_DIV);
}

static void div_backward(const struct op_run *run)
{
    binary_backward(run, SLOPE_OVER_B, SLOPE_MINUS_A_OVER_B2);
}

static double div_formula(double p, double q)
{
    return p / q;
}

static void div_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    binary_reference(call, in, out[0], div_formula);
}

static const struct op_example div_examples[] = {
    {.name = "equal rows",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 10}}, {.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {5, 10}}}},
    {.name = "by a scalar",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {3, 17}}, {.fill = OP_FILL_POSITIVE, .rank = 0, .dim = {0}}}},
    {.name = "a scalar by",
     .n_inputs = 2,
     .in = {{.rank = 0, .dim = {0}}, {.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {3, 17}}}},
    {.name = "by a column",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 10}}, {.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {5, 1}}}},
    {.name = "a column by rows",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 1}}, {.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {5, 10}}}},
    {.name = "by channels",
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {1, 3, 3, 17}}, {.fill = OP_FILL_POSITIVE, .rank = 1, .dim = {17}}}},
    {.name = "channels by",
     .n_inputs = 2,
     .in = {{.rank = 1, .dim = {3}}, {.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {2, 2, 2, 3}}}},
};

extern const struct op op_div;
const struct op op_div = {
    .name = "div",
    .summary = "quotient of two, broadcast as NumPy does",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = binary_shape,
    .batch = binary_batch,
    .prepare = div_prepare,
    .forward = div_forward,
    .backward = div_backward,
    .reference = div_reference,
    .examples = div_examples,
    .n_examples = sizeof(div_examples) / sizeof(div_examples[0]),
};

struct node *graph_div(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_div, NULL, 2, inputs);
}
