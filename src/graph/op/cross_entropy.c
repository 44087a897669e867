/* cross_entropy: classification loss of each row, with label smoothing.
 *
 *     loss_b = -sum_k t_bk log softmax(x_b)_k,  t_b = (1-e) one-hot(label_b) + e/K;  0 where label_b is -1
 *     dx_bk = d_loss_b (softmax(x_b)_k - t_bk)
 *
 * x [B,K], labels i32 [B] -> [B]. Label smoothing: Szegedy 2016, arXiv 1512.00567. */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

struct cross_entropy_attributes {
    double smoothing; /* e, in [0, 1) */
};

static enum status cross_entropy_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "logits, real [B,K]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_I32, 1, 1, "labels, i32 [B]"));
    if (call->in[1].shape.dim[0] != call->in[0].shape.dim[0]) {
        return expect_failure(call, 1, "as many labels, i32 [B], as rows of logits");
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, call->in[1].shape};
    return STATUS_OK;
}

static enum status cross_entropy_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    needs->kernel = "loop";
    if (backward) {
        needs->saved_bytes = 2 * (size_t)call->in[0].shape.dim[0] * element_size(call->in[0].element);
        needs->reads_inputs = 3;
    }
    return STATUS_OK;
}

static void cross_entropy_forward(const struct op_run *run)
{
    const struct cross_entropy_attributes *attributes = run->call->attributes;
    const int64_t *dim = run->call->in[0].shape.dim;
    run->table->cross_entropy_rows(run->in[0], run->in[1], dim[0], dim[1], attributes->smoothing, run->out[0],
                                   run->keep ? run->saved : NULL);
}

static void cross_entropy_backward(const struct op_run *run)
{
    const struct cross_entropy_attributes *attributes = run->call->attributes;
    const int64_t *dim = run->call->in[0].shape.dim;
    if (run->d_in[0]) {
        run->table->cross_entropy_rows_backward(run->in[0], run->in[1], run->saved, run->d_out[0], dim[0], dim[1],
                                                attributes->smoothing, run->d_in[0], run->add[0]);
    }
}

static void cross_entropy_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct cross_entropy_attributes *attributes = call->attributes;
    int64_t rows = call->in[0].shape.dim[0], k = call->in[0].shape.dim[1];
    double e = attributes->smoothing;
    for (int64_t b = 0; b < rows; b++) {
        const double *x = in[0] + b * k;
        double largest = x[0], sum = 0, loss = 0;
        for (int64_t i = 0; i < k; i++) {
            largest = fmax(largest, x[i]);
        }
        for (int64_t i = 0; i < k; i++) {
            sum += exp(x[i] - largest);
        }
        for (int64_t i = 0; i < k; i++) {
            double target = ((double)i == in[1][b] ? 1 - e : 0) + e / (double)k;
            loss -= target * (x[i] - largest - log(sum));
        }
        out[0][b] = in[1][b] < 0 ? 0 : loss;
    }
}

static const struct cross_entropy_attributes plain = {0}, smooth = {0.1};
static const struct op_example cross_entropy_examples[] = {
    {.name = "ten classes",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {7, 10}}, {.fill = OP_FILL_CLASS, .rank = 1, .dim = {7}, .limit = 10}}},
    {.name = "smoothed",
     .attributes = &smooth,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 17}}, {.fill = OP_FILL_CLASS, .rank = 1, .dim = {5}, .limit = 17}}},
    {.name = "labels missing",
     .attributes = &smooth,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {19, 2}}, {.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {19}, .limit = 2}}},
    {.name = "batch 1, one class",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {1, 1}}, {.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 1}}},
    {.name = "wide rows",
     .attributes = &smooth,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {3, 131}}, {.fill = OP_FILL_CLASS, .rank = 1, .dim = {3}, .limit = 131}}},
};

extern const struct op op_cross_entropy;
const struct op op_cross_entropy = {
    .name = "cross_entropy",
    .summary = "cross entropy of logits with labels, by row",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .attributes_size = sizeof(struct cross_entropy_attributes),
    .shape = cross_entropy_shape,
    .prepare = cross_entropy_prepare,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
    .reference = cross_entropy_reference,
    .examples = cross_entropy_examples,
    .n_examples = sizeof(cross_entropy_examples) / sizeof(cross_entropy_examples[0]),
};

struct node *graph_cross_entropy(struct graph *graph, struct node *logits, struct node *labels, double smoothing)
{
    struct cross_entropy_attributes attributes = {smoothing};
    return graph_call(graph, &op_cross_entropy, &attributes, 2, (struct node *[]){logits, labels});
}
