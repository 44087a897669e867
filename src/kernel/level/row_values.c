/* row_values.c: rows compared, exchanged and standardised. */
#include "kernel/level/level.h"

#include <math.h>

static real old(const real *dx, int64_t i, bool add)
{
    return add ? dx[i] : 0;
}

/* --- choices --- */

void KERNEL(argmax_rows)(const void *x_, int64_t rows, int64_t columns, int32_t *out)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        int64_t best = 0;
        for (int64_t i = 1; i < columns; i++) {
            best = x[i] > x[best] ? i : best;
        }
        out[r] = (int32_t)best;
    }
}

void KERNEL(swap_columns)(const void *x_, const int32_t *a, const int32_t *b, int64_t rows, int64_t columns, void *y_,
                          bool add)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns;
        bool swap = a[r] >= 0 && a[r] < columns && b[r] >= 0 && b[r] < columns;
        real at_a = swap ? x[a[r]] : 0, at_b = swap ? x[b[r]] : 0;
        real to_a = swap && add ? y[a[r]] : 0, to_b = swap && add ? y[b[r]] : 0;
        for (int64_t i = 0; i < columns; i++) {
            y[i] = x[i] + old(y, i, add);
        }
        if (swap) {
            y[a[r]] = at_b + to_a;
            y[b[r]] = at_a + to_b;
        }
    }
}

void KERNEL(match_rows)(const int32_t *a, const int32_t *b, int64_t n, void *out_)
{
    real *out = out_;
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i] == b[i];
    }
}

void KERNEL(label_rows)(const int32_t *a, int64_t n, void *out_)
{
    real *out = out_;
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i] >= 0;
    }
}

/* --- standardised rows --- */

struct row_statistics {
    real centre, rest; /* mean = centre + rest: x - centre is exact where the mean itself rounds */
    real deviation;
    bool flat;
};

static struct row_statistics statistics_of(const real *x, int64_t n)
{
    struct row_statistics s;
    double sum = 0, rest = 0, squares = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        double magnitude = fabs((double)x[i]);
        sum += (double)x[i];
        largest = magnitude > largest ? magnitude : largest;
    }
    s.centre = (real)(sum / (double)n);
    for (int64_t i = 0; i < n; i++) {
        rest += (double)(x[i] - s.centre);
    }
    rest /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        double distance = (double)(x[i] - s.centre) - rest;
        squares += distance * distance;
    }
    double deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
    s.rest = (real)rest;
    s.deviation = (real)deviation;
    s.flat = deviation == 0 || deviation < 1e-6 * largest;
    return s;
}

void KERNEL(standardise_rows)(const void *x_, int64_t rows, int64_t columns, void *y_)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * columns;
        struct row_statistics s = statistics_of(x, columns);
        real factor = 1 / ((real)1e-7 + s.deviation);
        for (int64_t i = 0; i < columns; i++) {
            y[i] = s.flat ? 0 : (x[i] - s.centre - s.rest) * factor;
        }
    }
}

/* dx_j = (dy_j - mean dy) / u - (x_j - mean) sum_i dy_i (x_i - mean) / (u^2 (n-1) deviation), u = 1e-7 + deviation. */
void KERNEL(standardise_rows_backward)(const void *x_, const void *dy_, int64_t rows, int64_t columns, void *dx_,
                                       bool add)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dx = (real *)dx_ + r * columns;
        struct row_statistics s = statistics_of(x, columns);
        double mean = 0, product = 0;
        for (int64_t i = 0; i < columns; i++) {
            mean += (double)dy[i];
            product += (double)dy[i] * (double)(x[i] - s.centre - s.rest);
        }
        mean /= (double)columns;
        double u = 1e-7 + (double)s.deviation;
        real factor = (real)(1 / u),
             slope = s.flat ? 0 : (real)(product / (u * u * (double)(columns - 1) * (double)s.deviation));
        for (int64_t i = 0; i < columns; i++) {
            real gradient = (dy[i] - (real)mean) * factor - (x[i] - s.centre - s.rest) * slope;
            dx[i] = (s.flat ? 0 : gradient) + old(dx, i, add);
        }
    }
}
