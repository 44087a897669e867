/* div: y = a / b, with NumPy's broadcasting.
 *
 *     da = dy / b;  db = -dy a / b^2, each summed over what its input was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double div_formula(double p, double q)
{
    return p / q;
}

BINARY_FUNCTIONS(div, BINARY_DIV, SLOPE_OVER_B, SLOPE_MINUS_A_OVER_B2, 3)
BINARY_REFERENCE(div)

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
const struct op op_div = {.summary = "quotient of two, broadcast as NumPy does", BINARY_MEMBERS(div)};

struct node *graph_div(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_div, NULL, 2, inputs);
}
