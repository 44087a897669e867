/* add: y = a + b, with NumPy's broadcasting.
 *
 *     da = dy;  db = dy, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double add_formula(double p, double q)
{
    return p + q;
}

BINARY_FUNCTIONS(add, BINARY_ADD, SLOPE_ONE, SLOPE_ONE, 0)
BINARY_REFERENCE(add)

static const struct op_example add_examples[] = {
    {.name = "equal maps", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 3, 3, 17}}, {.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "channels of a map", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 5, 3, 12}}, {.rank = 1, .dim = {12}}}},
    {.name = "a scalar", .n_inputs = 2, .in = {{.rank = 2, .dim = {3, 7}}, {.rank = 0, .dim = {0}}}},
    {.name = "a column on rows", .n_inputs = 2, .in = {{.rank = 2, .dim = {5, 1}}, {.rank = 2, .dim = {5, 10}}}},
    {.name = "two scalars", .n_inputs = 2, .in = {{.rank = 0, .dim = {0}}, {.rank = 0, .dim = {0}}}},
    {.name = "long", .n_inputs = 2, .in = {{.rank = 2, .dim = {1, 1031}}, {.rank = 2, .dim = {1, 1031}}}},
    {.name = "an inner axis", .n_inputs = 2, .in = {{.rank = 3, .dim = {2, 1, 3}}, {.rank = 3, .dim = {2, 4, 3}}}},
};

extern const struct op op_add;
const struct op op_add = {.summary = "sum of two, broadcast as NumPy does", BINARY_MEMBERS(add)};

struct node *graph_add(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_add, NULL, 2, inputs);
}
