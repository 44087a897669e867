/* layer_norm.c: rows to mean 0 and variance 1, scaled and shifted. A row stays in the first cache between its sums and
 * its results, so a map is read from memory once in forward and once (with dy) in backward. */
#include "kernel/level/level.h"

#include "kernel/normalise.h"

#include <math.h>
#include <string.h>

enum { THREAD_WORK = 50000 }; /* elements below which a second thread costs more than it saves */

struct moments {
    real mean, inverse;
};

static struct moments moments_of(const real *x, int64_t n, double epsilon)
{
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    const real mean = sum / (real)n;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return (struct moments){mean, (real)(1 / sqrt((double)squares / (double)n + epsilon))};
}

void KERNEL(layer_norm)(const void *x_, const void *gamma_, const void *beta_, int64_t rows, int64_t columns,
                        double epsilon, void *y_, void *kept_, int threads)
{
    const real *gamma = gamma_, *beta = beta_;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > THREAD_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns, *kept = kept_;
        const struct moments m = moments_of(x, columns, epsilon);
        if (kept) {
            kept[2 * r] = m.mean;
            kept[2 * r + 1] = m.inverse;
        }
        if (gamma) {
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                y[i] = (x[i] - m.mean) * m.inverse * gamma[i] + beta[i];
        } else {
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                y[i] = (x[i] - m.mean) * m.inverse;
        }
    }
}

/* With z = (x - mean) inverse and g = dy gamma: dx = inverse (g - mean of g - z mean of g z). */
static void row_gradient(const real *x, const real *gamma, struct moments m, const real *dy, int64_t n, real *dx,
                         bool add)
{
    real sum = 0, product = 0;
    if (gamma) {
#pragma omp simd reduction(+ : sum, product)
        for (int64_t i = 0; i < n; i++) {
            sum += dy[i] * gamma[i];
            product += dy[i] * gamma[i] * (x[i] - m.mean);
        }
    } else {
#pragma omp simd reduction(+ : sum, product)
        for (int64_t i = 0; i < n; i++) {
            sum += dy[i];
            product += dy[i] * (x[i] - m.mean);
        }
    }
    const real offset = -sum / (real)n * m.inverse, slope = -product / (real)n * m.inverse * m.inverse * m.inverse;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real scale = gamma ? gamma[i] * m.inverse : m.inverse;
        dx[i] = dy[i] * scale + (x[i] - m.mean) * slope + offset + (add ? dx[i] : 0);
    }
}

/* sums [2, columns] += dy z, dy of a row. */
static void row_sums(const real *x, struct moments m, const real *dy, int64_t n, real *sums)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        sums[i] += dy[i] * ((x[i] - m.mean) * m.inverse);
        sums[n + i] += dy[i];
    }
}

static void sums_add(const real *sums, int64_t chunks, int64_t columns, real *to, bool add)
{
    if (!to)
        return;
    for (int64_t i = 0; i < columns; i++) {
        double sum = add ? (double)to[i] : 0;
        for (int64_t chunk = 0; chunk < chunks; chunk++)
            sum += (double)sums[chunk * 2 * columns + i];
        to[i] = (real)sum;
    }
}

void KERNEL(layer_norm_backward)(const void *x_, const void *gamma, const void *kept_, const void *dy_, int64_t rows,
                                 int64_t columns, void *dx_, bool add, void *scratch, int threads)
{
    const int64_t chunks = rows < LAYER_NORM_CHUNKS ? rows : LAYER_NORM_CHUNKS;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > THREAD_WORK)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        real *sums = scratch ? (real *)scratch + chunk * 2 * columns : NULL;
        if (sums)
            memset(sums, 0, (size_t)(2 * columns) * sizeof(real));
        for (int64_t r = chunk * rows / chunks; r < (chunk + 1) * rows / chunks; r++) {
            const real *x = (const real *)x_ + r * columns, *dy = (const real *)dy_ + r * columns, *kept = kept_;
            const struct moments m = {kept[2 * r], kept[2 * r + 1]};
            if (sums)
                row_sums(x, m, dy, columns, sums);
            if (dx_) /* last: it may lie in the memory of dy */
                row_gradient(x, gamma, m, dy, columns, (real *)dx_ + r * columns, add);
        }
    }
}

void KERNEL(layer_norm_parameters)(const void *scratch, int64_t rows, int64_t columns, void *d_gamma, bool add_gamma,
                                   void *d_beta, bool add_beta)
{
    const int64_t chunks = rows < LAYER_NORM_CHUNKS ? rows : LAYER_NORM_CHUNKS;
    sums_add(scratch, chunks, columns, d_gamma, add_gamma);
    sums_add((const real *)scratch + columns, chunks, columns, d_beta, add_beta);
}
