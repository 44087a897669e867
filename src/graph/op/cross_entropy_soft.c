/* cross_entropy_soft: cross entropy of each row with targets that are probabilities.
 *
 *     loss_b = -sum_k t_bk log softmax(x_b)_k
 *     dx_bk = d_loss_b (softmax(x_b)_k sum_j t_bj - t_bk),  dt_bk = -d_loss_b log softmax(x_b)_k
 *
 * x, t [B,K] -> [B]. Rows of t need not add up to 1. */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

static enum status cross_entropy_soft_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "logits, real [B,K]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 2, 2, "targets, real [B,K]"));
    if (!shape_equal(&call->in[0].shape, &call->in[1].shape)) {
        return expect_failure(call, 1, "targets of the logits' shape");
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, {1, {call->in[0].shape.dim[0]}}};
    return STATUS_OK;
}

static enum status cross_entropy_soft_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    needs->kernel = "loop";
    if (backward) {
        needs->saved_bytes = 2 * (size_t)call->in[0].shape.dim[0] * element_size(call->in[0].element);
        needs->reads_inputs = 3;
    }
    return STATUS_OK;
}

static void cross_entropy_soft_forward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    run->table->cross_entropy_soft_rows(run->in[0], run->in[1], dim[0], dim[1], run->out[0],
                                        run->keep ? run->saved : NULL);
}

static void cross_entropy_soft_backward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    run->table->cross_entropy_soft_rows_backward(run->in[0], run->in[1], run->saved, run->d_out[0], dim[0], dim[1],
                                                 run->d_in[0], run->add[0], run->d_in[1], run->add[1]);
}

static void cross_entropy_soft_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t rows = call->in[0].shape.dim[0], k = call->in[0].shape.dim[1];
    for (int64_t b = 0; b < rows; b++) {
        const double *x = in[0] + b * k, *t = in[1] + b * k;
        double largest = x[0], sum = 0;
        for (int64_t i = 0; i < k; i++) {
            largest = fmax(largest, x[i]);
        }
        for (int64_t i = 0; i < k; i++) {
            sum += exp(x[i] - largest);
        }
        out[0][b] = 0;
        for (int64_t i = 0; i < k; i++) {
            out[0][b] -= t[i] * (x[i] - largest - log(sum));
        }
    }
}

static const struct op_example cross_entropy_soft_examples[] = {
    {.name = "ten classes",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {7, 10}}, {.fill = OP_FILL_PROBABILITY, .rank = 2, .dim = {7, 10}}}},
    {.name = "targets that are no probabilities",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {3, 17}}, {.rank = 2, .dim = {3, 17}}}},
    {.name = "constant targets",
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {2, 33}}, {.fill = OP_FILL_PROBABILITY, .rank = 2, .dim = {2, 33}, .constant = true}}},
    {.name = "batch 1, one class", .n_inputs = 2, .in = {{.rank = 2, .dim = {1, 1}}, {.rank = 2, .dim = {1, 1}}}},
};

extern const struct op op_cross_entropy_soft;
const struct op op_cross_entropy_soft = {
    .name = "cross_entropy_soft",
    .summary = "cross entropy of logits with soft targets, by row",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = cross_entropy_soft_shape,
    .prepare = cross_entropy_soft_prepare,
    .forward = cross_entropy_soft_forward,
    .backward = cross_entropy_soft_backward,
    .reference = cross_entropy_soft_reference,
    .examples = cross_entropy_soft_examples,
    .n_examples = sizeof(cross_entropy_soft_examples) / sizeof(cross_entropy_soft_examples[0]),
};

struct node *graph_cross_entropy_soft(struct graph *graph, struct node *logits, struct node *targets)
{
    return graph_call(graph, &op_cross_entropy_soft, NULL, 2, (struct node *[]){logits, targets});
}
