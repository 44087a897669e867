/* index.c: rows and numbers chosen by an index. */
#include "kernel/level/level.h"

#include <string.h>

void KERNEL(gather_rows)(const void *x_, int64_t outer, int64_t n, size_t bytes, const int32_t *index, int64_t count,
                         void *y_)
{
    for (int64_t o = 0; o < outer; o++) {
        const unsigned char *x = (const unsigned char *)x_ + (size_t)(o * n) * bytes;
        unsigned char *y = (unsigned char *)y_ + (size_t)(o * count) * bytes;
        for (int64_t i = 0; i < count; i++, y += bytes) {
            if (index[i] >= 0 && index[i] < n) {
                memcpy(y, x + (size_t)index[i] * bytes, bytes);
            } else {
                memset(y, 0, bytes);
            }
        }
    }
}

void KERNEL(scatter_rows)(const void *dy_, int64_t outer, int64_t n, int64_t columns, const int32_t *index,
                          int64_t count, void *dx_, bool add)
{
    if (!add) {
        memset(dx_, 0, (size_t)(outer * n * columns) * sizeof(real));
    }
    for (int64_t o = 0; o < outer; o++) {
        const real *dy = (const real *)dy_ + o * count * columns;
        for (int64_t i = 0; i < count; i++, dy += columns) {
            if (index[i] < 0 || index[i] >= n) {
                continue;
            }
            real *dx = (real *)dx_ + (o * n + index[i]) * columns;
#pragma omp simd
            for (int64_t c = 0; c < columns; c++) {
                dx[c] += dy[c];
            }
        }
    }
}

void KERNEL(one_hot_rows)(const int32_t *index, int64_t rows, int64_t columns, void *y_)
{
    real *y = y_;
    memset(y, 0, (size_t)(rows * columns) * sizeof(real));
    for (int64_t r = 0; r < rows; r++) {
        if (index[r] >= 0 && index[r] < columns) {
            y[r * columns + index[r]] = 1;
        }
    }
}

/* above: a comes before b in descending order; NaN before all numbers. */
static bool above(real a, real b)
{
    return a > b || (a != a && b == b);
}

void KERNEL(top_k_rows)(const void *x_, int64_t rows, int64_t columns, int64_t k, void *y_, int32_t *index_)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * columns;
        real *y = (real *)y_ + r * k;
        int32_t *index = index_ + r * k;
        for (int64_t i = 0; i < columns; i++) {
            int64_t at = i < k ? i : k; /* the first free place, or beyond the last */
            if (at == k && !above(x[i], y[k - 1])) {
                continue;
            }
            at -= at == k;
            for (; at > 0 && above(x[i], y[at - 1]); at--) {
                y[at] = y[at - 1];
                index[at] = index[at - 1];
            }
            y[at] = x[i];
            index[at] = (int32_t)i;
        }
    }
}

void KERNEL(top_k_rows_backward)(const void *dy_, const int32_t *index, int64_t rows, int64_t columns, int64_t k,
                                 void *dx_, bool add)
{
    const real *dy = dy_;
    real *dx = dx_;
    if (!add) {
        memset(dx, 0, (size_t)(rows * columns) * sizeof(real));
    }
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < k; i++) {
            dx[r * columns + index[r * k + i]] += dy[r * k + i];
        }
    }
}
