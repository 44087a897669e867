/* fold.c: a batch norm in inference is a scale and a shift per channel; a convolution before it takes them into its weights. */
#include "kernel/level/level.h"

#include <math.h>

void KERNEL(convolution_fold)(int64_t n, const void *bias, const void *gamma, const void *beta, const void *mean,
                              const void *var, double epsilon, void *scale, void *shift)
{
    const real *b = bias, *g = gamma, *start = beta, *m = mean, *v = var;
    for (int64_t i = 0; i < n; i++) {
        const double factor = g[i] / sqrt((double)v[i] + epsilon);
        ((real *)scale)[i] = (real)factor;
        ((real *)shift)[i] = (real)(((b ? b[i] : 0) - (double)m[i]) * factor + start[i]);
    }
}

void KERNEL(scale_rows)(int64_t rows, int64_t columns, const void *x, const void *scale, void *out)
{
    for (int64_t r = 0; r < rows; r++)
#pragma omp simd
        for (int64_t c = 0; c < columns; c++)
            ((real *)out)[r * columns + c] = ((const real *)x)[r * columns + c] * ((const real *)scale)[r];
}
