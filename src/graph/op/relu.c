/* relu: y = max(x, 0);  dx = dy where y > 0, else 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double relu_formula(double x)
{
    return x > 0 ? x : 0;
}

UNARY_FUNCTIONS(relu, UNARY_RELU, true)
UNARY_REFERENCE(relu)
static const struct op_example relu_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_relu;
const struct op op_relu = {.summary = "the positive part", UNARY_MEMBERS(relu)};

struct node *graph_relu(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_relu, NULL, 1, &x);
}
