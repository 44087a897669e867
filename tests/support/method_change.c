/* method_change.c: changing arrays of methods. */
#include "support/method_change.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double number(uint64_t seed, int64_t i)
{
    const struct random_key key = {seed, random_stream("change"), 0};
    return random_normal(&key, (uint64_t)i);
}

static double factor(uint64_t seed, int64_t i)
{
    return exp(0.5 * number(seed, i));
}

static int64_t places(const struct shape *shape)
{
    return shape->rank == 4 ? shape->dim[2] * shape->dim[3] : 1;
}

void change_sample_shift(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    for (int64_t i = 0; !back && i < shape_elements(shape); i++)
        values[i] += 2 * number(seed, i / shape_row(shape));
}

void change_shift(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    for (int64_t i = 0; !back && i < shape_elements(shape); i++)
        values[i] += number(seed, i % shape_row(shape));
}

void change_channel_shift(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    for (int64_t i = 0; !back && i < shape_elements(shape); i++)
        values[i] += number(seed, i % shape_row(shape) / places(shape));
}

void change_each_channel_shift(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    for (int64_t i = 0; !back && i < shape_elements(shape); i++)
        values[i] += number(seed, i / places(shape));
}

void change_scale(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    (void)back;
    for (int64_t i = 0; i < shape_elements(shape); i++)
        values[i] *= factor(seed, 0);
}

void change_sample_scale(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    (void)back;
    for (int64_t i = 0; i < shape_elements(shape); i++)
        values[i] *= factor(seed, i / shape_row(shape));
}

void change_channel_scale(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    (void)back;
    for (int64_t i = 0; i < shape_elements(shape); i++)
        values[i] *= factor(seed, i % shape_row(shape) / places(shape));
}

void change_each_channel_scale(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    (void)back;
    for (int64_t i = 0; i < shape_elements(shape); i++) {
        const int64_t channel = i / places(shape);
        values[i] *= channel % 2 == 0 ? factor(seed, channel) : -factor(seed, channel);
    }
}

void change_channel_order(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    const int64_t row = shape_row(shape), channels = row / places(shape), by = 1 + (int64_t)(seed % 2);
    double *kept = calloc((size_t)row, sizeof *kept);
    assert_non_null(kept);
    for (int64_t b = 0; b < shape->dim[0]; b++) {
        memcpy(kept, values + b * row, (size_t)row * sizeof *kept);
        for (int64_t i = 0; i < row; i++) {
            const int64_t channel = (i / places(shape) + (back ? channels - by : by)) % channels;
            values[b * row + i] = kept[channel * places(shape) + i % places(shape)];
        }
    }
    free(kept);
}

/* orthogonal: q [n,n], rows of random numbers, each made unlike those before it (Gram-Schmidt, twice) and of length 1. */
static void orthogonal(double *q, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = q + i * n, length = 0;
        for (int64_t d = 0; d < n; d++)
            row[d] = number(seed, i * n + d);
        for (int64_t j = 0; j < 2 * i; j++) {
            const double *other = q + j % i * n;
            double product = 0;
            for (int64_t d = 0; d < n; d++)
                product += row[d] * other[d];
            for (int64_t d = 0; d < n; d++)
                row[d] -= product * other[d];
        }
        for (int64_t d = 0; d < n; d++)
            length = hypot(length, row[d]);
        for (int64_t d = 0; d < n; d++)
            row[d] /= length;
    }
}

void change_turn(double *values, const struct shape *shape, uint64_t seed, bool back)
{
    const int64_t row = shape_row(shape);
    double *q = calloc((size_t)(row * row + row), sizeof *q), *kept = q + row * row;
    assert_non_null(q);
    orthogonal(q, row, seed);
    for (int64_t b = 0; b < shape->dim[0]; b++) {
        memcpy(kept, values + b * row, (size_t)row * sizeof *kept);
        for (int64_t i = 0; i < row; i++) {
            values[b * row + i] = 0;
            for (int64_t j = 0; j < row; j++)
                values[b * row + i] += (back ? q[j * row + i] : q[i * row + j]) * kept[j];
        }
    }
    free(q);
}
