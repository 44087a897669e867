/* convolution_transpose: the adjoint of a convolution.
 *
 *     y[b][h*stride - padding + i*dilation][w*… - … + j*…][o] = bias[o] + sum of x[b][h][w][c] * weight[c][o][i][j]
 *
 * x [B,H,W,C], weight [C,O/groups,kh,kw], bias [O] -> [B,H',W',O]. Of the convolution from y to x with the same weight
 * it is the data gradient, and its own data gradient is that convolution's forward; so that convolution's kernels do
 * the work, whatever they are. output_padding says which of the sizes that the convolution maps to H is meant.
 * PyTorch's ConvTranspose2d. */
#include "graph/op/convolution.h"

#include "graph/op/expect.h"
#include "kernel/elementwise.h"

/* The convolution from y to x, as an op of its own whose inputs are y and weight. */
struct transpose_plan {
    struct context *ctx;
    struct op_call call;
    struct convolution_attributes attributes;
    struct op_needs needs;
    size_t derived_at, spare_at; /* in backward's scratch: packed weights, and dx where it is to be added */
};

static enum status attributes_check(const struct op_call *call)
{
    const struct convolution_transpose *t = call->attributes;
    const struct convolution *c = &t->c;
    for (int i = 0; i < 2; i++) {
        if (c->kernel[i] < 1 || c->stride[i] < 1 || c->dilation[i] < 1 || c->padding[i] < 0)
            return fail(
                call->ctx, STATUS_BAD_INPUT,
                "%s: expected kernel, stride and dilation of 1 or more and padding of 0 or more, found %d, %d, %d, %d",
                call->name, c->kernel[i], c->stride[i], c->dilation[i], c->padding[i]);
        const int most = c->stride[i] > c->dilation[i] ? c->stride[i] : c->dilation[i];
        if (t->output_padding[i] < 0 || t->output_padding[i] >= most)
            return fail(call->ctx, STATUS_BAD_INPUT,
                        "%s: expected an output padding from 0 to below the stride or the dilation, %d, found %d",
                        call->name, most, t->output_padding[i]);
    }
    if (c->out < 1 || c->groups < 1 || c->out % c->groups != 0)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a number of outputs that %d groups divide, found %d",
                    call->name, c->groups, c->out);
    return STATUS_OK;
}

static enum status tensors_check(const struct op_call *call)
{
    const struct convolution *c = &((const struct convolution_transpose *)call->attributes)->c;
    char text[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map, real [B,H,W,C]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 4, 4, "a weight, real [C,O/groups,kh,kw]"));
    const int64_t *x = call->in[0].shape.dim;
    if (x[1] < 1 || x[2] < 1 || x[3] < 1 || x[3] % c->groups != 0)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a map whose channels %d groups divide, found %s",
                    call->name, c->groups, shape_text(&call->in[0].shape, text));
    const struct shape weight = SHAPE(x[3], c->out / c->groups, c->kernel[0], c->kernel[1]);
    if (!shape_equal(&weight, &call->in[1].shape))
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a weight %s, found %s", call->name,
                    shape_text(&weight, text), shape_text(&call->in[1].shape, found));
    if (call->n_inputs == 3) {
        RETURN_IF(expect_input(call, 2, ELEMENT_REAL, 1, 1, "one real number a channel"));
        if (call->in[2].shape.dim[0] != c->out)
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a bias [%d], found %s", call->name, c->out,
                        shape_text(&call->in[2].shape, found));
    }
    return STATUS_OK;
}

static enum status transpose_shape(struct op_call *call)
{
    const struct convolution_transpose *t = call->attributes;
    char text[SHAPE_TEXT_SIZE];
    RETURN_IF(attributes_check(call));
    RETURN_IF(tensors_check(call));
    struct shape out = call->in[0].shape;
    out.dim[3] = t->c.out;
    for (int i = 0; i < 2; i++) {
        out.dim[1 + i] = (out.dim[1 + i] - 1) * t->c.stride[i] - 2 * (int64_t)t->c.padding[i] +
                         (int64_t)t->c.dilation[i] * (t->c.kernel[i] - 1) + t->output_padding[i] + 1;
        if (out.dim[1 + i] < 1)
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: a padding of %dx%d leaves nothing of what %s becomes",
                        call->name, t->c.padding[0], t->c.padding[1], shape_text(&call->in[0].shape, text));
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, out};
    return STATUS_OK;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t bytes_of(const struct tensor_spec *spec)
{
    return bytes_rounded((size_t)shape_elements(&spec->shape) * element_size(spec->element));
}

static void transpose_release(void *plan)
{
    struct transpose_plan *p = plan;
    if (!p)
        return;
    convolution_release(p->needs.plan);
    memory_free(p->ctx, p);
}

static enum status transpose_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = STATUS_OK;
    struct transpose_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    p->attributes.c = ((const struct convolution_transpose *)call->attributes)->c;
    p->attributes.c.out = (int)call->in[0].shape.dim[3];
    p->call = (struct op_call){.ctx = call->ctx,
                               .op = call->op,
                               .attributes = &p->attributes,
                               .name = call->name,
                               .n_inputs = 2,
                               .n_outputs = 1,
                               .in = {call->out[0], call->in[1]},
                               .out = {call->in[0]},
                               .kernels = call->kernels};
    TRY(convolution_prepare(&p->call, true, &p->needs)); /* even our forward is a backward pass */
    needs->kernel = p->needs.kernel;
    needs->forward_scratch = p->needs.backward_scratch;
    if (backward) {
        p->derived_at = bytes_rounded(p->needs.forward_scratch);
        p->spare_at = p->derived_at + bytes_rounded(p->needs.derived_bytes);
        needs->backward_scratch =
            larger(larger(p->spare_at + bytes_of(&call->in[0]), p->needs.backward_scratch),
                   column_sum_scratch(call->out[0].shape.dim[3], element_size(call->in[0].element)));
        needs->reads_inputs = 1U << 0 | 1U << 1;
    }
    needs->plan = p;
    p = NULL;
cleanup:
    transpose_release(p);
    return status;
}

/* adjoint: one gradient of the inner convolution, whose output's gradient is our x: of its data (y) or of its weight.
 * */
static void adjoint(const struct op_run *run, const void *y, void *d_y, void *d_weight)
{
    const struct transpose_plan *p = run->plan;
    const void *in[] = {y, run->in[1]}, *d_out[] = {run->in[0]};
    void *d_in[] = {d_y, d_weight};
    const bool add[] = {false, d_weight != NULL && run->add[1]};
    struct op_run inner = *run;
    inner.call = &p->call;
    inner.plan = p->needs.plan;
    inner.in = in;
    inner.out = NULL;
    inner.d_out = d_out;
    inner.d_in = d_in;
    inner.add = add;
    convolution_backward(&inner);
}

static void transpose_forward(const struct op_run *run)
{
    const struct op_call *call = run->call;
    const int64_t channels = call->out[0].shape.dim[3], pixels = shape_elements(&call->out[0].shape) / channels;
    const int64_t each[] = {channels, 1}, same[] = {0, 1};
    adjoint(run, NULL, run->out[0], NULL);
    if (call->n_inputs == 3)
        run->table->binary_forward(BINARY_ADD, NULL, pixels, channels, run->out[0], each, run->in[2], same, run->out[0],
                                   run->threads);
}

/* data_backward: dx (+)= the inner convolution of dy. */
static void data_backward(const struct op_run *run)
{
    const struct transpose_plan *p = run->plan;
    const int64_t n = shape_elements(&run->call->in[0].shape);
    const void *in[] = {run->d_out[0], run->in[1]};
    void *to = run->add[0] ? (char *)run->scratch + p->spare_at : run->d_in[0];
    struct op_run inner = *run;
    inner.call = &p->call;
    inner.plan = p->needs.plan;
    inner.in = in;
    inner.out = &to;
    inner.derived = (char *)run->scratch + p->derived_at;
    inner.derived_stale = true; /* the weights change at every step */
    convolution_forward(&inner);
    if (run->add[0])
        run->table->add_rows(to, 1, n, n, run->d_in[0], n);
}

static void transpose_backward(const struct op_run *run)
{
    const struct op_call *call = run->call;
    const int64_t channels = call->out[0].shape.dim[3], pixels = shape_elements(&call->out[0].shape) / channels;
    if (run->d_in[0])
        data_backward(run);
    if (run->d_in[1])
        adjoint(run, run->d_out[0], NULL, run->d_in[1]);
    if (call->n_inputs == 3 && run->d_in[2])
        run->table->column_sum(pixels, channels, run->d_out[0], run->add[2], run->d_in[2], run->scratch, run->threads);
}

/* scatter: what one number of x adds to one sample of y. */
static void scatter(const struct op_call *call, double x, const double *weight, const int64_t at[3], double *y)
{
    const struct convolution *c = &((const struct convolution_transpose *)call->attributes)->c;
    const int64_t *size = call->out[0].shape.dim, outs = c->out / c->groups;
    const int64_t first = at[2] / (call->in[0].shape.dim[3] / c->groups) * outs;
    for (int64_t o = 0; o < outs; o++) {
        for (int64_t i = 0; i < c->kernel[0]; i++) {
            for (int64_t j = 0; j < c->kernel[1]; j++) {
                const int64_t h = at[0] * c->stride[0] - c->padding[0] + i * c->dilation[0];
                const int64_t w = at[1] * c->stride[1] - c->padding[1] + j * c->dilation[1];
                if (h >= 0 && h < size[1] && w >= 0 && w < size[2])
                    y[(h * size[2] + w) * size[3] + first + o] +=
                        x * weight[((at[2] * outs + o) * c->kernel[0] + i) * c->kernel[1] + j];
            }
        }
    }
}

static void transpose_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *x = call->in[0].shape.dim, *y = call->out[0].shape.dim, sample = y[1] * y[2] * y[3];
    for (int64_t i = 0; i < x[0] * sample; i++)
        out[0][i] = call->n_inputs == 3 ? in[2][i % y[3]] : 0;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        const int64_t at[] = {i / x[3] / x[2] % x[1], i / x[3] % x[2], i % x[3]};
        scatter(call, in[0][i], in[1], at, out[0] + i / (x[1] * x[2] * x[3]) * sample);
    }
}

static double transpose_macs(const struct op_call *call)
{
    const struct shape *weight = &call->in[1].shape;
    return (double)shape_elements(&call->in[0].shape) * (double)shape_elements(weight) / (double)weight->dim[0];
}

#define SQUARE(o, k, s, p, d, g)                                                                                       \
    {                                                                                                                  \
        .out = o, .kernel = {k, k}, .stride = {s, s}, .padding = {p, p}, .dilation = {d, d}, .groups = g               \
    }
#define CASE(name, ...) static const struct convolution_transpose name = __VA_ARGS__;
CASE(twice, {SQUARE(12, 2, 2, 0, 1, 1), {0, 0}})
CASE(twice_odd, {SQUARE(8, 3, 2, 1, 1, 1), {1, 1}})
CASE(plain, {SQUARE(3, 3, 1, 1, 1, 1), {0, 0}})
CASE(point, {SQUARE(17, 1, 1, 0, 1, 1), {0, 0}})
CASE(one_channel, {SQUARE(1, 4, 2, 1, 1, 1), {0, 0}})
CASE(from_pixel, {SQUARE(6, 5, 1, 0, 1, 1), {0, 0}})
CASE(grouped, {SQUARE(6, 3, 2, 1, 1, 3), {1, 0}})
CASE(depthwise, {SQUARE(9, 3, 2, 1, 1, 9), {1, 1}})
CASE(uneven,
     {{.out = 5, .kernel = {2, 3}, .stride = {3, 1}, .padding = {0, 2}, .dilation = {1, 2}, .groups = 1}, {2, 1}})
CASE(gaps, {SQUARE(4, 2, 3, 0, 1, 2), {2, 0}})
CASE(wide, {SQUARE(32, 3, 2, 1, 1, 1), {1, 1}})
#undef CASE

#define X(...)                                                                                                         \
    {                                                                                                                  \
        .rank = 4, .dim = { __VA_ARGS__ }                                                                              \
    }
#define O(n)                                                                                                           \
    {                                                                                                                  \
        .rank = 1, .dim = { n }                                                                                        \
    }
#define EXAMPLE(words, options, n, ...)                                                                                \
    {                                                                                                                  \
        .name = words, .attributes = &options, .n_inputs = n, .in = { __VA_ARGS__ }                                    \
    }
static const struct op_example transpose_examples[] = {
    EXAMPLE("2x2, stride 2", twice, 3, X(2, 4, 5, 8), X(8, 12, 2, 2), O(12)),
    EXAMPLE("twice an odd map", twice_odd, 3, X(2, 5, 3, 17), X(17, 8, 3, 3), O(8)),
    EXAMPLE("stride 1", plain, 2, X(2, 6, 5, 12), X(12, 3, 3, 3)),
    EXAMPLE("1x1", point, 3, X(1, 4, 3, 3), X(3, 17, 1, 1), O(17)),
    EXAMPLE("one channel to one", one_channel, 3, X(3, 4, 4, 1), X(1, 1, 4, 4), O(1)),
    EXAMPLE("a 1x1 map to 5x5", from_pixel, 2, X(3, 1, 1, 7), X(7, 6, 5, 5)),
    EXAMPLE("3 groups", grouped, 3, X(2, 4, 3, 9), X(9, 2, 3, 3), O(6)),
    EXAMPLE("depthwise", depthwise, 3, X(2, 4, 3, 9), X(9, 1, 3, 3), O(9)),
    EXAMPLE("uneven everything", uneven, 3, X(2, 3, 6, 4), X(4, 5, 2, 3), O(5)),
    EXAMPLE("gaps that only the bias fills", gaps, 3, X(1, 3, 3, 6), X(6, 2, 2, 2), O(4)),
    EXAMPLE("32 channels", wide, 2, X(1, 3, 4, 33), X(33, 32, 3, 3)),
};

extern const struct op op_convolution_transpose;
const struct op op_convolution_transpose = {
    .name = "convolution_transpose",
    .summary = "transposed convolution of a map, with bias, groups, stride, padding, output padding, dilation",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs = 1,
    .attributes_size = sizeof(struct convolution_transpose),
    .shape = transpose_shape,
    .prepare = transpose_prepare,
    .release = transpose_release,
    .forward = transpose_forward,
    .backward = transpose_backward,
    .reference = transpose_reference,
    .examples = transpose_examples,
    .n_examples = sizeof(transpose_examples) / sizeof(transpose_examples[0]),
    .macs = transpose_macs,
};

struct node *graph_convolution_transpose(struct graph *graph, struct node *x, struct node *weight, struct node *bias,
                                         const struct convolution_transpose *convolution)
{
    struct node *inputs[] = {x, weight, bias};
    return graph_call(graph, &op_convolution_transpose, convolution, bias ? 3 : 2, inputs);
}
