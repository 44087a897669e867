/* shape.c: copies. */
#include "kernel/level/level.h"

#include <string.h>

void KERNEL(copy_rows)(const void *x_, int64_t rows, size_t bytes, size_t x_stride, void *y_, size_t y_stride)
{
    const unsigned char *x = x_;
    unsigned char *y = y_;
    if (bytes == x_stride && bytes == y_stride) {
        memcpy(y, x, (size_t)rows * bytes);
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        memcpy(y + (size_t)r * y_stride, x + (size_t)r * x_stride, bytes);
    }
}

void KERNEL(add_rows)(const void *x_, int64_t rows, int64_t columns, int64_t x_stride, void *y_, int64_t y_stride)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)x_ + r * x_stride;
        real *y = (real *)y_ + r * y_stride;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            y[i] += x[i];
        }
    }
}

void KERNEL(fill_values)(int64_t n, double value, void *y_)
{
    real *y = y_;
    for (int64_t i = 0; i < n; i++) {
        y[i] = (real)value;
    }
}
