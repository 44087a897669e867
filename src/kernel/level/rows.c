/* rows.c: softmax and cross entropy, row by row. All exponents are of differences to the
 * row's largest value, so nothing overflows. */
#include "kernel/level/level.h"

#include "kernel/level/exp.h"

#include <math.h>
#include <string.h>

/* A row's tail is computed in whole blocks as well: ten classes are the usual row. */
enum { BLOCK = 16 };

static real largest_of(const real *x, int64_t n)
{
    real largest = x[0];
#pragma omp simd reduction(max : largest)
    for (int64_t i = 0; i < n; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    return largest;
}

/* exp_shifted: y = exp(x - shift - more); returns the sum. y NULL: the sum alone; y may be x. The two parts of the
 * shift are subtracted one after the other: x - shift is exact where their sum would round. */
static real exp_shifted(const real *x, int64_t n, real shift, real more, real *y)
{
    real sum = 0, sums[BLOCK] = {0};
    const int64_t whole = n - n % BLOCK;
    for (int64_t from = 0; from < whole; from += BLOCK) {
#pragma omp simd
        for (int64_t i = 0; i < BLOCK; i++) {
            const real e = real_exp(x[from + i] - shift - more);
            sums[i] += e;
            if (y) {
                y[from + i] = e;
            }
        }
    }
    for (int64_t i = 0; whole > 0 && i < BLOCK; i++) {
        sum += sums[i];
    }
    for (int64_t from = whole; from < n; from += BLOCK) {
        real block[BLOCK];
        int64_t count = n - from < BLOCK ? n - from : BLOCK;
        for (int64_t i = 0; i < BLOCK; i++) {
            block[i] = i < count ? x[from + i] : shift;
        }
#pragma omp simd
        for (int64_t i = 0; i < BLOCK; i++) {
            block[i] = real_exp(block[i] - shift - more);
        }
        for (int64_t i = 0; i < count; i++) {
            sum += block[i];
        }
        if (y) {
            memcpy(y + from, block, (size_t)count * sizeof(real));
        }
    }
    return sum;
}

static real log_of(real x)
{
    return (real)log((double)x);
}

static real old(const real *dx, int64_t i, bool add)
{
    return add ? dx[i] : 0;
}

/* --- softmax --- */

void KERNEL(softmax_rows)(const void *x_, int64_t rows, int64_t columns, void *y_, int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 20000)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns;
        real factor = 1 / exp_shifted(x, columns, largest_of(x, columns), 0, y);
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            y[i] *= factor;
        }
    }
    (void)threads;
}

void KERNEL(softmax_rows_backward)(const void *y_, const void *dy_, int64_t rows, int64_t columns, void *dx_, bool add,
                                   int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 100000)
    for (int64_t r = 0; r < rows; r++) {
        const real *y = (const real *)y_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dx = (real *)dx_ + r * columns, sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < columns; i++) {
            sum += y[i] * dy[i];
        }
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            dx[i] = y[i] * (dy[i] - sum) + old(dx, i, add);
        }
    }
    (void)threads;
}

void KERNEL(log_softmax_rows)(const void *x_, int64_t rows, int64_t columns, void *y_, int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 20000)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns, largest = largest_of(x, columns);
        real log_sum = log_of(exp_shifted(x, columns, largest, 0, NULL));
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            y[i] = x[i] - largest - log_sum;
        }
    }
    (void)threads;
}

void KERNEL(log_softmax_rows_backward)(const void *y_, const void *dy_, int64_t rows, int64_t columns, void *dx_,
                                       bool add, int threads)
{
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 20000)
    for (int64_t r = 0; r < rows; r++) {
        const real *y = (const real *)y_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dx = (real *)dx_ + r * columns, sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < columns; i++) {
            sum += dy[i];
        }
        for (int64_t from = 0; from < columns; from += BLOCK) {
            real p[BLOCK];
            int64_t count = columns - from < BLOCK ? columns - from : BLOCK;
            exp_shifted(y + from, count, 0, 0, p);
#pragma omp simd
            for (int64_t i = 0; i < count; i++) {
                dx[from + i] = dy[from + i] - p[i] * sum + old(dx, from + i, add);
            }
        }
    }
    (void)threads;
}

/* --- cross entropy --- */

/* row_norm: norm [2] = the largest x, log sum exp(x - largest). */
static void row_norm(const real *x, int64_t columns, real *norm)
{
    norm[0] = largest_of(x, columns);
    norm[1] = log_of(exp_shifted(x, columns, norm[0], 0, NULL));
}

void KERNEL(cross_entropy_rows)(const void *x_, const int32_t *labels, int64_t rows, int64_t columns, double smoothing,
                                void *loss_, void *norm_)
{
    real *loss = loss_;
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real own[2], *norm = norm_ ? (real *)norm_ + 2 * r : own;
        row_norm(x, columns, norm);
        loss[r] = 0;
        if (labels[r] < 0) {
            continue;
        }
        real sum = 0; /* of -log softmax over the classes */
        if (smoothing > 0) {
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < columns; i++) {
                sum += norm[1] - (x[i] - norm[0]);
            }
        }
        real own_class = norm[1] - (x[labels[r]] - norm[0]);
        loss[r] = (real)(1 - smoothing) * own_class + (real)(smoothing / (double)columns) * sum;
    }
}

void KERNEL(cross_entropy_rows_backward)(const void *x_, const int32_t *labels, const void *norm_, const void *d_loss_,
                                         int64_t rows, int64_t columns, double smoothing, void *dx_, bool add)
{
    const real *d_loss = d_loss_;
    real each = (real)(smoothing / (double)columns), one = (real)(1 - smoothing);
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns, *norm = (const real *)norm_ + 2 * r;
        real *dx = (real *)dx_ + r * columns, factor = labels[r] < 0 ? 0 : d_loss[r];
        for (int64_t from = 0; from < columns; from += BLOCK) {
            real p[BLOCK];
            int64_t count = columns - from < BLOCK ? columns - from : BLOCK;
            exp_shifted(x + from, count, norm[0], norm[1], p);
            for (int64_t i = 0; i < count; i++) {
                real target = each + (from + i == labels[r] ? one : 0);
                dx[from + i] = factor * (p[i] - target) + old(dx, from + i, add);
            }
        }
    }
}

void KERNEL(cross_entropy_soft_rows)(const void *x_, const void *targets_, int64_t rows, int64_t columns, void *loss_,
                                     void *norm_)
{
    real *loss = loss_;
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns, *targets = (const real *)targets_ + r * columns;
        real own[2], *norm = norm_ ? (real *)norm_ + 2 * r : own, sum = 0;
        row_norm(x, columns, norm);
        real largest = norm[0], log_sum = norm[1];
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < columns; i++) {
            sum += targets[i] * (log_sum - (x[i] - largest));
        }
        loss[r] = sum;
    }
}

void KERNEL(cross_entropy_soft_rows_backward)(const void *x_, const void *targets_, const void *norm_,
                                              const void *d_loss_, int64_t rows, int64_t columns, void *dx_,
                                              bool add_dx, void *d_targets_, bool add_d_targets)
{
    const real *d_loss = d_loss_;
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns, *targets = (const real *)targets_ + r * columns;
        const real *norm = (const real *)norm_ + 2 * r;
        real *dx = dx_ ? (real *)dx_ + r * columns : NULL, total = 0;
        real *d_targets = d_targets_ ? (real *)d_targets_ + r * columns : NULL;
#pragma omp simd reduction(+ : total)
        for (int64_t i = 0; i < columns; i++) {
            total += targets[i];
        }
        for (int64_t from = 0; dx && from < columns; from += BLOCK) {
            real p[BLOCK];
            int64_t count = columns - from < BLOCK ? columns - from : BLOCK;
            exp_shifted(x + from, count, norm[0], norm[1], p);
            for (int64_t i = 0; i < count; i++) {
                dx[from + i] = d_loss[r] * (p[i] * total - targets[from + i]) + old(dx, from + i, add_dx);
            }
        }
        for (int64_t i = 0; d_targets && i < columns; i++) {
            d_targets[i] = d_loss[r] * (norm[1] - (x[i] - norm[0])) + old(d_targets, i, add_d_targets);
        }
    }
}
