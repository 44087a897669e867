/* sum: the sum over some axes.
 *
 *     y = sum over the axes of x;  dx = dy */
#include "graph/op/reduction.h"
#include "graph/ops.h"

static void sum_forward(const struct op_run *run)
{
    reduction_forward(run, 1);
}

static void sum_backward(const struct op_run *run)
{
    reduction_backward(run, 1);
}

static void sum_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t o = 0; o < shape_elements(&call->out[0].shape); o++)
        out[0][o] = 0;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[0][reduction_place(call, i)] += in[0][i];
}

static const struct op_example sum_examples[] = {REDUCTION_EXAMPLES(OP_FILL_NORMAL)};

extern const struct op op_sum;
const struct op op_sum = {.summary = "sum over axes", .prepare = reduction_prepare, REDUCTION_MEMBERS(sum)};

struct node *graph_sum(struct graph *graph, struct node *x, unsigned axes, bool keep)
{
    struct reduction_attributes attributes = {axes, keep};
    return graph_call(graph, &op_sum, &attributes, 1, &x);
}
