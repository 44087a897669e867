/* optimise.c: optimiser steps: memory-bound, one pass each. */
#include "kernel/level/level.h"

#include <math.h>

void KERNEL(sgd_step)(int64_t n, double rate, double momentum, bool nesterov, double decay, double scale, void *values_,
                      const void *gradients_, void *velocity_)
{
    real *values = values_, *velocity = velocity_;
    const real *gradients = gradients_;
    real step = (real)rate, keep = (real)momentum, shrink = (real)decay, factor = (real)scale;
    if (momentum == 0) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            values[i] -= step * (factor * gradients[i] + shrink * values[i]);
        }
    } else if (nesterov) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            real g = factor * gradients[i] + shrink * values[i];
            velocity[i] = keep * velocity[i] + g;
            values[i] -= step * (g + keep * velocity[i]);
        }
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            velocity[i] = keep * velocity[i] + (factor * gradients[i] + shrink * values[i]);
            values[i] -= step * velocity[i];
        }
    }
}

void KERNEL(adamw_step)(int64_t n, double rate, double beta1, double beta2, double epsilon, double decay, int64_t step,
                        double scale, void *values_, const void *gradients_, void *m_, void *v_)
{
    real *values = values_, *m = m_, *v = v_;
    const real *gradients = gradients_;
    double correction1 = 1 - pow(beta1, (double)step), correction2 = 1 - pow(beta2, (double)step);
    real b1 = (real)beta1, b2 = (real)beta2, rest1 = (real)(1 - beta1), rest2 = (real)(1 - beta2);
    real shrink = (real)(1 - rate * decay), size = (real)(rate / correction1),
         over_root = (real)(1 / sqrt(correction2));
    real tiny = (real)epsilon, factor = (real)scale;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real g = factor * gradients[i];
        m[i] = b1 * m[i] + rest1 * g;
        v[i] = b2 * v[i] + rest2 * g * g;
#ifdef KERNEL_F64
        real root = sqrt(v[i]);
#else
        real root = sqrtf(v[i]);
#endif
        values[i] = values[i] * shrink - size * m[i] / (root * over_root + tiny);
    }
}

double KERNEL(sum_squares)(int64_t n, const void *x_)
{
    enum { CHUNK = 2048, LANES = 16 }; /* fixed: the sum depends neither on the level nor on the compiler */
    const real *x = x_;
    double total = 0;
    for (int64_t from = 0; from < n; from += CHUNK) {
        int64_t count = n - from < CHUNK ? n - from : CHUNK, whole = count - count % LANES;
        real lane[LANES] = {0};
        for (int64_t i = 0; i < whole; i += LANES) {
#pragma omp simd
            for (int l = 0; l < LANES; l++) {
                lane[l] += x[from + i + l] * x[from + i + l];
            }
        }
        for (int64_t i = whole; i < count; i++) {
            lane[i - whole] += x[from + i] * x[from + i];
        }
        for (int l = 0; l < LANES; l++) {
            total += (double)lane[l];
        }
    }
    return total;
}

void KERNEL(add_scaled)(int64_t n, double factor_, const void *x_, void *y_)
{
    const real *x = x_;
    real *y = y_, factor = (real)factor_;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] += factor * x[i];
    }
}

void KERNEL(scale_values)(int64_t n, double factor_, void *x_)
{
    real *x = x_, factor = (real)factor_;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

void KERNEL(average_values)(int64_t n, double keep_, const void *from_, void *to_)
{
    const real *from = from_;
    real *to = to_, keep = (real)keep_, rest = (real)(1 - keep_);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        to[i] = keep * to[i] + rest * from[i];
    }
}
