/* softplus: y = log(1 + exp(x)), and x itself where x > 20;  dx = dy / (1 + exp(-x)), dy where x > 20 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double softplus_formula(double x)
{
    return x > 20 ? x : log1p(exp(x));
}

UNARY_FUNCTIONS(softplus, UNARY_SOFTPLUS, false)
UNARY_REFERENCE(softplus)
static const struct op_example softplus_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_softplus;
const struct op op_softplus = {.summary = "log(1 + exp(x))", UNARY_MEMBERS(softplus)};

struct node *graph_softplus(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_softplus, NULL, 1, &x);
}
