/* hard_sigmoid: y = min(max(x + 3, 0), 6) / 6;  dx = dy / 6 where 0 < y < 1, else 0 */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double hard_sigmoid_formula(double x)
{
    return fmin(fmax(x + 3, 0), 6) / 6;
}

UNARY_FUNCTIONS(hard_sigmoid, UNARY_HARD_SIGMOID, true)
UNARY_REFERENCE(hard_sigmoid)
static const struct op_example hard_sigmoid_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_hard_sigmoid;
const struct op op_hard_sigmoid = {.summary = "a sigmoid of three straight lines", UNARY_MEMBERS(hard_sigmoid)};

struct node *graph_hard_sigmoid(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_hard_sigmoid, NULL, 1, &x);
}
