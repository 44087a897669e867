/* maximum: y = max(a, b), with NumPy's broadcasting.
 *
 *     da = dy where a > b, dy / 2 where they are equal; db likewise; each summed over what its input
 *     was stretched to */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double maximum_formula(double p, double q)
{
    return fmax(p, q);
}

BINARY_FUNCTIONS(maximum, BINARY_MAXIMUM, SLOPE_IF_GREATER, SLOPE_IF_LESS, 3)
BINARY_REFERENCE(maximum)

static const struct op_example maximum_examples[] = {
    {.name = "equal maps", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 3, 3, 17}}, {.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "channels of a map", .n_inputs = 2, .in = {{.rank = 4, .dim = {2, 5, 3, 12}}, {.rank = 1, .dim = {12}}}},
    {.name = "a scalar", .n_inputs = 2, .in = {{.rank = 0, .dim = {0}}, {.rank = 2, .dim = {3, 7}}}},
    {.name = "a column on rows", .n_inputs = 2, .in = {{.rank = 2, .dim = {1, 1}}, {.rank = 2, .dim = {1, 3}}}},
    {.name = "outer axes",
     .n_inputs = 2,
     .in = {{.rank = 5, .dim = {2, 1, 3, 1, 3}}, {.rank = 5, .dim = {1, 2, 1, 2, 1}}}},
};

extern const struct op op_maximum;
const struct op op_maximum = {.summary = "the largest of two, broadcast as NumPy does", BINARY_MEMBERS(maximum)};

struct node *graph_maximum(struct graph *graph, struct node *a, struct node *b)
{
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_maximum, NULL, 2, inputs);
}
