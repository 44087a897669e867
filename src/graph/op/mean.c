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
    const struct reduction_attributes *attributes = call->attributes;
    const struct shape *shape = &call->in[0].shape;
    int64_t n = shape_elements(shape), outputs = shape_elements(&call->out[0].shape);
    for (int64_t o = 0; o < outputs; o++) {
        out[0][o] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, o = 0, step = 1;
        for (int axis = shape->rank - 1; axis >= 0; axis--) {
            if (!(attributes->axes >> axis & 1U)) {
                o += rest % shape->dim[axis] * step;
                step *= shape->dim[axis];
            }
            rest /= shape->dim[axis];
        }
        out[0][o] += in[0][i] * (double)outputs / (double)n;
    }
}

static const struct reduction_attributes all_of_map = {0xF, false}, rows = {0xE, false}, last = {1U << 2, false};
static const struct reduction_attributes last_kept = {1U << 1, true}, all_but_last = {0x7, false}, apart = {0xA, true};
static const struct reduction_attributes first_and_last = {0x9, false}, none = {0, false}, first = {1, true};
static const struct op_example mean_examples[] = {
    {.name = "whole map", .attributes = &all_of_map, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 5, 3, 17}}}},
    {.name = "rows of a map", .attributes = &rows, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 5, 5, 3}}}},
    {.name = "last axis", .attributes = &last, .n_inputs = 1, .in = {{.rank = 3, .dim = {4, 3, 10}}}},
    {.name = "last axis kept, batch 1", .attributes = &last_kept, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 7}}}},
    {.name = "all but the last axis",
     .attributes = &all_but_last,
     .n_inputs = 1,
     .in = {{.rank = 4, .dim = {5, 7, 3, 17}}}},
    {.name = "wide columns", .attributes = &first, .n_inputs = 1, .in = {{.rank = 2, .dim = {35, 259}}}},
    {.name = "alternating axes", .attributes = &apart, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 4, 5, 6}}}},
    {.name = "first and last axis",
     .attributes = &first_and_last,
     .n_inputs = 1,
     .in = {{.rank = 4, .dim = {3, 4, 1, 6}}}},
    {.name = "longer than a chunk", .attributes = &first, .n_inputs = 1, .in = {{.rank = 1, .dim = {5003}}}},
    {.name = "a scalar", .attributes = &none, .n_inputs = 1, .in = {{.rank = 0}}},
    {.name = "no axis", .attributes = &none, .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 2}}}},
};

extern const struct op op_mean;
const struct op op_mean = {
    .name = "mean",
    .summary = "mean over axes",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct reduction_attributes),
    .shape = reduction_shape,
    .batch = reduction_batch,
    .prepare = reduction_prepare,
    .forward = mean_forward,
    .backward = mean_backward,
    .reference = mean_reference,
    .examples = mean_examples,
    .n_examples = sizeof(mean_examples) / sizeof(mean_examples[0]),
};

struct node *graph_mean(struct graph *graph, struct node *x, unsigned axes, bool keep)
{
    struct reduction_attributes attributes = {axes, keep};
    return graph_call(graph, &op_mean, &attributes, 1, &x);
}
