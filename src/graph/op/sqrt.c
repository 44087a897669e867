/* sqrt: y = sqrt(x);  dx = dy / (2 y), and 0 where y is 0: a distance of a point to itself has no say */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double sqrt_formula(double x)
{
    return sqrt(x);
}

UNARY_FUNCTIONS(sqrt, UNARY_SQRT, true)
UNARY_REFERENCE(sqrt)
static const struct op_example sqrt_examples[] = {UNARY_EXAMPLES(OP_FILL_POSITIVE, NULL)};

extern const struct op op_sqrt;
const struct op op_sqrt = {.summary = "square root", UNARY_MEMBERS(sqrt)};

struct node *graph_sqrt(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_sqrt, NULL, 1, &x);
}
