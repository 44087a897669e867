/* batch_norm_inference: normalises each channel by given statistics.
 *
 *     y = activation(gamma (x - mean) / sqrt(var + epsilon) + beta)
 *
 * x, y [B,...,C]; gamma, beta, mean, var [C]. With dz the gradient behind the activation and i = 1 / sqrt(var +
 * epsilon):
 *
 *     dx = gamma i dz;  dgamma = i sum dz (x - mean);  dbeta = sum dz;
 *     dmean = -gamma i sum dz;  dvar = -gamma i^3 sum dz (x - mean) / 2 */
#include "graph/op/normalise.h"

static enum status batch_norm_inference_shape(struct op_call *call)
{
    RETURN_IF(normalise_expect(call, 2, SHAPE_MAX_RANK, "real numbers [B,...,C]"));
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum status batch_norm_inference_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->forward_scratch = needs->backward_scratch = normalise_scratch(call);
    needs->reads_inputs = 31;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    needs->recomputes = true;
    return STATUS_OK;
}

static struct normalise_memory coefficients_make(const struct op_run *run)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    int64_t channels = normalise_channels(run->call);
    struct normalise_memory m = normalise_memory_of(run);
    run->table->norm_keep_given(channels, run->in[3], run->in[4], attributes->epsilon, m.kept);
    run->table->norm_coefficients(channels, m.kept, run->in[1], run->in[2], m.coefficients);
    return m;
}

static void batch_norm_inference_forward(const struct op_run *run)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    struct normalise_memory m = coefficients_make(run);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    run->table->norm_apply(normalise_rows(run->call), normalise_channels(run->call), run->in[0], m.coefficients, low,
                           high, run->out[0], run->threads);
}

static void batch_norm_inference_backward(const struct op_run *run)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    int64_t rows = normalise_rows(run->call), channels = normalise_channels(run->call);
    struct normalise_memory m = coefficients_make(run);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    if (run->d_in[1] != NULL || run->d_in[2] != NULL || run->d_in[3] != NULL || run->d_in[4] != NULL) {
        run->table->norm_sums(rows, channels, run->in[0], run->d_out[0], m.coefficients, low, high, m.first, m.sums,
                              run->threads);
        run->table->norm_parameter_gradients(channels, m.kept, m.first, run->d_in[1], run->add[1], run->d_in[2],
                                             run->add[2]);
        run->table->norm_given_gradients(channels, m.kept, m.coefficients, m.first, run->d_in[3], run->add[3],
                                         run->d_in[4], run->add[4]);
    }
    if (run->d_in[0] != NULL)
        run->table->norm_gradient(rows, channels, run->in[0], run->d_out[0], m.coefficients, low, high, run->d_in[0],
                                  run->add[0], run->threads);
}

static void batch_norm_inference_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t channels = normalise_channels(call);
    for (int64_t i = 0; i < normalise_rows(call) * channels; i++) {
        int64_t c = i % channels;
        out[0][i] = reference_value(call, in[0][i], in[3][c], in[4][c], in[1][c], in[2][c]);
    }
}

#define CHANNELS(c)                                                                                                    \
    {                                                                                                                  \
        .fill = OP_FILL_POSITIVE, .rank = 1, .dim = { c }                                                              \
    }
#define SHIFTS(c)                                                                                                      \
    {                                                                                                                  \
        .rank = 1, .dim = { c }                                                                                        \
    }
static const struct batch_norm_attributes plain = {1e-5, ACTIVATION_NONE}, relu = {1e-5, ACTIVATION_RELU};
static const struct batch_norm_attributes relu6 = {1e-3, ACTIVATION_RELU6};
static const struct op_example batch_norm_inference_examples[] = {
    {.name = "12 channels",
     .attributes = &plain,
     .n_inputs = 5,
     .in = {{.rank = 4, .dim = {3, 3, 4, 12}}, CHANNELS(12), SHIFTS(12), SHIFTS(12), CHANNELS(12)}},
    {.name = "17 channels, relu",
     .attributes = &relu,
     .n_inputs = 5,
     .in = {{.rank = 4, .dim = {2, 1, 3, 17}}, CHANNELS(17), SHIFTS(17), SHIFTS(17), CHANNELS(17)}},
    {.name = "one channel, relu6",
     .attributes = &relu6,
     .n_inputs = 5,
     .in = {{.rank = 4, .dim = {1, 5, 7, 1}}, CHANNELS(1), SHIFTS(1), SHIFTS(1), CHANNELS(1)}},
    {.name = "a row of 67",
     .attributes = &relu,
     .n_inputs = 5,
     .in = {{.rank = 2, .dim = {1, 67}}, CHANNELS(67), SHIFTS(67), SHIFTS(67), CHANNELS(67)}},
};

const struct op op_batch_norm_inference = {
    .name = "batch_norm_inference",
    .summary = "each channel normalised by running statistics",
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs = 1,
    .attributes_size = sizeof(struct batch_norm_attributes),
    .shape = batch_norm_inference_shape,
    .prepare = batch_norm_inference_prepare,
    .forward = batch_norm_inference_forward,
    .backward = batch_norm_inference_backward,
    .recompute = batch_norm_inference_forward,
    .reference = batch_norm_inference_reference,
    .examples = batch_norm_inference_examples,
    .n_examples = sizeof(batch_norm_inference_examples) / sizeof(batch_norm_inference_examples[0]),
};

struct node *graph_batch_norm_inference(struct graph *graph, struct node *x, struct node *gamma, struct node *beta,
                                        struct node *mean, struct node *var, double epsilon)
{
    struct batch_norm_attributes attributes = {epsilon, ACTIVATION_NONE};
    struct node *inputs[] = {x, gamma, beta, mean, var};
    return graph_call(graph, &op_batch_norm_inference, &attributes, 5, inputs);
}
