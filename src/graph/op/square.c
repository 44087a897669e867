/* square: y = x^2;  dx = 2 dy x */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static double square_formula(double x)
{
    return x * x;
}

UNARY_FUNCTIONS(square, UNARY_SQUARE, false)
UNARY_REFERENCE(square)
static const struct op_example square_examples[] = {UNARY_EXAMPLES(OP_FILL_NORMAL, NULL)};

extern const struct op op_square;
const struct op op_square = {.summary = "square", UNARY_MEMBERS(square)};

struct node *graph_square(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_square, NULL, 1, &x);
}
