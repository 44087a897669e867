/* batch_norm_convolution: batch norm in training, its activation, and the convolution that reads it, in one.
 *
 *     y = convolution(activation(gamma (x - mean) / sqrt(var + epsilon) + beta))
 *
 * x [B,H,W,C]; gamma, beta and, with `running`, the running mean and variance [C]; then the convolution's weight and
 * bias; -> y [B,H',W',O] and the running values; the rest is as in batch_norm and convolution. The passes are in
 * batch_norm_convolution_plan.c. */
#include "graph/op/batch_norm_convolution.h"

#include "graph/op/normalise.h"

struct norm_convolution_parts norm_convolution_parts_of(const struct op_call *call)
{
    const struct batch_norm_convolution_attributes *a = call->attributes;
    struct norm_convolution_parts parts = {*call, *call};
    struct op_call *norm = &parts.norm, *convolution = &parts.convolution;
    norm->op = &op_batch_norm;
    norm->attributes = &a->norm;
    norm->n_inputs = a->running ? 5 : 3;
    convolution->op = &op_convolution;
    convolution->attributes = &a->convolution;
    convolution->n_inputs = 1;
    convolution->n_outputs = 1;
    for (int i = norm->n_inputs; i < call->n_inputs; i++)
        convolution->in[convolution->n_inputs++] = call->in[i];
    return parts;
}

static enum status batch_norm_convolution_shape(struct op_call *call)
{
    struct norm_convolution_parts parts = norm_convolution_parts_of(call);
    RETURN_IF(training_shape(&parts.norm, false));
    RETURN_IF(op_convolution.shape(&parts.convolution));
    call->out[0] = parts.convolution.out[0];
    call->out[1] = parts.norm.out[1];
    call->out[2] = parts.norm.out[2];
    return STATUS_OK;
}

static enum batch_kind batch_norm_convolution_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static void batch_norm_convolution_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct norm_convolution_parts parts = norm_convolution_parts_of(call);
    const int64_t elements = shape_elements(&call->in[0].shape);
    double *z = memory_new(call->ctx, (size_t)elements, sizeof *z);
    if (z == NULL)
        return; /* the context has the error */
    double *norm_out[] = {z, out[1], out[2]};
    const double *convolution_in[OP_MAX_INPUTS] = {z};
    for (int i = 1; i < parts.convolution.n_inputs; i++)
        convolution_in[i] = in[parts.norm.n_inputs + i - 1];
    op_batch_norm.reference(&parts.norm, in, norm_out);
    op_convolution.reference(&parts.convolution, convolution_in, out);
    memory_free(call->ctx, z);
}

static double batch_norm_convolution_macs(const struct op_call *call)
{
    const struct norm_convolution_parts parts = norm_convolution_parts_of(call);
    return op_convolution.macs(&parts.convolution);
}

#define SQUARE(o, k, s, p, g)                                                                                          \
    {                                                                                                                  \
        .c = {.out = o, .kernel = {k, k}, .stride = {s, s}, .padding = {p, p}, .dilation = {1, 1}, .groups = g }       \
    }
#define CASE(name, ...) static const struct batch_norm_convolution_attributes name = __VA_ARGS__;
CASE(full, {SQUARE(5, 3, 1, 1, 1), {1e-5, ACTIVATION_RELU}, .running = true})
CASE(point, {SQUARE(17, 1, 1, 0, 1), {1e-3, ACTIVATION_NONE}, .running = false})
CASE(wide, {SQUARE(20, 1, 1, 0, 1), {1e-5, ACTIVATION_RELU}, .running = true})
CASE(depthwise, {SQUARE(24, 3, 2, 1, 24), {1e-5, ACTIVATION_RELU6}, .running = true})
CASE(with_bias,
     {{.c = {.out = 4, .kernel = {1, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1}, .has_bias = true},
      {1e-5, ACTIVATION_RELU},
      .running = false})
CASE(many, {SQUARE(1, 1, 1, 0, 1), {1e-5, ACTIVATION_RELU}, .running = false})
#undef CASE
#define FILLED(f, number, ...)                                                                                         \
    {                                                                                                                  \
        .fill = f, .rank = number, .dim = { __VA_ARGS__ }                                                              \
    }
#define X(...) FILLED(OP_FILL_APART, 4, __VA_ARGS__)
#define W(...) FILLED(OP_FILL_NORMAL, 4, __VA_ARGS__)
#define CHANNELS(c) FILLED(OP_FILL_POSITIVE, 1, c)
#define SHIFTS(c) FILLED(OP_FILL_NORMAL, 1, c)
static const struct op_example batch_norm_convolution_examples[] = {
    {.name = "3x3",
     .attributes = &full,
     .n_inputs = 6,
     .in = {X(3, 5, 4, 3), CHANNELS(3), SHIFTS(3), SHIFTS(3), CHANNELS(3), W(5, 3, 3, 3)}},
    {.name = "1x1, 12 to 17 channels",
     .attributes = &point,
     .n_inputs = 4,
     .in = {X(2, 3, 4, 12), CHANNELS(12), SHIFTS(12), W(17, 12, 1, 1)}},
    {.name = "1x1, 4 to 20 channels",
     .attributes = &wide,
     .n_inputs = 6,
     .in = {X(3, 4, 3, 4), CHANNELS(4), SHIFTS(4), SHIFTS(4), CHANNELS(4), W(20, 4, 1, 1)}},
    {.name = "depthwise, stride 2, batch 1",
     .attributes = &depthwise,
     .n_inputs = 6,
     .in = {X(1, 5, 7, 24), CHANNELS(24), SHIFTS(24), SHIFTS(24), CHANNELS(24), W(24, 1, 3, 3)}},
    {.name = "a row, with bias",
     .attributes = &with_bias,
     .n_inputs = 5,
     .in = {FILLED(OP_FILL_APART, 3, 3, 7, 2), CHANNELS(2), SHIFTS(2), FILLED(OP_FILL_NORMAL, 3, 4, 2, 3), SHIFTS(4)}},
    {.name = "a chunk for each sample",
     .attributes = &many,
     .n_inputs = 4,
     .in = {FILLED(OP_FILL_NORMAL, 4, 3, 33, 41, 60), CHANNELS(60), SHIFTS(60), W(1, 60, 1, 1)}},
};

const struct op op_batch_norm_convolution = {
    .name = "batch_norm_convolution",
    .summary = "batch_norm, its activation and the convolution behind in one",
    .inputs_min = 4,
    .inputs_max = 7,
    .outputs = 3,
    .attributes_size = sizeof(struct batch_norm_convolution_attributes),
    .shape = batch_norm_convolution_shape,
    .batch = batch_norm_convolution_batch,
    .prepare = norm_convolution_prepare,
    .release = norm_convolution_release,
    .forward = norm_convolution_forward,
    .backward = norm_convolution_backward,
    .recompute = norm_convolution_recompute,
    .reference = batch_norm_convolution_reference,
    .examples = batch_norm_convolution_examples,
    .n_examples = sizeof(batch_norm_convolution_examples) / sizeof(batch_norm_convolution_examples[0]),
    .macs = batch_norm_convolution_macs,
};
