/* square_distances: between all rows of a matrix.
 *
 *     y_ij = sum_d (x_id - x_jd)^2;  dx_i = 2 sum_j (dy_ij + dy_ji) (x_i - x_j)
 *
 * x [B,D] -> y [B,B]. From the differences themselves: |x_i|^2 + |x_j|^2 - 2 x_i x_j leaves nothing but rounding where
 * rows are nearly equal. */
#include "graph/op/expect.h"
#include "graph/ops.h"

static enum status square_distances_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "a matrix of real numbers, [B,D]"));
    const int64_t rows = call->in[0].shape.dim[0];
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(rows, rows)};
    return STATUS_OK;
}

static enum batch_kind square_distances_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static enum status square_distances_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1;
    return STATUS_OK;
}

static void square_distances_forward(const struct op_run *run)
{
    const int64_t *x = run->call->in[0].shape.dim;
    run->table->square_distances(run->in[0], x[0], x[1], run->out[0], run->threads);
}

static void square_distances_backward(const struct op_run *run)
{
    const int64_t *x = run->call->in[0].shape.dim;
    run->table->square_distances_backward(run->in[0], run->d_out[0], x[0], x[1], run->d_in[0], run->add[0],
                                          run->threads);
}

static void square_distances_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t rows = call->in[0].shape.dim[0], columns = call->in[0].shape.dim[1];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < rows; j++) {
            double sum = 0;
            for (int64_t d = 0; d < columns; d++) {
                const double difference = in[0][i * columns + d] - in[0][j * columns + d];
                sum += difference * difference;
            }
            out[0][i * rows + j] = sum;
        }
}

static const struct op_example square_distances_examples[] = {
    {.name = "rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 10}}}},
    {.name = "one row", .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 4}}}},
    {.name = "one column", .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 1}}}},
    {.name = "wide rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 131}}}},
};

extern const struct op op_square_distances;
const struct op op_square_distances = {
    .name = "square_distances",
    .summary = "squared distances between all rows",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = square_distances_shape,
    .batch = square_distances_batch,
    .prepare = square_distances_prepare,
    .forward = square_distances_forward,
    .backward = square_distances_backward,
    .reference = square_distances_reference,
    .examples = square_distances_examples,
    .n_examples = sizeof(square_distances_examples) / sizeof(square_distances_examples[0]),
};

struct node *graph_square_distances(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_square_distances, NULL, 1, &x);
}
