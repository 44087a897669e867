/* linear: y = x W^T + bias, over the last axis.
 *
 * x [..., D], weight [O,D], bias [O] -> [..., O]
 *
 *     dx = dy W;  dW = dy^T x;  dbias = the sum of dy's rows */
#include "graph/op/linear.h"

#include "graph/op/expect.h"
#include "graph/op/product.h"

#include <assert.h>
#include <math.h>

struct linear_plan {
    struct context *ctx;
    struct product forward, data, weights;
    bool turned; /* weights' product is made as x^T dy [D,O] and turned around after */
    int64_t rows, in, out;
};

static enum status linear_shape(struct op_call *call)
{
    const struct linear_attributes *a = call->attributes;
    char text[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "x of real numbers [..., D]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 2, 2, "a weight [O,D] of real numbers"));
    const struct shape *x = &call->in[0].shape, *weight = &call->in[1].shape;
    if (call->n_inputs != 2 + a->has_bias)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected %d inputs, found %d", call->name, 2 + a->has_bias,
                    call->n_inputs);
    if (weight->dim[0] < 1 || weight->dim[1] < 1 || x->dim[x->rank - 1] != weight->dim[1])
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: a weight %s expects x [..., %lld], found %s", call->name,
                    shape_text(weight, text), (long long)weight->dim[1], shape_text(x, found));
    if (a->has_bias) {
        RETURN_IF(expect_input(call, 2, ELEMENT_REAL, 1, 1, "a bias [O] of real numbers"));
        if (call->in[2].shape.dim[0] != weight->dim[0])
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: a weight %s expects a bias [%lld], found %s", call->name,
                        shape_text(weight, text), (long long)weight->dim[0], shape_text(&call->in[2].shape, found));
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, *x};
    call->out[0].shape.dim[x->rank - 1] = weight->dim[0];
    return STATUS_OK;
}

static double limit_of(enum activation activation)
{
    return activation == ACTIVATION_RELU ? INFINITY : activation == ACTIVATION_RELU6 ? 6 : -1;
}

static void linear_release(void *plan)
{
    struct linear_plan *p = plan;
    if (!p)
        return;
    product_release(&p->forward);
    product_release(&p->data);
    product_release(&p->weights);
    memory_free(p->ctx, p);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum status backward_prepare(const struct op_call *call, struct linear_plan *p, struct op_needs *needs)
{
    const int64_t m = p->rows, d = p->in, o = p->out;
    const size_t size = element_size(call->in[0].element);
    const struct product_shape data = {
        .m = m, .n = d, .k = o, .a_row = o, .a_k = 1, .b_k = d, .b_n = 1, .c_row = d, .limit = -1};
    /* The second factor is packed: the smaller of x and dy. */
    const struct product_shape plain = {
        .m = o, .n = d, .k = m, .a_row = 1, .a_k = o, .b_k = d, .b_n = 1, .c_row = d, .limit = -1};
    const struct product_shape turned = {
        .m = d, .n = o, .k = m, .a_row = 1, .a_k = d, .b_k = o, .b_n = 1, .c_row = o, .limit = -1};
    p->turned = o <= d;
    RETURN_IF(product_prepare(call, &data, false, &p->data));
    RETURN_IF(product_prepare(call, p->turned ? &turned : &plain, false, &p->weights));
    size_t weights = p->weights.packed_bytes + p->weights.scratch_bytes;
    if (p->turned)
        weights += bytes_rounded((size_t)(o * d) * size);
    needs->backward_scratch =
        larger(larger(p->data.packed_bytes + p->data.scratch_bytes, weights), column_sum_scratch(o, size));
    needs->reads_inputs = 1U << 0 | 1U << 1;
    return STATUS_OK;
}

static enum status linear_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct linear_attributes *a = call->attributes;
    struct linear_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    p->rows = last_axis_rows(&call->in[0].shape);
    p->out = call->in[1].shape.dim[0];
    p->in = call->in[1].shape.dim[1];
    const struct product_shape forward = {.m = p->rows,
                                          .n = p->out,
                                          .k = p->in,
                                          .a_row = p->in,
                                          .a_k = 1,
                                          .b_k = 1,
                                          .b_n = p->in,
                                          .c_row = p->out,
                                          .limit = limit_of(a->activation)};
    enum status status = product_prepare(call, &forward, a->has_bias, &p->forward);
    if (status == STATUS_OK && backward)
        status = backward_prepare(call, p, needs);
    if (status != STATUS_OK) {
        linear_release(p);
        return status;
    }
    needs->plan = p;
    needs->kernel = p->forward.kernel;
    needs->derived_bytes = p->forward.packed_bytes;
    needs->forward_scratch = p->forward.scratch_bytes;
    return STATUS_OK;
}

static void linear_forward(const struct op_run *run)
{
    const struct linear_attributes *a = run->call->attributes;
    const struct linear_plan *p = run->plan;
    const void *bias = a->has_bias ? run->in[2] : NULL;
    if (run->derived_stale)
        product_pack(&p->forward, run, run->in[1], bias, run->derived);
    /* The weight is b, turned: b[k][n] = W[n][k]. */
    product_run(&p->forward, run, false, run->in[0], run->in[1], bias, run->derived, run->out[0], run->scratch);
}

static void weights_backward(const struct op_run *run)
{
    const struct linear_plan *p = run->plan;
    const void *x = run->in[0], *dy = run->d_out[0];
    const void *a = p->turned ? x : dy, *b = p->turned ? dy : x;
    char *packed = run->scratch, *scratch = packed + p->weights.packed_bytes,
         *turned = scratch + p->weights.scratch_bytes;
    product_pack(&p->weights, run, b, NULL, packed);
    if (p->turned) {
        product_run(&p->weights, run, false, a, b, NULL, packed, turned, scratch);
        run->table->transpose_axes(turned, 2, (int64_t[]){p->out, p->in}, (int64_t[]){1, p->out}, run->d_in[1],
                                   run->add[1], 1);
    } else {
        product_run(&p->weights, run, run->add[1], a, b, NULL, packed, run->d_in[1], scratch);
    }
}

static void linear_backward(const struct op_run *run)
{
    const struct linear_attributes *a = run->call->attributes;
    const struct linear_plan *p = run->plan;
    assert(a->activation == ACTIVATION_NONE);
    if (run->d_in[0]) {
        char *packed = run->scratch;
        product_pack(&p->data, run, run->in[1], NULL, packed);
        product_run(&p->data, run, run->add[0], run->d_out[0], run->in[1], NULL, packed, run->d_in[0],
                    packed + p->data.packed_bytes);
    }
    if (run->d_in[1])
        weights_backward(run);
    if (a->has_bias && run->d_in[2])
        run->table->column_sum(p->rows, p->out, run->d_out[0], run->add[2], run->d_in[2], run->scratch, run->threads);
}

static void linear_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct linear_attributes *a = call->attributes;
    const int64_t n = call->in[1].shape.dim[0], d = call->in[1].shape.dim[1];
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        double sum = a->has_bias ? in[2][i % n] : 0;
        for (int64_t k = 0; k < d; k++)
            sum += in[0][i / n * d + k] * in[1][i % n * d + k];
        if (a->activation != ACTIVATION_NONE)
            sum = sum < 0 ? 0 : sum;
        if (a->activation == ACTIVATION_RELU6)
            sum = sum > 6 ? 6 : sum;
        out[0][i] = sum;
    }
}

static double linear_macs(const struct op_call *call)
{
    return (double)shape_elements(&call->out[0].shape) * (double)call->in[1].shape.dim[1];
}

static const struct linear_attributes with_bias = {.has_bias = true}, bare = {.has_bias = false};
static const struct linear_attributes with_relu = {.has_bias = true, .activation = ACTIVATION_RELU};
static const struct linear_attributes with_relu6 = {.activation = ACTIVATION_RELU6};
static const struct op_example linear_examples[] = {
    {.name = "logits",
     .attributes = &with_bias,
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {5, 17}}, {.rank = 2, .dim = {10, 17}}, {.rank = 1, .dim = {10}}}},
    {.name = "wider out than in, no bias",
     .attributes = &bare,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {13, 3}}, {.rank = 2, .dim = {31, 3}}}},
    {.name = "batch 1, one feature",
     .attributes = &with_bias,
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {1, 1}}, {.rank = 2, .dim = {1, 1}}, {.rank = 1, .dim = {1}}}},
    {.name = "a map's last axis",
     .attributes = &with_bias,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {2, 3, 5, 4}}, {.rank = 2, .dim = {12, 4}}, {.rank = 1, .dim = {12}}}},
    {.name = "many features",
     .attributes = &with_bias,
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {3, 411}}, {.rank = 2, .dim = {7, 411}}, {.rank = 1, .dim = {7}}}},
    {.name = "relu",
     .attributes = &with_relu,
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {9, 6}, .constant = true},
            {.rank = 2, .dim = {25, 6}, .constant = true},
            {.rank = 1, .dim = {25}, .constant = true}}},
    {.name = "relu6",
     .attributes = &with_relu6,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {4, 400}, .constant = true}, {.rank = 2, .dim = {8, 400}, .constant = true}}},
};

extern const struct op op_linear;
const struct op op_linear = {
    .name = "linear",
    .summary = "x W^T + bias over the last axis",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .attributes_size = sizeof(struct linear_attributes),
    .shape = linear_shape,
    .batch = last_axis_batch,
    .prepare = linear_prepare,
    .release = linear_release,
    .forward = linear_forward,
    .backward = linear_backward,
    .reference = linear_reference,
    .examples = linear_examples,
    .n_examples = sizeof(linear_examples) / sizeof(linear_examples[0]),
    .macs = linear_macs,
};

struct node *graph_linear(struct graph *graph, struct node *x, struct node *weight, struct node *bias)
{
    struct node *inputs[] = {x, weight, bias};
    const struct linear_attributes attributes = {.has_bias = bias != NULL};
    return graph_call(graph, &op_linear, &attributes, bias ? 3 : 2, inputs);
}
