/* mul: y = a b, with NumPy's broadcasting.
 *
 *     da = dy b;  db = dy a, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double mul_formula(double p, double q)
{
    return p * q;
}

BINARY_FUNCTIONS(mul, BINARY_MUL, SLOPE_B, SLOPE_A, 3)
BINARY_REFERENCE(mul)

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
const struct op op_mul = {.summary = "product of two, broadcast as NumPy does", BINARY_MEMBERS(mul)};

struct node *graph_mul(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_mul, NULL, 2, inputs);
}
