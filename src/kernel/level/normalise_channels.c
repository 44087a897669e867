/* normalise_channels.c: batch norm's arithmetic per channel, between the passes over a map. */
#include "kernel/normalise.h"

#include "kernel/level/level.h"

#include <math.h>

void KERNEL(norm_keep)(int64_t channels, const double *mean, const double *variance, double epsilon, void *kept_)
{
    real *kept = kept_;
    for (int64_t c = 0; c < channels; c++) {
        kept[c] = (real)mean[c];
        kept[channels + c] = (real)(1 / sqrt(variance[c] + epsilon));
    }
}

void KERNEL(norm_keep_given)(int64_t channels, const void *mean_, const void *variance_, double epsilon, void *kept_)
{
    const real *mean = mean_, *variance = variance_;
    real *kept = kept_;
    for (int64_t c = 0; c < channels; c++) {
        kept[c] = mean[c];
        kept[channels + c] = (real)(1 / sqrt((double)variance[c] + epsilon));
    }
}

void KERNEL(norm_coefficients)(int64_t channels, const void *kept_, const void *gamma_, const void *beta_,
                               void *coefficients)
{
    const real *kept = kept_, *gamma = gamma_, *beta = beta_;
    real *to = coefficients;
    for (int64_t c = 0; c < channels; c++) {
        to[NORM_MEAN * channels + c] = kept[c];
        to[NORM_SCALE * channels + c] = gamma[c] * kept[channels + c];
        to[NORM_SHIFT * channels + c] = beta[c];
        to[NORM_SLOPE * channels + c] = to[NORM_OFFSET * channels + c] = 0;
    }
}

void KERNEL(norm_constant_coefficients)(int64_t channels, const double *mean, const double *deviation,
                                        void *coefficients)
{
    real *to = coefficients;
    for (int64_t c = 0; c < channels; c++) {
        to[NORM_MEAN * channels + c] = (real)mean[c];
        to[NORM_SCALE * channels + c] = (real)(1 / deviation[c]);
        to[NORM_SHIFT * channels + c] = 0;
        to[NORM_SLOPE * channels + c] = to[NORM_OFFSET * channels + c] = 0;
    }
}

void KERNEL(norm_running)(int64_t channels, const void *running_, const double *value, double momentum, void *out_)
{
    const real *running = running_;
    real *out = out_;
    for (int64_t c = 0; c < channels; c++)
        out[c] = (real)(running == NULL ? value[c] : (1 - momentum) * (double)running[c] + momentum * value[c]);
}

/* With dz summed to s0 and dz (x - mean) to s1, n rows, i = inverse:
 *
 *     dx = gamma i (dz - s0 / n - (x - mean) i^2 s1 / n)
 *
 * The running values add momentum (d_mean / n + 2 (x - mean) d_variance / (n - 1)). */
void KERNEL(norm_slopes)(int64_t channels, int64_t count, const void *kept_, const double *sums, const void *d_mean_,
                         const void *d_variance_, double momentum, void *coefficients)
{
    const real *kept = kept_, *d_mean = d_mean_, *d_variance = d_variance_;
    real *to = coefficients;
    double n = (double)count, unbiased = count > 1 ? n - 1 : 1;
    for (int64_t c = 0; c < channels; c++) {
        double scale = (double)to[NORM_SCALE * channels + c], inverse = (double)kept[channels + c];
        double slope = -scale * inverse * inverse * sums[channels + c] / n, offset = -scale * sums[c] / n;
        if (d_variance != NULL)
            slope += momentum * 2 / unbiased * (double)d_variance[c];
        if (d_mean != NULL)
            offset += momentum / n * (double)d_mean[c];
        to[NORM_SLOPE * channels + c] = (real)slope;
        to[NORM_OFFSET * channels + c] = (real)offset;
    }
}

static void put(real *to, int64_t c, double value, bool add)
{
    if (to != NULL)
        to[c] = (real)(value + (add ? (double)to[c] : 0));
}

void KERNEL(norm_scaled)(int64_t channels, const void *value_, double factor, void *out, bool add)
{
    const real *value = value_;
    for (int64_t c = 0; c < channels; c++)
        put(out, c, factor * (double)value[c], add);
}

void KERNEL(norm_parameter_gradients)(int64_t channels, const void *kept_, const double *sums, void *d_gamma,
                                      bool add_gamma, void *d_beta, bool add_beta)
{
    const real *kept = kept_;
    for (int64_t c = 0; c < channels; c++) {
        put(d_gamma, c, (double)kept[channels + c] * sums[channels + c], add_gamma);
        put(d_beta, c, sums[c], add_beta);
    }
}

void KERNEL(norm_given_gradients)(int64_t channels, const void *kept_, const void *coefficients, const double *sums,
                                  void *d_mean, bool add_mean, void *d_variance, bool add_variance)
{
    const real *kept = kept_, *scale = (const real *)coefficients + NORM_SCALE * channels;
    for (int64_t c = 0; c < channels; c++) {
        double inverse = (double)kept[channels + c];
        put(d_mean, c, -(double)scale[c] * sums[c], add_mean);
        put(d_variance, c, -0.5 * (double)scale[c] * inverse * inverse * sums[channels + c], add_variance);
    }
}
