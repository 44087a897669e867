/* log_softmax: logarithms of probabilities along the last axis.
 *
 *     y_k = x_k - max x - log sum_j exp(x_j - max x);  dx_k = dy_k - exp(y_k) sum_j dy_j */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

static enum status log_softmax_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "rows of real numbers, [..., K]"));
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum status log_softmax_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_outputs = 1;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void log_softmax_forward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->log_softmax_rows(run->in[0], last_axis_rows(shape), last_axis_columns(shape), run->out[0],
                                 run->threads);
}

static void log_softmax_backward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->log_softmax_rows_backward(run->out[0], run->d_out[0], last_axis_rows(shape), last_axis_columns(shape),
                                          run->d_in[0], run->add[0], run->threads);
}

static void log_softmax_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t k = call->in[0].shape.dim[call->in[0].shape.rank - 1], n = shape_elements(&call->in[0].shape);
    for (int64_t row = 0; row < n; row += k) {
        const double *x = in[0] + row;
        double *y = out[0] + row;
        double largest = x[0], sum = 0;
        for (int64_t i = 0; i < k; i++) {
            largest = fmax(largest, x[i]);
        }
        for (int64_t i = 0; i < k; i++) {
            sum += exp(x[i] - largest);
        }
        for (int64_t i = 0; i < k; i++) {
            y[i] = x[i] - largest - log(sum);
        }
    }
}

static const struct op_example log_softmax_examples[] = {
    {.name = "ten classes", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 10}}}},
    {.name = "batch 1, 17 classes", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 17}}}},
    {.name = "one class", .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 1}}}},
    {.name = "a vector", .n_inputs = 1, .in = {{.rank = 1, .dim = {16}}}},
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 1, 3}}}},
    {.name = "wide rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {2, 131}}}},
};

extern const struct op op_log_softmax;
const struct op op_log_softmax = {
    .name = "log_softmax",
    .summary = "logarithm of softmax over the last axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = log_softmax_shape,
    .batch = last_axis_batch,
    .prepare = log_softmax_prepare,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
    .reference = log_softmax_reference,
    .examples = log_softmax_examples,
    .n_examples = sizeof(log_softmax_examples) / sizeof(log_softmax_examples[0]),
};

struct node *graph_log_softmax(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_log_softmax, NULL, 1, &x);
}
