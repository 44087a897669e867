/* relu6: y = min(max(x, 0), 6);  dx = dy where 0 < y < 6, else 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double relu6_formula(double x)
{
    return fmin(fmax(x, 0), 6);
}

UNARY_FUNCTIONS(relu6, UNARY_RELU6, true)
UNARY_REFERENCE(relu6)
static const struct op_example relu6_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_relu6;
const struct op op_relu6 = {.summary = "the part between 0 and 6", UNARY_MEMBERS(relu6)};

struct node *graph_relu6(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_relu6, NULL, 1, &x);
}
