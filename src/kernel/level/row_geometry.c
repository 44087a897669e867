/* row_geometry.c: rows as vectors: their lengths and the distances between them. */
#include "kernel/level/level.h"

#include <math.h>

static real old(const real *dx, int64_t i, bool add)
{
    return add ? dx[i] : 0;
}

/* row_product: sum a b, in double: rows as large as float allows have a length. */
static double row_product(const real *a, const real *b, int64_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

/* inverse_length: 0 where a row is shorter than 1e-12. */
static double inverse_length(const real *x, int64_t n)
{
    double squared = row_product(x, x, n);
    return squared < 1e-24 ? 0 : 1 / sqrt(squared);
}

void KERNEL(unit_rows)(const void *x_, int64_t rows, int64_t columns, void *y_, int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 100000)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns;
        const double factor = inverse_length(x, columns);
        for (int64_t i = 0; i < columns; i++) {
            y[i] = (real)((double)x[i] * factor);
        }
    }
    (void)threads;
}

void KERNEL(unit_rows_backward)(const void *x_, const void *dy_, int64_t rows, int64_t columns, void *dx_, bool add,
                                int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 100000)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dx = (real *)dx_ + r * columns;
        const double factor = inverse_length(x, columns);
        const double slope = factor * factor * factor * row_product(x, dy, columns);
        for (int64_t i = 0; i < columns; i++) {
            dx[i] = (real)((double)dy[i] * factor - (double)x[i] * slope) + old(dx, i, add);
        }
    }
    (void)threads;
}

/* Columns at a time: those of all rows of a batch stay in the second cache. */
enum { DISTANCE_COLUMNS = 512 };

static real square_distance(const real *a, const real *b, int64_t n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
}

void KERNEL(square_distances)(const void *x_, int64_t rows, int64_t columns, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    for (int64_t i = 0; i < rows; i++) {
        y[i * rows + i] = 0;
    }
    for (int64_t from = 0; from < columns; from += DISTANCE_COLUMNS) {
        const int64_t n = columns - from < DISTANCE_COLUMNS ? columns - from : DISTANCE_COLUMNS;
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (threads > 1 && rows * rows * n > 200000)
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t j = 0; j < i; j++) {
                const real part = square_distance(x + i * columns + from, x + j * columns + from, n);
                y[i * rows + j] = part + (from > 0 ? y[i * rows + j] : 0);
                y[j * rows + i] = y[i * rows + j];
            }
        }
    }
    (void)threads;
}

void KERNEL(square_distances_backward)(const void *x_, const void *dy_, int64_t rows, int64_t columns, void *dx_,
                                       bool add, int threads)
{
    const real *x = x_, *dy = dy_;
    for (int64_t from = 0; from < columns; from += DISTANCE_COLUMNS) {
        const int64_t n = columns - from < DISTANCE_COLUMNS ? columns - from : DISTANCE_COLUMNS;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * rows * n > 200000)
        for (int64_t i = 0; i < rows; i++) {
            const real *at = x + i * columns + from;
            real *dx = (real *)dx_ + i * columns + from;
            for (int64_t d = 0; d < n && !add; d++) {
                dx[d] = 0;
            }
            for (int64_t j = 0; j < rows; j++) {
                const real slope = 2 * (dy[i * rows + j] + dy[j * rows + i]);
                const real *to = x + j * columns + from;
#pragma omp simd
                for (int64_t d = 0; d < n; d++) {
                    dx[d] += slope * (at[d] - to[d]);
                }
            }
        }
    }
    (void)threads;
}
