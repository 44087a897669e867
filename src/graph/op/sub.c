/* sub: y = a - b, with NumPy's broadcasting.
 *
 *     da = dy;  db = -dy, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status sub_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    binary_needs(call, needs, 0, true);
    return STATUS_OK;
}

static void sub_forward(const struct op_run *run)
{
    binary_forward(run, BINARY_SUB);
}

static void sub_backward(const struct op_run *run)
{
    binary_backward(run, SLOPE_ONE, SLOPE_MINUS_ONE);
}

static double sub_formula(double p, double q)
{
    return p - q;
}

static void sub_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    binary_reference(call, in, out[0], sub_formula);
}

static const struct op_example sub_examples[] = {
    {.name = "equal rows", .n_inputs = 2, .in = {{.rank = 2, .dim = {5, 10}}, {.rank = 2, .dim = {5, 10}}}},
    {.name = "a scalar less a row", .n_inputs = 2, .in = {{.rank = 0, .dim = {0}}, {.rank = 2, .dim = {1, 17}}}},
    {.name = "a column", .n_inputs = 2, .in = {{.rank = 2, .dim = {6, 10}}, {.rank = 2, .dim = {6, 1}}}},
    {.name = "channels of a 1x1 map",
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {3, 1, 1, 17}}, {.rank = 1, .dim = {17}}}},
    {.name = "a column less a row", .n_inputs = 2, .in = {{.rank = 2, .dim = {3, 1}}, {.rank = 2, .dim = {1, 4}}}},
    {.name = "outer axes",
     .n_inputs = 2,
     .in = {{.rank = 5, .dim = {2, 1, 3, 1, 3}}, {.rank = 5, .dim = {1, 2, 1, 2, 1}}}},
};

extern const struct op op_sub;
const struct op op_sub = {
    .name = "sub",
    .summary = "difference of two, broadcast as NumPy does",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = binary_shape,
    .batch = binary_batch,
    .prepare = sub_prepare,
    .forward = sub_forward,
    .backward = sub_backward,
    .reference = sub_reference,
    .examples = sub_examples,
    .n_examples = sizeof(sub_examples) / sizeof(sub_examples[0]),
};

struct node *graph_sub(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_sub, NULL, 2, inputs);
}
