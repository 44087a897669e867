/* tanh: y = tanh(x);  dx = dy (1 - y^2) */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double tanh_formula(double x)
{
    return tanh(x);
}

UNARY_FUNCTIONS(tanh, UNARY_TANH, true)
UNARY_REFERENCE(tanh)
static const struct op_example tanh_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_tanh;
const struct op op_tanh = {.summary = "hyperbolic tangent", UNARY_MEMBERS(tanh)};

struct node *graph_tanh(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_tanh, NULL, 1, &x);
}
