/* standardise_rows: each row of the last axis to mean 0 and deviation 1.
 *
 *     y = (x - mean) / (1e-7 + s),  s^2 = sum (x - mean)^2 / (K - 1)
 *
 * A row with s below 1e-6 of its largest magnitude (a constant one) becomes 0, with zero gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

static enum status standardise_rows_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "rows of real numbers, [..., K]"));
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum status standardise_rows_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void standardise_rows_forward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->standardise_rows(run->in[0], last_axis_rows(shape), last_axis_columns(shape), run->out[0]);
}

static void standardise_rows_backward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->standardise_rows_backward(run->in[0], run->d_out[0], last_axis_rows(shape), last_axis_columns(shape),
                                          run->d_in[0], run->add[0]);
}

static void standardise_rows_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t k = call->in[0].shape.dim[call->in[0].shape.rank - 1], n = shape_elements(&call->in[0].shape);
    for (int64_t row = 0; row < n; row += k) {
        const double *x = in[0] + row;
        double *y = out[0] + row;
        double mean = 0, squares = 0, largest = 0;
        for (int64_t i = 0; i < k; i++) {
            mean += x[i] / (double)k;
            largest = fmax(largest, fabs(x[i]));
        }
        for (int64_t i = 0; i < k; i++) {
            squares += (x[i] - mean) * (x[i] - mean);
        }
        double deviation = k > 1 ? sqrt(squares / (double)(k - 1)) : 0;
        bool flat = deviation == 0 || deviation < 1e-6 * largest;
        for (int64_t i = 0; i < k; i++) {
            y[i] = flat ? 0 : (x[i] - mean) / (1e-7 + deviation);
        }
    }
}

static const struct op_example standardise_rows_examples[] = {
    {.name = "ten classes", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 10}}}},
    {.name = "batch 1, 17 classes", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 17}}}},
    {.name = "one class", .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 1}}}},
    {.name = "a vector", .n_inputs = 1, .in = {{.rank = 1, .dim = {16}}}},
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 1, 3}}}},
    {.name = "three columns", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 3}}}},
    {.name = "wide rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {2, 131}}}},
};

extern const struct op op_standardise_rows;
const struct op op_standardise_rows = {
    .name = "standardise_rows",
    .summary = "rows of the last axis to mean 0 and deviation 1",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = standardise_rows_shape,
    .batch = last_axis_batch,
    .prepare = standardise_rows_prepare,
    .forward = standardise_rows_forward,
    .backward = standardise_rows_backward,
    .reference = standardise_rows_reference,
    .examples = standardise_rows_examples,
    .n_examples = sizeof(standardise_rows_examples) / sizeof(standardise_rows_examples[0]),
};

struct node *graph_standardise_rows(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_standardise_rows, NULL, 1, &x);
}
