/* silu: y = x s,  s = 1 / (1 + exp(-x));  dx = dy s (1 + x (1 - s)). Elfwing 2017, arXiv 1702.03118. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double silu_formula(double x)
{
    return x / (1 + exp(-x));
}

UNARY_FUNCTIONS(silu, UNARY_SILU, false)
UNARY_REFERENCE(silu)
static const struct op_example silu_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_silu;
const struct op op_silu = {.summary = "x times its sigmoid", UNARY_MEMBERS(silu)};

struct node *graph_silu(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_silu, NULL, 1, &x);
}
