/* log_sigmoid: y = log(1 / (1 + exp(-x))) = min(x, 0) - log(1 + exp(-|x|)), finite for every finite x.
 *
 *     dx = dy / (1 + exp(x)) */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double log_sigmoid_formula(double x)
{
    return -log1p(exp(-x));
}

UNARY_FUNCTIONS(log_sigmoid, UNARY_LOG_SIGMOID, false)
UNARY_REFERENCE(log_sigmoid)
static const struct op_example log_sigmoid_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_log_sigmoid;
const struct op op_log_sigmoid = {.summary = "the logarithm of the sigmoid", UNARY_MEMBERS(log_sigmoid)};

struct node *graph_log_sigmoid(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_log_sigmoid, NULL, 1, &x);
}
