/* abs: y = |x|;  dx = dy sign(x), and 0 at 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double abs_formula(double x)
{
    return fabs(x);
}

UNARY_FUNCTIONS(abs, UNARY_ABS, false)
UNARY_REFERENCE(abs)
static const struct op_example abs_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_abs;
const struct op op_abs = {.summary = "absolute value", UNARY_MEMBERS(abs)};

struct node *graph_abs(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_abs, NULL, 1, &x);
}
