/* gelu: y = x F(x), F the distribution and f the density of the standard normal; exact, by erf.
 *
 *     dx = dy (F(x) + x f(x)). Hendrycks 2016, arXiv 1606.08415. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

static double gelu_formula(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2));
}

UNARY_FUNCTIONS(gelu, UNARY_GELU, false)
UNARY_REFERENCE(gelu)
static const struct op_example gelu_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_gelu;
const struct op op_gelu = {.summary = "x times the normal distribution at x", UNARY_MEMBERS(gelu)};

struct node *graph_gelu(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_gelu, NULL, 1, &x);
}
