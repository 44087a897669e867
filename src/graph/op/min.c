/* min: the smallest over some axes; NaN where one is among them.
 *
 *     dx = dy / n at each of the n elements that are equal to y, else 0 */
#include "graph/op/reduction.h"
#include "graph/ops.h"

static void min_forward(const struct op_run *run)
{
    reduction_extreme_forward(run, false);
}

static void min_backward(const struct op_run *run)
{
    reduction_extreme_backward(run);
}

static void min_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    reduction_extreme_reference(call, in, out[0], false);
}

static const struct op_example min_examples[] = {REDUCTION_EXAMPLES(OP_FILL_APART)};

extern const struct op op_min;
const struct op op_min = {
    .summary = "smallest over axes", .prepare = reduction_extreme_prepare, REDUCTION_MEMBERS(min)};

struct node *graph_min(struct graph *graph, struct node *x, unsigned axes, bool keep)
{
    struct reduction_attributes attributes = {axes, keep};
    return graph_call(graph, &op_min, &attributes, 1, &x);
}
