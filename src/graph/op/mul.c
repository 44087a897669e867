/* mul: y = a b, with NumPy's broadcasting.
 *
 *     da = dy b;  db = dy a, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status mul_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    binary_needs(call, needs, 3, false);
    return STATUS_OK;
}

static void mul_forward(const struct op_run *run)
{
    binary_forward(run, BINARY_MUL);
}

static void mul_backward(const struct op_run *run)
{
    binary_backward(run, SLOPE_B, SLOPE_A);
}

static double mul_formula(double p, double q)
{
    return p * q;
}

static void mul_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    binary_reference(call, in, out[0], mul_formula);
}

static const struct op_example mul_examples[] = {
    {.name = "equal maps", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 3, 3, 3}}, {.rank = 4, .dim = {2, 3, 3, 3}}}},
    {.name = "times a scalar", .n_inputs = 2, .in = {{.rank = 2, .dim = {4, 17}}, {.rank = 0, .dim = {0}}}},
    {.name = "a scalar times", .n_inputs = 2, .in = {{.rank = 0, .dim = {0}}, {.rank = 2, .dim = {4, 17}}}},
    {.name = "channels", .n_inputs = 2, .in = {{.rank = 2, .dim = {70, 3}}, {.rank = 1, .dim = {3}}}},
    {.name = "one channel", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 3, 3, 1}}, {.rank = 4, .dim = {2, 1, 1, 17}}}},
    {.name = "a column", .n_inputs = 2, .in = {{.rank = 2, .dim = {5, 1}}, {.rank = 2, .dim = {5, 10}}}},
    {.name = "a long row", .n_inputs = 2, .in = {{.rank = 2, .dim = {2, 1500}}, {.rank = 1, .dim = {1500}}}},
    {.name = "samples and channels",
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {2, 1, 1, 5}}, {.rank = 4, .dim = {2, 3, 4, 5}}}},
};

extern const struct op op_mul;
const struct op op_mul = {
    .name = "mul",
    .summary = "product of two, broadcast as NumPy does",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = binary_shape,
    .batch = binary_batch,
    .prepare = mul_prepare,
    .forward = mul_forward,
    .backward = mul_backward,
    .reference = mul_reference,
    .examples = mul_examples,
    .n_examples = sizeof(mul_examples) / sizeof(mul_examples[0]),
};

struct node *graph_mul(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_mul, NULL, 2, inputs);
}
