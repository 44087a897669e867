/* power: y = a^b, with NumPy's broadcasting; NaN where a < 0 and b is no integer.
 *
 *     da = dy b a^(b-1), 0 where b is 0;  db = dy a^b log a, 0 where a is 0 and b >= 0; each summed over what its input
 *     was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double power_formula(double p, double q)
{
    return pow(p, q);
}

BINARY_FUNCTIONS(power, BINARY_POWER, SLOPE_POWER, SLOPE_POWER_EXPONENT, 3)
BINARY_REFERENCE(power)

static const struct op_example power_examples[] = {
    {.name = "one exponent",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {2, 3, 3, 17}}, {.rank = 0, .dim = {0}}}},
    {.name = "batch 1, 1x1",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_POSITIVE, .rank = 4, .dim = {1, 1, 1, 3}}, {.rank = 0, .dim = {0}}}},
    {.name = "one base",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_POSITIVE, .rank = 1, .dim = {1}}, {.rank = 2, .dim = {3, 7}}}},
    {.name = "exponents of channels",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {5, 3}}, {.rank = 1, .dim = {3}}}},
};

extern const struct op op_power;
const struct op op_power = {.summary = "the first to the power of the second", BINARY_MEMBERS(power)};

struct node *graph_power(struct graph *graph, struct node *a, struct node *b)
{
    /* Squares are what nearly every method wants, and cost no pow. */
    if (a && b && b->kind == NODE_CONSTANT && b->spec.shape.rank == 0 && b->constant[0] == 2)
        return graph_square(graph, a);
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_power, NULL, 2, inputs);
}
