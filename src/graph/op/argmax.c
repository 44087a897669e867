/* argmax: the index of the first largest value along the last axis.
 *
 * x [...,K] -> i32 [...]. No gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

static enum status argmax_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "rows of real numbers, [..., K]"));
    call->out[0] = (struct tensor_spec){ELEMENT_I32, shape_of(call->in[0].shape.rank - 1, call->in[0].shape.dim)};
    return STATUS_OK;
}

static void argmax_forward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->argmax_rows(run->in[0], last_axis_rows(shape), last_axis_columns(shape), run->out[0]);
}

static void argmax_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t k = call->in[0].shape.dim[call->in[0].shape.rank - 1], rows = shape_elements(&call->out[0].shape);
    for (int64_t b = 0; b < rows; b++) {
        const double *x = in[0] + b * k;
        int64_t best = k - 1;
        for (int64_t i = k - 1; i >= 0; i--) {
            best = x[i] >= x[best] ? i : best;
        }
        out[0][b] = (double)best;
    }
}

static const struct op_example argmax_examples[] = {
    {.name = "ten classes", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 10}}}},
    {.name = "one class", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 1}}}},
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 1, 17}}}},
    {.name = "a vector", .n_inputs = 1, .in = {{.rank = 1, .dim = {9}}}},
};

extern const struct op op_argmax;
const struct op op_argmax = {
    .name = "argmax",
    .summary = "index of the first largest value of the last axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = argmax_shape,
    .batch = last_axis_batch,
    .forward = argmax_forward,
    .reference = argmax_reference,
    .examples = argmax_examples,
    .n_examples = sizeof(argmax_examples) / sizeof(argmax_examples[0]),
};

struct node *graph_argmax(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_argmax, NULL, 1, &x);
}
