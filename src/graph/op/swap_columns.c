/* swap_columns: two elements of each row change places.
 *
 * x [B,K], a, b i32 [B] -> [B,K]: the elements at a[b] and b[b] exchanged; a negative index leaves the row as it is.
 * The gradient is exchanged alike. */
#include "graph/op/expect.h"
#include "graph/ops.h"

static enum status swap_columns_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "real numbers [B,K]"));
    for (int i = 1; i < 3; i++) {
        RETURN_IF(expect_input(call, i, ELEMENT_I32, 1, 1, "indices of columns, i32 [B]"));
        if (call->in[i].shape.dim[0] != call->in[0].shape.dim[0]) {
            return expect_failure(call, i, "an index of a column, i32 [B], for each row");
        }
    }
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum status swap_columns_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 6;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void swap_columns_forward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    run->table->swap_columns(run->in[0], run->in[1], run->in[2], dim[0], dim[1], run->out[0], false);
}

static void swap_columns_backward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    run->table->swap_columns(run->d_out[0], run->in[1], run->in[2], dim[0], dim[1], run->d_in[0], run->add[0]);
}

static void swap_columns_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t rows = call->in[0].shape.dim[0], k = call->in[0].shape.dim[1];
    for (int64_t b = 0; b < rows; b++) {
        double first = in[1][b], second = in[2][b];
        for (int64_t i = 0; i < k; i++) {
            bool none = first < 0 || second < 0 || first >= (double)k || second >= (double)k;
            double from = none ? (double)i : (double)i == first ? second : (double)i == second ? first : (double)i;
            out[0][b * k + i] = in[0][b * k + (int64_t)from];
        }
    }
}

static const struct op_example swap_columns_examples[] = {
    {.name = "ten columns",
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {7, 10}},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {7}, .limit = 10},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {7}, .limit = 10}}},
    {.name = "indices missing, and equal ones",
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {17, 3}},
            {.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {17}, .limit = 3},
            {.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {17}, .limit = 3}}},
    {.name = "batch 1, one column",
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {1, 1}},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 1},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 1}}},
};

extern const struct op op_swap_columns;
const struct op op_swap_columns = {
    .name = "swap_columns",
    .summary = "two elements of each row exchanged",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 1,
    .shape = swap_columns_shape,
    .prepare = swap_columns_prepare,
    .forward = swap_columns_forward,
    .backward = swap_columns_backward,
    .reference = swap_columns_reference,
    .examples = swap_columns_examples,
    .n_examples = sizeof(swap_columns_examples) / sizeof(swap_columns_examples[0]),
};

struct node *graph_swap_columns(struct graph *graph, struct node *x, struct node *a, struct node *b)
{
    return graph_call(graph, &op_swap_columns, NULL, 3, (struct node *[]){x, a, b});
}
