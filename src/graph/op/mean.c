/* mean: the mean over some axes.
 *
 *     y = 1/n sum over the axes of x;  dx = dy / n */
#include "graph/op/reduction.h"
#include "graph/ops.h"

static void mean_forward(const struct op_run *run)
{
    reduction_forward(run, 1 / (double)reduction_count(run->call));
}

static void mean_backward(const struct op_run *run)
{
    reduction_backward(run, 1 / (double)reduction_count(run->call));
}

static void mean_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t n = shape_elements(&call->in[0].shape), outputs = shape_elements(&call->out[0].shape);
    for (int64_t o = 0; o < outputs; o++)
        out[0][o] = 0;
    for (int64_t i = 0; i < n; i++)
        out[0][reduction_place(call, i)] += in[0][i] * (double)outputs / (double)n;
}

static const struct op_example mean_examples[] = {REDUCTION_EXAMPLES(OP_FILL_NORMAL)};

extern const struct op op_mean;
const struct op op_mean = {.summary = "mean over axes", .prepare = reduction_prepare, REDUCTION_MEMBERS(mean)};

struct node *graph_mean(struct graph *graph, struct node *x, unsigned axes, bool keep)
{
    struct reduction_attributes attributes = {axes, keep};
    return graph_call(graph, &op_mean, &attributes, 1, &x);
}
