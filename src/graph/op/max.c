/* max: the largest over some axes; NaN where one is among them.
 *
 *     dx = dy / n at each of the n elements that are equal to y, else 0 */
#include "graph/op/reduction.h"
#include "graph/ops.h"

static void max_forward(const struct op_run *run)
{
    reduction_extreme_forward(run, true);
}

static void max_backward(const struct op_run *run)
{
    reduction_extreme_backward(run);
}

static void max_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    reduction_extreme_reference(call, in, out[0], true);
}

static const struct op_example max_examples[] = {REDUCTION_EXAMPLES(OP_FILL_APART)};

extern const struct op op_max;
const struct op op_max = {.summary = "largest over axes", .prepare = reduction_extreme_prepare, REDUCTION_MEMBERS(max)};

struct node *graph_max(struct graph *graph, struct node *x, unsigned axes, bool keep)
{
    struct reduction_attributes attributes = {axes, keep};
    return graph_call(graph, &op_max, &attributes, 1, &x);
}
