/* hard_swish: y = x min(max(x + 3, 0), 6) / 6.
 *
 *     dx = 0 where x <= -3, dy where x >= 3, else dy (x / 3 + 1/2). Howard 2019, arXiv 1905.02244. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double hard_swish_formula(double x)
{
    return x * fmin(fmax(x + 3, 0), 6) / 6;
}

UNARY_FUNCTIONS(hard_swish, UNARY_HARD_SWISH, false)
UNARY_REFERENCE(hard_swish)
static const struct op_example hard_swish_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_hard_swish;
const struct op op_hard_swish = {.summary = "x times its hard sigmoid", UNARY_MEMBERS(hard_swish)};

struct node *graph_hard_swish(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_hard_swish, NULL, 1, &x);
}
