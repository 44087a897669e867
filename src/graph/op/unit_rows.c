/* unit_rows: each row of the last axis to length 1.
 *
 *     y = x / n,  n = |x|;  dx = (dy - y sum dy y) / n
 *
 * A row shorter than 1e-12 becomes 0, with zero gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

static enum status unit_rows_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "rows of real numbers, [..., D]"));
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum status unit_rows_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void unit_rows_forward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->unit_rows(run->in[0], last_axis_rows(shape), last_axis_columns(shape), run->out[0], run->threads);
}

static void unit_rows_backward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->unit_rows_backward(run->in[0], run->d_out[0], last_axis_rows(shape), last_axis_columns(shape),
                                   run->d_in[0], run->add[0], run->threads);
}

static void unit_rows_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t d = call->in[0].shape.dim[call->in[0].shape.rank - 1], n = shape_elements(&call->in[0].shape);
    for (int64_t row = 0; row < n; row += d) {
        double length = 0;
        for (int64_t i = 0; i < d; i++)
            length = hypot(length, in[0][row + i]);
        for (int64_t i = 0; i < d; i++)
            out[0][row + i] = length < 1e-12 ? 0 : in[0][row + i] / length;
    }
}

static const struct op_example unit_rows_examples[] = {
    {.name = "rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 10}}}},
    {.name = "batch 1, 17 columns", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 17}}}},
    {.name = "three columns", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 3}}}},
    {.name = "a vector", .n_inputs = 1, .in = {{.rank = 1, .dim = {16}}}},
    {.name = "a map", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 1, 3}}}},
    {.name = "wide rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {2, 131}}}},
};

extern const struct op op_unit_rows;
const struct op op_unit_rows = {
    .name = "unit_rows",
    .summary = "rows of the last axis to length 1",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = unit_rows_shape,
    .batch = last_axis_batch,
    .prepare = unit_rows_prepare,
    .forward = unit_rows_forward,
    .backward = unit_rows_backward,
    .reference = unit_rows_reference,
    .examples = unit_rows_examples,
    .n_examples = sizeof(unit_rows_examples) / sizeof(unit_rows_examples[0]),
};

struct node *graph_unit_rows(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_unit_rows, NULL, 1, &x);
}
