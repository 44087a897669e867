/* sign: y = 1 where x > 0, -1 where x < 0, else x (0, or NaN). No gradient. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double sign_formula(double x)
{
    return (x > 0) - (x < 0);
}

static enum status sign_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    return unary_needs(needs, false);
}

static void sign_forward(const struct op_run *run)
{
    unary_forward(run, UNARY_SIGN);
}

UNARY_REFERENCE(sign)
static const struct op_example sign_examples[] = {UNARY_EXAMPLES(OP_FILL_APART, NULL)};

extern const struct op op_sign;
const struct op op_sign = {.summary = "1, 0 or -1", UNARY_MEMBERS_FORWARD(sign)};

struct node *graph_sign(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_sign, NULL, 1, &x);
}
