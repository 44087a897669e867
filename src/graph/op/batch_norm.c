/* batch_norm: normalises each channel by the batch's own mean and variance (training).
 *
 *     y = activation(gamma (x - mean) / sqrt(var + epsilon) + beta)
 *
 * x, y [B,...,C]; gamma, beta and the running values [C]: graph/op/normalise.h. With dz the gradient behind the
 * activation, n positions and xh the normalised x:
 *
 *     dbeta = sum dz;  dgamma = sum dz xh;  dx = gamma / sqrt(var + epsilon) (dz - dbeta / n - xh dgamma / n)
 *
 * Two passes over memory forward, two backward; backward reads x alone, y may be dropped and made again. Ioffe and
 * Szegedy 2015, arXiv 1502.03167. */
#include "graph/op/normalise.h"

static enum status batch_norm_shape(struct op_call *call)
{
    return training_shape(call, false);
}

static enum batch_kind batch_norm_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static enum status batch_norm_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    return training_prepare(call, needs, false);
}

static void batch_norm_forward(const struct op_run *run)
{
    training_forward(run, false);
}

static void batch_norm_backward(const struct op_run *run)
{
    training_backward(run, false);
}

static void batch_norm_recompute(const struct op_run *run)
{
    training_recompute(run);
}

static void batch_norm_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t channels = normalise_channels(call), rows = normalise_rows(call);
    for (int64_t c = 0; c < channels; c++) {
        double mean, variance;
        reference_moments(call, in[0], c, &mean, &variance);
        for (int64_t r = 0; r < rows; r++) {
            int64_t i = r * channels + c;
            out[0][i] = reference_value(call, in[0][i], mean, variance, in[1][c], in[2][c]);
        }
    }
    reference_running(call, in, out);
}

/* Central differences know nothing of the kink of relu: its examples are so small that no value lies near it. */
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
static const struct op_example batch_norm_examples[] = {
    {.name = "12 channels",
     .attributes = &plain,
     .n_inputs = 5,
     .in = {{.rank = 4, .dim = {3, 5, 4, 12}}, CHANNELS(12), SHIFTS(12), SHIFTS(12), CHANNELS(12)}},
    {.name = "12 channels, relu",
     .attributes = &relu,
     .n_inputs = 5,
     .in = {{.rank = 4, .dim = {2, 2, 3, 12}}, CHANNELS(12), SHIFTS(12), SHIFTS(12), CHANNELS(12)}},
    {.name = "17 channels, relu6",
     .attributes = &relu6,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {3, 3, 4, 17}}, CHANNELS(17), SHIFTS(17)}},
    {.name = "one channel",
     .attributes = &relu,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {3, 5, 5, 1}}, CHANNELS(1), SHIFTS(1)}},
    {.name = "3 channels, batch 1",
     .attributes = &plain,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {1, 7, 3, 3}}, CHANNELS(3), SHIFTS(3)}},
    {.name = "rows of 70",
     .attributes = &plain,
     .n_inputs = 5,
     .in = {{.rank = 2, .dim = {9, 70}}, CHANNELS(70), SHIFTS(70), SHIFTS(70), CHANNELS(70)}},
    {.name = "rows of 66, relu",
     .attributes = &relu,
     .n_inputs = 3,
     .in = {{.rank = 2, .dim = {3, 66}}, CHANNELS(66), SHIFTS(66)}},
    {.name = "one position",
     .attributes = &plain,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {1, 1, 1, 5}}, CHANNELS(5), SHIFTS(5)}},
    {.name = "several segments",
     .attributes = &plain,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {3, 31, 31, 6}}, CHANNELS(6), SHIFTS(6)}},
};

const struct op op_batch_norm = {
    .name = "batch_norm",
    .summary = "each channel normalised by the batch's own mean and variance",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs = 3,
    .attributes_size = sizeof(struct batch_norm_attributes),
    .shape = batch_norm_shape,
    .batch = batch_norm_batch,
    .prepare = batch_norm_prepare,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .recompute = batch_norm_recompute,
    .reference = batch_norm_reference,
    .examples = batch_norm_examples,
    .n_examples = sizeof(batch_norm_examples) / sizeof(batch_norm_examples[0]),
};

struct node *graph_batch_norm(struct graph *graph, struct node *x, struct node *gamma, struct node *beta,
                              struct node *running_mean, struct node *running_var, double epsilon)
{
    struct batch_norm_attributes attributes = {epsilon, ACTIVATION_NONE};
    struct node *inputs[] = {x, gamma, beta, running_mean, running_var};
    bool running = running_mean != NULL || running_var != NULL;
    struct node *y = graph_call(graph, &op_batch_norm, &attributes, running ? 5 : 3, inputs);
    if (y == NULL)
        return NULL;
    for (int i = 1; i < 3 && running; i++)
        if (graph_update(graph, inputs[2 + i], graph_output(y, i)) != STATUS_OK)
            return NULL;
    return y;
}
