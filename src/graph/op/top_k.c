/* top_k: the k largest of each row, the largest first; of equal ones that with the lower index.
 *
 * x [..., K] -> values [..., k], index i32 [..., k]: values[r, i] = x[r, index[r, i]]. A NaN is larger than all numbers.
 * The gradient of a value goes to where it came from. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct top_k_attributes {
    int64_t k;
};

static enum status top_k_shape(struct op_call *call)
{
    const struct top_k_attributes *attributes = call->attributes;
    const struct shape *in = &call->in[0].shape;
    char text[SHAPE_TEXT_SIZE];
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "rows of real numbers, [..., K]"));
    const int64_t columns = in->dim[in->rank - 1];
    if (attributes->k < 1 || attributes->k > columns)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected k from 1 to the length of a row of %s, found %lld",
                    call->name, shape_text(in, text), (long long)attributes->k);
    for (int i = 0; i < 2; i++) {
        call->out[i] = (struct tensor_spec){i == 0 ? ELEMENT_REAL : ELEMENT_I32, *in};
        call->out[i].shape.dim[in->rank - 1] = attributes->k;
    }
    return STATUS_OK;
}

static enum status top_k_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_outputs = 2;
    return STATUS_OK;
}

static void top_k_forward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->top_k_rows(run->in[0], last_axis_rows(shape), last_axis_columns(shape),
                           last_axis_columns(&run->call->out[0].shape), run->out[0], run->out[1]);
}

static void top_k_backward(const struct op_run *run)
{
    const struct shape *shape = &run->call->in[0].shape;
    run->table->top_k_rows_backward(run->d_out[0], run->out[1], last_axis_rows(shape), last_axis_columns(shape),
                                    last_axis_columns(&run->call->out[0].shape), run->d_in[0], run->add[0]);
}

/* In the order of how many numbers of the row stand before a number. */
static void top_k_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct top_k_attributes *attributes = call->attributes;
    const int64_t columns = call->in[0].shape.dim[call->in[0].shape.rank - 1], k = attributes->k;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        const double *row = in[0] + i / columns * columns;
        int64_t before = 0;
        for (int64_t j = 0; j < columns; j++)
            before += row[j] > in[0][i] || (row[j] == in[0][i] && j < i % columns);
        if (before < k) {
            out[0][i / columns * k + before] = in[0][i];
            out[1][i / columns * k + before] = (double)(i % columns);
        }
    }
}

static const struct top_k_attributes one = {1}, three = {3}, five = {5};
static const struct op_example top_k_examples[] = {
    {.name = "three of ten",
     .attributes = &three,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {7, 10}}}},
    {.name = "all of five, batch 1",
     .attributes = &five,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {1, 5}}}},
    {.name = "the only one",
     .attributes = &one,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 2, .dim = {3, 1}}}},
    {.name = "a map",
     .attributes = &one,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 2, 3, 17}}}},
    {.name = "a vector", .attributes = &three, .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 1, .dim = {9}}}},
};

extern const struct op op_top_k;
const struct op op_top_k = {
    .name = "top_k",
    .summary = "the k largest of each row, and where they were",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .attributes_size = sizeof(struct top_k_attributes),
    .shape = top_k_shape,
    .batch = last_axis_batch,
    .prepare = top_k_prepare,
    .forward = top_k_forward,
    .backward = top_k_backward,
    .reference = top_k_reference,
    .examples = top_k_examples,
    .n_examples = sizeof(top_k_examples) / sizeof(top_k_examples[0]),
};

struct node *graph_top_k(struct graph *graph, struct node *x, int64_t k)
{
    struct top_k_attributes attributes = {k};
    return graph_call(graph, &op_top_k, &attributes, 1, &x);
}
