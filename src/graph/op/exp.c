/* exp: y = exp(x);  dx = dy y */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double exp_formula(double x)
{
    return exp(x);
}

UNARY_FUNCTIONS(exp, UNARY_EXP, true)
UNARY_REFERENCE(exp)
static const struct op_example exp_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_exp;
const struct op op_exp = {.summary = "exponential", UNARY_MEMBERS(exp)};

struct node *graph_exp(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_exp, NULL, 1, &x);
}
