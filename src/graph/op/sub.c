/* sub: y = a - b, with NumPy's broadcasting.
 *
 *     da = dy;  db = -dy, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double sub_formula(double p, double q)
{
    return p - q;
}

BINARY_FUNCTIONS(sub, BINARY_SUB, SLOPE_ONE, SLOPE_MINUS_ONE, 0)
BINARY_REFERENCE(sub)

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
const struct op op_sub = {.summary = "difference of two, broadcast as NumPy does", BINARY_MEMBERS(sub)};

struct node *graph_sub(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_sub, NULL, 2, inputs);
}
