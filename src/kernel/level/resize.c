/* resize.c: maps of another height and width, each pixel mixed from at most four. */
#include "kernel/resize.h"
#include "kernel/level/level.h"

#include <string.h>

enum { ENOUGH_RESIZED = 100000 }; /* outputs for which threads pay */

/* The four pixels of x [in0, in1, channels] that output (i, j) mixes, as offsets, and their shares. */
struct corners {
    int64_t offset[4];
    real share[4];
    int count; /* the first `count` have a share */
};

static struct corners corners_of(const struct resize_shape *s, int64_t i, int64_t j)
{
    const struct resize_tap *row = &s->tap[0][i], *column = &s->tap[1][j];
    struct corners out = {.count = 0};
    for (int k = 0; k < 4; k++) {
        const double of_row = k & 2 ? row->weight : 1 - row->weight;
        const double of_column = k & 1 ? column->weight : 1 - column->weight;
        if ((k & 2 && row->weight == 0) || (k & 1 && column->weight == 0)) {
            continue;
        }
        const int64_t y = k & 2 ? row->high : row->low, x = k & 1 ? column->high : column->low;
        out.offset[out.count] = (y * s->in[1] + x) * s->channels;
        out.share[out.count++] = (real)(of_row * of_column);
    }
    return out;
}

static void pixel_mix(const struct corners *from, const real *x, int64_t channels, real *y)
{
    if (from->count == 1) {
        memcpy(y, x + from->offset[0], (size_t)channels * sizeof(real)); /* the share is 1 */
        return;
    }
    const real *a = x + from->offset[0], *b = x + from->offset[1];
    const real p = from->share[0], q = from->share[1];
    if (from->count == 2) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            y[c] = p * a[c] + q * b[c];
        }
        return;
    }
    const real *d = x + from->offset[2], *e = x + from->offset[3];
    const real r = from->share[2], t = from->share[3];
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
        y[c] = (p * a[c] + q * b[c]) + (r * d[c] + t * e[c]);
    }
}

void KERNEL(resize_forward)(const struct resize_shape *s, const void *x_, void *y_, int threads)
{
    const int64_t rows = s->batch * s->out[0], width = s->out[1] * s->channels;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * width > ENOUGH_RESIZED)
    for (int64_t row = 0; row < rows; row++) {
        const real *x = (const real *)x_ + row / s->out[0] * s->in[0] * s->in[1] * s->channels;
        real *y = (real *)y_ + row * width;
        for (int64_t j = 0; j < s->out[1]; j++) {
            const struct corners from = corners_of(s, row % s->out[0], j);
            pixel_mix(&from, x, s->channels, y + j * s->channels);
        }
    }
    (void)threads;
}

void KERNEL(resize_backward)(const struct resize_shape *s, const void *dy_, void *dx_, bool add, int threads)
{
    const int64_t in = s->in[0] * s->in[1] * s->channels, out = s->out[0] * s->out[1] * s->channels;
#pragma omp parallel for num_threads(threads) if (threads > 1 && s->batch * out > ENOUGH_RESIZED)
    for (int64_t b = 0; b < s->batch; b++) {
        const real *dy = (const real *)dy_ + b * out;
        real *dx = (real *)dx_ + b * in;
        if (!add) {
            memset(dx, 0, (size_t)in * sizeof(real));
        }
        for (int64_t i = 0; i < s->out[0] * s->out[1]; i++, dy += s->channels) {
            const struct corners to = corners_of(s, i / s->out[1], i % s->out[1]);
            for (int k = 0; k < to.count; k++) {
                real *target = dx + to.offset[k];
                const real share = to.share[k];
#pragma omp simd
                for (int64_t c = 0; c < s->channels; c++) {
                    target[c] += share * dy[c];
                }
            }
        }
    }
    (void)threads;
}
