/* mean_square: the mean of squares over the last axes, or over all but the last, of numbers or of the difference of two
 * tensors of one shape.
 *
 *     y = 1/n sum over the axes of (a - b)^2, without b of a^2;  da = 2 dy (a - b) / n;  db = -da
 *
 * What mean(square(a - b)) becomes in a program (squares.c): nothing of the inputs' size is written but the gradients. */
#include "graph/op/expect.h"
#include "graph/op/reduction.h"
#include "graph/ops.h"
#include "kernel/reduce.h"

static enum status mean_square_shape(struct op_call *call)
{
    const struct reduction_attributes *attributes = call->attributes;
    RETURN_IF(reduction_shape(call));
    if (!reduction_trailing(&call->in[0].shape, attributes->axes) &&
        !reduction_leaves_last(&call->in[0].shape, attributes->axes))
        return expect_failure(call, 0, "the last axes to be averaged over, or all but the last");
    if (call->n_inputs > 1 &&
        (call->in[1].element != ELEMENT_REAL || !shape_equal(&call->in[0].shape, &call->in[1].shape)))
        return expect_failure(call, 1, "real numbers of the first one's shape");
    return STATUS_OK;
}

/* columns_stay: the last axis is what is not averaged over. */
static bool columns_stay(const struct op_call *call)
{
    const struct reduction_attributes *attributes = call->attributes;
    return !reduction_trailing(&call->in[0].shape, attributes->axes);
}

static int64_t sums_of(const struct op_call *call)
{
    const int64_t n = reduction_count(call);
    return shape_elements(&call->out[0].shape) * (columns_stay(call) ? mean_square_stripes(n) : mean_squares_pieces(n));
}

static enum status mean_square_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = call->n_inputs > 1 ? 3 : 1;
    needs->forward_scratch = (size_t)sums_of(call) * sizeof(double);
    return STATUS_OK;
}

static void mean_square_forward(const struct op_run *run)
{
    const int64_t n = reduction_count(run->call), outputs = shape_elements(&run->call->out[0].shape);
    const void *other = run->call->n_inputs > 1 ? run->in[1] : NULL;
    if (columns_stay(run->call))
        run->table->mean_square_columns(n, outputs, run->in[0], other, 1 / (double)n, run->scratch, run->out[0],
                                        run->threads);
    else
        run->table->mean_squares(outputs, n, run->in[0], other, 1 / (double)n, run->scratch, run->out[0], run->threads);
}

static void mean_square_backward(const struct op_run *run)
{
    const int64_t n = reduction_count(run->call), outputs = shape_elements(&run->call->out[0].shape);
    const bool two = run->call->n_inputs > 1;
    const void *other = two ? run->in[1] : NULL;
    void *d_other = two ? run->d_in[1] : NULL;
    const bool add_other = two && run->add[1];
    if (columns_stay(run->call))
        run->table->mean_square_columns_backward(n, outputs, run->in[0], other, run->d_out[0], 1 / (double)n,
                                                 run->d_in[0], run->add[0], d_other, add_other, run->threads);
    else
        run->table->mean_squares_backward(outputs, n, run->in[0], other, run->d_out[0], 1 / (double)n, run->d_in[0],
                                          run->add[0], d_other, add_other, run->threads);
}

static void mean_square_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t n = shape_elements(&call->in[0].shape), outputs = shape_elements(&call->out[0].shape);
    for (int64_t o = 0; o < outputs; o++)
        out[0][o] = 0;
    for (int64_t i = 0; i < n; i++) {
        const double apart = in[0][i] - (call->n_inputs > 1 ? in[1][i] : 0);
        out[0][reduction_place(call, i)] += apart * apart * (double)outputs / (double)n;
    }
}

static const struct reduction_attributes whole = {0xF, false}, last = {2, true}, last_two = {6, false},
                                         none = {0, false}, channels = {7, false}, first = {1, true};
static const struct op_example mean_square_examples[] = {
    {.name = "a map", .attributes = &whole, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 5, 3, 17}}}},
    {.name = "of a difference",
     .attributes = &whole,
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {2, 5, 3, 7}}, {.rank = 4, .dim = {2, 5, 3, 7}}}},
    {.name = "of a difference from a constant",
     .attributes = &last,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 19}}, {.rank = 2, .dim = {5, 19}, .constant = true}}},
    {.name = "rows", .attributes = &last, .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 16}}}},
    {.name = "rows side by side",
     .attributes = &last,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {37, 48}}, {.rank = 2, .dim = {37, 48}}}},
    {.name = "two axes", .attributes = &last_two, .n_inputs = 1, .in = {{.rank = 3, .dim = {3, 4, 5}}}},
    {.name = "a scalar", .attributes = &none, .n_inputs = 2, .in = {{.rank = 0, .dim = {0}}, {.rank = 0, .dim = {0}}}},
    {.name = "channels of a map, of a difference",
     .attributes = &channels,
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {2, 5, 11, 19}}, {.rank = 4, .dim = {2, 5, 11, 19}}}},
    {.name = "columns", .attributes = &first, .n_inputs = 1, .in = {{.rank = 2, .dim = {71, 3}}}},
    {.name = "columns of many rows", .attributes = &first, .n_inputs = 1, .in = {{.rank = 2, .dim = {2049, 2}}}},
    {.name = "longer than a chunk", .attributes = &last, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 5003}}}},
};

extern const struct op op_mean_square;
const struct op op_mean_square = {
    .name = "mean_square",
    .summary = "mean of squares over the last axes or all but the last, of one or of the difference of two",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs = 1,
    .attributes_size = sizeof(struct reduction_attributes),
    .shape = mean_square_shape,
    .batch = reduction_batch,
    .prepare = mean_square_prepare,
    .forward = mean_square_forward,
    .backward = mean_square_backward,
    .reference = mean_square_reference,
    .examples = mean_square_examples,
    .n_examples = sizeof(mean_square_examples) / sizeof(mean_square_examples[0]),
};
