/* log: y = log(x);  dx = dy / x */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double log_formula(double x)
{
    return log(x);
}

UNARY_FUNCTIONS(log, UNARY_LOG, false)
UNARY_REFERENCE(log)
static const struct op_example log_examples[] = {UNARY_EXAMPLES(OP_FILL_POSITIVE, NULL)};

extern const struct op op_log;
const struct op op_log = {.summary = "natural logarithm", UNARY_MEMBERS(log)};

struct node *graph_log(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_log, NULL, 1, &x);
}
