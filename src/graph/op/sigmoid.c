/* sigmoid: y = 1 / (1 + exp(-x));  dx = dy y (1 - y) */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double sigmoid_formula(double x)
{
    return 1 / (1 + exp(-x));
}

UNARY_FUNCTIONS(sigmoid, UNARY_SIGMOID, true)
UNARY_REFERENCE(sigmoid)
static const struct op_example sigmoid_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_sigmoid;
const struct op op_sigmoid = {.summary = "1 / (1 + exp(-x))", UNARY_MEMBERS(sigmoid)};

struct node *graph_sigmoid(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_sigmoid, NULL, 1, &x);
}
