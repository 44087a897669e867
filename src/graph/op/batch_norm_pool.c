/* batch_norm_pool: batch norm in training, its activation, and a 2x2 maximum of stride 2 in one.
 *
 *     y = max_pool(activation(gamma (x - mean) / sqrt(var + epsilon) + beta))
 *
 * x [B,H,W,C] -> y [B,H/2,W/2,C]; the rest is as in batch_norm. The map between is never written: it is the largest of
 * a student's step, and forward and backward would each stream it several times. The gradient goes to the first
 * largest. */
#include "graph/op/normalise.h"

#include <math.h>

static enum status batch_norm_pool_shape(struct op_call *call)
{
    return training_shape(call, true);
}

static enum batch_kind batch_norm_pool_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static enum status batch_norm_pool_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    return training_prepare(call, needs, true);
}

static void batch_norm_pool_forward(const struct op_run *run)
{
    training_forward(run, true);
}

static void batch_norm_pool_backward(const struct op_run *run)
{
    training_backward(run, true);
}

static void batch_norm_pool_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *dim = call->in[0].shape.dim, *to = call->out[0].shape.dim;
    for (int64_t c = 0; c < dim[3]; c++) {
        double mean, variance;
        reference_moments(call, in[0], c, &mean, &variance);
        for (int64_t i = 0; i < to[0] * to[1] * to[2]; i++) {
            int64_t column = i % to[2] * 2, row = i / to[2] % to[1] * 2, sample = i / to[2] / to[1];
            double most = -HUGE_VAL;
            for (int64_t k = 0; k < 4; k++) {
                int64_t at = ((sample * dim[1] + row + k / 2) * dim[2] + column + k % 2) * dim[3] + c;
                most = fmax(most, reference_value(call, in[0][at], mean, variance, in[1][c], in[2][c]));
            }
            out[0][i * dim[3] + c] = most;
        }
    }
    reference_running(call, in, out);
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
static const struct op_example batch_norm_pool_examples[] = {
    {.name = "12 channels, relu",
     .attributes = &relu,
     .n_inputs = 5,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 4, 6, 12}},
            CHANNELS(12),
            SHIFTS(12),
            SHIFTS(12),
            CHANNELS(12)}},
    {.name = "odd map, 17 channels",
     .attributes = &plain,
     .n_inputs = 3,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 3, 5, 17}}, CHANNELS(17), SHIFTS(17)}},
    {.name = "odd height, one channel",
     .attributes = &relu6,
     .n_inputs = 3,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 5, 4, 1}}, CHANNELS(1), SHIFTS(1)}},
    {.name = "3 channels, batch 1, 2x2",
     .attributes = &plain,
     .n_inputs = 3,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 2, 2, 3}}, CHANNELS(3), SHIFTS(3)}},
    {.name = "more channels than a block",
     .attributes = &relu,
     .n_inputs = 3,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 2, 2, 261}}, CHANNELS(261), SHIFTS(261)}},
};

const struct op op_batch_norm_pool = {
    .name = "batch_norm_pool",
    .summary = "batch_norm, its activation and a 2x2 max_pool in one",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs = 3,
    .attributes_size = sizeof(struct batch_norm_attributes),
    .shape = batch_norm_pool_shape,
    .batch = batch_norm_pool_batch,
    .prepare = batch_norm_pool_prepare,
    .forward = batch_norm_pool_forward,
    .backward = batch_norm_pool_backward,
    .reference = batch_norm_pool_reference,
    .examples = batch_norm_pool_examples,
    .n_examples = sizeof(batch_norm_pool_examples) / sizeof(batch_norm_pool_examples[0]),
};
