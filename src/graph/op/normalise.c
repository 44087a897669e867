/* normalise.c: batch norm in training, with or without the pool behind it, and what its references share. */
#include "graph/op/normalise.h"

#include "graph/op/expect.h"
#include "kernel/normalise.h"

#include <math.h>
#include <string.h>

enum status normalise_expect(const struct op_call *call, int rank_min, int rank_max, const char *words)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, rank_min, rank_max, words));
    int64_t channels = normalise_channels(call);
    if (channels < 1)
        return expect_failure(call, 0, "a last axis of a fixed number of channels");
    for (int i = 1; i < call->n_inputs; i++) {
        static const char *const names[] = {"x", "gamma", "beta", "mean", "variance"};
        const struct shape *shape = &call->in[i].shape;
        RETURN_IF(expect_input(call, i, ELEMENT_REAL, 1, 1, "real numbers [C], one for each channel"));
        if (shape->dim[0] != channels) {
            char text[SHAPE_TEXT_SIZE];
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected %s of shape [%lld], the channels of x, found %s",
                        call->name, names[i], (long long)channels, shape_text(shape, text));
        }
    }
    return STATUS_OK;
}

void normalise_limits(enum activation activation, double *low, double *high)
{
    *low = activation == ACTIVATION_NONE ? -HUGE_VAL : 0;
    *high = activation == ACTIVATION_RELU6 ? 6 : HUGE_VAL;
}

int64_t normalise_channels(const struct op_call *call)
{
    return call->in[0].shape.dim[call->in[0].shape.rank - 1];
}

int64_t normalise_rows(const struct op_call *call)
{
    return last_axis_rows(&call->in[0].shape);
}

size_t normalise_scratch(const struct op_call *call)
{
    int64_t channels = normalise_channels(call);
    return norm_sums_scratch(channels) + norm_coefficient_bytes(channels) + 4 * (size_t)channels * sizeof(double);
}

struct normalise_memory normalise_memory_of(const struct op_run *run)
{
    size_t channels = (size_t)normalise_channels(run->call);
    double *at = run->scratch;
    struct normalise_memory m = {
        .first = at, .second = at + channels, .kept = at + 2 * channels, .sums = at + 4 * channels};
    m.coefficients = (char *)m.sums + norm_sums_scratch((int64_t)channels);
    return m;
}

/* --- training --- */

/* Running values move by this part of the way at each step. */
#define MOMENTUM 0.1

static double momentum_of(const struct op_call *call)
{
    return call->n_inputs == 5 ? MOMENTUM : 1;
}

enum status training_shape(struct op_call *call, bool pooled)
{
    RETURN_IF(normalise_expect(call, pooled ? 4 : 2, pooled ? 4 : SHAPE_MAX_RANK,
                               pooled ? "a map of real numbers [B,H,W,C]" : "real numbers [B,...,C]"));
    if (call->n_inputs == 4)
        return fail(call->ctx, STATUS_BAD_INPUT,
                    "%s: expected both running mean and running variance or neither, found one", call->name);
    call->out[0] = call->in[0];
    for (int i = 0; i < 2 && pooled; i++) {
        call->out[0].shape.dim[1 + i] /= 2;
        if (call->in[0].shape.dim[1 + i] < 2)
            return expect_failure(call, 0, "a map of at least 2x2");
    }
    call->out[1] = call->out[2] = call->in[1];
    return STATUS_OK;
}

enum status training_prepare(const struct op_call *call, struct op_needs *needs, bool pooled)
{
    needs->kernel = "loop";
    /* Mean and inverse deviation, then outputs 1 and 2, so that they can be made again like y. */
    needs->saved_bytes = 4 * (size_t)normalise_channels(call) * element_size(call->in[0].element);
    needs->forward_scratch = needs->backward_scratch = normalise_scratch(call);
    needs->reads_inputs = 7; /* x, gamma, beta: the activation's mask is found again from them */
    needs->gradient_overwrite = pooled ? 0 : 1;
    needs->recomputes = !pooled; /* a pooled map is small, and to make it again costs a pass over the large one */
    return STATUS_OK;
}

static void apply(const struct op_run *run, bool pooled, const void *coefficients)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    const int64_t *dim = run->call->in[0].shape.dim;
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    if (pooled)
        run->table->norm_pool_apply(dim[0], dim[1], dim[2], dim[3], run->in[0], coefficients, low, high, run->out[0],
                                    run->threads);
    else
        run->table->norm_apply(normalise_rows(run->call), normalise_channels(run->call), run->in[0], coefficients, low,
                               high, run->out[0], run->threads);
}

void training_statistics(const struct op_run *run, struct normalise_memory *m)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    int64_t rows = normalise_rows(run->call), channels = normalise_channels(run->call);
    *m = normalise_memory_of(run);
    void *kept = run->keep ? run->saved : m->kept;
    run->table->norm_moments(rows, channels, run->in[0], m->first, m->second, m->sums, run->threads);
    run->table->norm_keep(channels, m->first, m->second, attributes->epsilon, kept);
    run->table->norm_coefficients(channels, kept, run->in[1], run->in[2], m->coefficients);
    bool running = run->call->n_inputs == 5;
    for (int64_t c = 0; c < channels; c++)
        m->second[c] *= (double)rows / (double)(rows > 1 ? rows - 1 : 1);
    run->table->norm_running(channels, running ? run->in[3] : NULL, m->first, MOMENTUM, run->out[1]);
    run->table->norm_running(channels, running ? run->in[4] : NULL, m->second, MOMENTUM, run->out[2]);
    size_t bytes = (size_t)channels * element_size(run->table->element);
    for (size_t i = 0; i < 2 && run->keep; i++)
        memcpy((char *)run->saved + (2 + i) * bytes, run->out[1 + i], bytes);
}

void training_forward(const struct op_run *run, bool pooled)
{
    struct normalise_memory m;
    training_statistics(run, &m);
    apply(run, pooled, m.coefficients);
}

void training_statistics_again(const struct op_run *run, struct normalise_memory *m)
{
    *m = normalise_memory_of(run);
    run->table->norm_coefficients(normalise_channels(run->call), run->saved, run->in[1], run->in[2], m->coefficients);
    size_t bytes = (size_t)normalise_channels(run->call) * element_size(run->table->element);
    for (size_t i = 0; i < 2; i++)
        memcpy(run->out[1 + i], (char *)run->saved + (2 + i) * bytes, bytes);
}

void training_recompute(const struct op_run *run)
{
    struct normalise_memory m;
    training_statistics_again(run, &m);
    apply(run, false, m.coefficients);
}

/* running_gradient: out = (1 - momentum) running + momentum value. */
static void running_gradient(const struct op_run *run, int input, const void *d_out)
{
    int64_t channels = normalise_channels(run->call);
    if (run->call->n_inputs <= input || run->d_in[input] == NULL)
        return;
    if (d_out != NULL)
        run->table->norm_scaled(channels, d_out, 1 - MOMENTUM, run->d_in[input], run->add[input]);
    else if (!run->add[input])
        run->table->fill_values(channels, 0, run->d_in[input]);
}

static void sums(const struct op_run *run, bool pooled, const struct normalise_memory *m, double low, double high)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    if (pooled)
        run->table->norm_pool_sums(dim[0], dim[1], dim[2], dim[3], run->in[0], run->d_out[0], m->coefficients, low,
                                   high, m->first, m->sums, run->threads);
    else
        run->table->norm_sums(normalise_rows(run->call), normalise_channels(run->call), run->in[0], run->d_out[0],
                              m->coefficients, low, high, m->first, m->sums, run->threads);
}

void training_begin(const struct op_run *run, const void *gamma, struct normalise_memory *m)
{
    running_gradient(run, 3, run->d_out[1]);
    running_gradient(run, 4, run->d_out[2]);
    run->table->norm_coefficients(normalise_channels(run->call), run->saved, gamma, run->in[2], m->coefficients);
}

void training_sums_use(const struct op_run *run, const struct normalise_memory *m)
{
    int64_t rows = normalise_rows(run->call), channels = normalise_channels(run->call);
    run->table->norm_parameter_gradients(channels, run->saved, m->first, run->d_in[1], run->add[1], run->d_in[2],
                                         run->add[2]);
    if (run->d_in[0] != NULL)
        run->table->norm_slopes(channels, rows, run->saved, m->first, run->d_out[1], run->d_out[2],
                                momentum_of(run->call), m->coefficients);
}

void training_backward(const struct op_run *run, bool pooled)
{
    const struct batch_norm_attributes *attributes = run->call->attributes;
    int64_t rows = normalise_rows(run->call), channels = normalise_channels(run->call);
    struct normalise_memory m = normalise_memory_of(run);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);

    const void *gamma = run->in[1], *dy = run->d_out[0];
    if (dy == NULL) { /* only the running values have a gradient: any dy does for a gamma of 0 */
        run->table->fill_values(channels, 0, m.kept);
        gamma = m.kept;
    }
    training_begin(run, gamma, &m);
    if (dy == NULL)
        memset(m.first, 0, 2 * (size_t)channels * sizeof(double));
    else
        sums(run, pooled, &m, low, high);
    training_sums_use(run, &m);
    if (run->d_in[0] == NULL)
        return;
    if (pooled && dy != NULL) {
        const int64_t *dim = run->call->in[0].shape.dim;
        run->table->norm_pool_gradient(dim[0], dim[1], dim[2], dim[3], run->in[0], dy, m.coefficients, low, high,
                                       run->d_in[0], run->add[0], run->threads);
    } else {
        run->table->norm_gradient(rows, channels, run->in[0], dy == NULL ? run->in[0] : dy, m.coefficients, low, high,
                                  run->d_in[0], run->add[0], run->threads);
    }
}

/* --- references --- */

void reference_moments(const struct op_call *call, const double *x, int64_t c, double *mean, double *variance)
{
    int64_t channels = normalise_channels(call), rows = normalise_rows(call);
    double sum = 0, square = 0;
    for (int64_t r = 0; r < rows; r++)
        sum += x[r * channels + c];
    *mean = sum / (double)rows;
    for (int64_t r = 0; r < rows; r++)
        square += (x[r * channels + c] - *mean) * (x[r * channels + c] - *mean);
    *variance = square / (double)rows;
}

double reference_value(const struct op_call *call, double x, double mean, double variance, double gamma, double beta)
{
    const struct batch_norm_attributes *attributes = call->attributes;
    double z = gamma * (x - mean) / sqrt(variance + attributes->epsilon) + beta;
    switch (attributes->activation) {
    case ACTIVATION_NONE:
        break;
    case ACTIVATION_RELU:
        return fmax(z, 0);
    case ACTIVATION_RELU6:
        return fmin(fmax(z, 0), 6);
    }
    return z;
}

void reference_running(const struct op_call *call, const double *const *in, double *const *out)
{
    int64_t rows = normalise_rows(call);
    for (int64_t c = 0; c < normalise_channels(call); c++) {
        double mean, variance;
        reference_moments(call, in[0], c, &mean, &variance);
        if (rows > 1)
            variance *= (double)rows / (double)(rows - 1);
        out[1][c] = call->n_inputs == 5 ? 0.9 * in[3][c] + 0.1 * mean : mean;
        out[2][c] = call->n_inputs == 5 ? 0.9 * in[4][c] + 0.1 * variance : variance;
    }
}
