/* pool.c: maximum and average over windows of a map [B,H,W,C]. The place of the maximum is found again in backward from
 * x, which costs less than to store it. */
#include "kernel/pool.h"

#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/pieces.h"

#include <string.h>

#if VECTOR_BYTES >= 64
#define PIECE_WIDTH w64
#include "kernel/level/pool_pieces.h"
#endif
#if VECTOR_BYTES >= 32
#define PIECE_WIDTH w32
#include "kernel/level/pool_pieces.h"
#endif
#define PIECE_WIDTH w16
#include "kernel/level/pool_pieces.h"
#define PIECE_WIDTH w1
#include "kernel/level/pool_pieces.h"

enum {
    CHANNELS = 64,       /* channels that are worked on at a time */
    THREAD_WORK = 50000, /* elements below which a second thread costs more than it saves */
};

static bool is_two_by_two(const struct pool_shape *s)
{
    return !s->bins && s->kernel[0] == 2 && s->kernel[1] == 2 && s->stride[0] == 2 && s->stride[1] == 2 &&
           s->padding[0] == 0 && s->padding[1] == 0;
}

/* The part of the map that a window covers: rows [top, bottom), columns [left, right). */
struct window {
    int64_t top, bottom, left, right;
};

static struct window bin_at(const struct pool_shape *s, int64_t i, int64_t j)
{
    return (struct window){.top = i * s->height / s->out_height,
                           .bottom = ((i + 1) * s->height + s->out_height - 1) / s->out_height,
                           .left = j * s->width / s->out_width,
                           .right = ((j + 1) * s->width + s->out_width - 1) / s->out_width};
}

static struct window window_at(const struct pool_shape *s, int64_t i, int64_t j)
{
    if (s->bins)
        return bin_at(s, i, j);
    struct window w = {.top = i * s->stride[0] - s->padding[0], .left = j * s->stride[1] - s->padding[1]};
    w.bottom = w.top + s->kernel[0] < s->height ? w.top + s->kernel[0] : s->height;
    w.right = w.left + s->kernel[1] < s->width ? w.left + s->kernel[1] : s->width;
    w.top = w.top < 0 ? 0 : w.top;
    w.left = w.left < 0 ? 0 : w.left;
    return w;
}

/* --- 2x2 --- */

/* Samples one behind the other of even height are one map of many rows; so each row of pairs is done for itself. */
static void two_by_two_forward(const struct pool_shape *s, bool maximum, const real *x, real *y, int threads)
{
    int64_t channels = s->channels, down = s->width * channels, rows = s->samples * s->out_height;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * down > THREAD_WORK)
    for (int64_t row = 0; row < rows; row++) {
        const real *from = x + (row / s->out_height * s->height + row % s->out_height * 2) * down;
        real *to = y + row * s->out_width * channels;
#define FORWARD(suffix, c) max_forward_##suffix(from + (c), channels, down, s->out_width, to + (c))
#define AVERAGE(suffix, c) average_forward_##suffix(from + (c), channels, down, s->out_width, to + (c))
        if (maximum)
            PIECES(channels, FORWARD)
        else
            PIECES(channels, AVERAGE)
    }
}

/* x: of the maximum; NULL: of the average. */
static void two_by_two_backward(const struct pool_shape *s, const real *x, const real *dy, real *dx, bool add,
                                int threads)
{
    int64_t channels = s->channels, down = s->width * channels, rows = s->samples * s->out_height;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * down > THREAD_WORK)
    for (int64_t row = 0; row < rows; row++) {
        int64_t start = (row / s->out_height * s->height + row % s->out_height * 2) * down;
        const real *from = x ? x + start : NULL, *d = dy + row * s->out_width * channels;
        real *to = dx + start;
#define BACKWARD(suffix, c) max_backward_##suffix(from + (c), channels, down, s->out_width, d + (c), to + (c), add)
#define AVERAGE_BACKWARD(suffix, c) average_backward_##suffix(channels, down, s->out_width, d + (c), to + (c), add)
        if (x)
            PIECES(channels, BACKWARD)
        else
            PIECES(channels, AVERAGE_BACKWARD)
        /* What no window covers: the last column and the last row of odd maps. */
        if (!add && s->width % 2 == 1) {
            memset(to + down - channels, 0, (size_t)channels * sizeof(real));
            memset(to + 2 * down - channels, 0, (size_t)channels * sizeof(real));
        }
        if (!add && s->height % 2 == 1 && row % s->out_height == s->out_height - 1)
            memset(dx + start + 2 * down, 0, (size_t)down * sizeof(real));
    }
}

/* --- maximum --- */

/* find_largest: of channels [c, c + n) in the window: values, and their pixels h * width + w. */
static void find_largest(const struct pool_shape *s, const real *x, struct window w, int64_t c, int64_t n, real *most,
                         int64_t *place)
{
    const real *first = x + (w.top * s->width + w.left) * s->channels + c;
    for (int64_t k = 0; k < n; k++) {
        most[k] = first[k];
        place[k] = w.top * s->width + w.left;
    }
    for (int64_t h = w.top; h < w.bottom; h++) {
        for (int64_t v = w.left; v < w.right; v++) {
            const real *pixel = x + (h * s->width + v) * s->channels + c;
#pragma omp simd
            for (int64_t k = 0; k < n; k++) {
                bool later = pixel[k] > most[k] || pixel[k] != pixel[k];
                most[k] = later ? pixel[k] : most[k];
                place[k] = later ? h * s->width + v : place[k];
            }
        }
    }
}

static void max_sample(const struct pool_shape *s, const real *x, real *y)
{
    for (int64_t i = 0; i < s->out_height * s->out_width; i++) {
        struct window w = window_at(s, i / s->out_width, i % s->out_width);
        real *to = y + i * s->channels;
        memcpy(to, x + (w.top * s->width + w.left) * s->channels, (size_t)s->channels * sizeof(real));
        for (int64_t h = w.top; h < w.bottom; h++) {
            for (int64_t v = w.left; v < w.right; v++) {
                const real *pixel = x + (h * s->width + v) * s->channels;
#pragma omp simd
                for (int64_t c = 0; c < s->channels; c++)
                    to[c] = pixel[c] > to[c] || pixel[c] != pixel[c] ? pixel[c] : to[c];
            }
        }
    }
}

void KERNEL(max_pool_forward)(const struct pool_shape *s, const void *x_, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    if (is_two_by_two(s)) {
        two_by_two_forward(s, true, x, y, threads);
        return;
    }
    int64_t in = s->height * s->width * s->channels, out = s->out_height * s->out_width * s->channels;
#pragma omp parallel for num_threads(threads) if (threads > 1 && s->samples * in > THREAD_WORK)
    for (int64_t b = 0; b < s->samples; b++)
        max_sample(s, x + b * in, y + b * out);
}

void KERNEL(max_pool_backward)(const struct pool_shape *s, const void *x_, const void *dy_, void *dx_, bool add,
                               int threads)
{
    const real *x = x_, *dy = dy_;
    real *dx = dx_;
    if (is_two_by_two(s)) {
        two_by_two_backward(s, x, dy, dx, add, threads);
        return;
    }
    int64_t in = s->height * s->width * s->channels, windows = s->out_height * s->out_width;
#pragma omp parallel for num_threads(threads) if (threads > 1 && s->samples * in > THREAD_WORK)
    for (int64_t b = 0; b < s->samples; b++) {
        if (!add)
            memset(dx + b * in, 0, (size_t)in * sizeof(real));
        for (int64_t i = 0; i < windows; i++) {
            struct window w = window_at(s, i / s->out_width, i % s->out_width);
            for (int64_t c = 0; c < s->channels; c += CHANNELS) {
                real most[CHANNELS];
                int64_t place[CHANNELS], n = s->channels - c < CHANNELS ? s->channels - c : CHANNELS;
                find_largest(s, x + b * in, w, c, n, most, place);
                for (int64_t k = 0; k < n; k++)
                    dx[b * in + place[k] * s->channels + c + k] += dy[(b * windows + i) * s->channels + c + k];
            }
        }
    }
}

/* --- average --- */

/* From this many pixels on sums need more digits than the table's precision has. */
enum { FEW_PIXELS = 256 };

/* What a window's sum is divided by: its own pixels in a bin, else the kernel's, those in the padding too. */
static int64_t window_pixels(const struct pool_shape *s, struct window w)
{
    return s->bins ? (w.bottom - w.top) * (w.right - w.left) : s->kernel[0] * s->kernel[1];
}

/* window_sum: y [n] = part times the sums of n channels over rows x columns pixels. */
static void window_sum(const struct pool_shape *s, const real *x, int64_t rows, int64_t columns, int64_t n, real part,
                       real *y)
{
    const int64_t right = s->channels, down = s->width * right;
#define SUM(suffix, c) window_sum_##suffix(x + (c), rows, columns, right, down, part, y + (c))
    PIECES(n, SUM)
}

static void average_large(const struct pool_shape *s, const real *x, struct window w, real *y)
{
    double size = (double)window_pixels(s, w);
    for (int64_t c = 0; c < s->channels; c += CHANNELS) {
        int64_t n = s->channels - c < CHANNELS ? s->channels - c : CHANNELS;
        double total[CHANNELS] = {0};
        for (int64_t h = w.top; h < w.bottom; h++)
            for (int64_t v = w.left; v < w.right; v += FEW_PIXELS) {
                real part[CHANNELS];
                int64_t columns = w.right - v < FEW_PIXELS ? w.right - v : FEW_PIXELS;
                window_sum(s, x + (h * s->width + v) * s->channels + c, 1, columns, n, 1, part);
                for (int64_t k = 0; k < n; k++)
                    total[k] += (double)part[k];
            }
        for (int64_t k = 0; k < n; k++)
            y[c + k] = (real)(total[k] / size);
    }
}

static void average_sample(const struct pool_shape *s, const real *x, real *y)
{
    for (int64_t i = 0; i < s->out_height; i++)
        for (int64_t j = 0; j < s->out_width; j++, y += s->channels) {
            struct window w = window_at(s, i, j);
            int64_t pixels = window_pixels(s, w);
            if (pixels >= FEW_PIXELS)
                average_large(s, x, w, y);
            else
                window_sum(s, x + (w.top * s->width + w.left) * s->channels, w.bottom - w.top, w.right - w.left,
                           s->channels, (real)(1 / (double)pixels), y);
        }
}

static void spread_window(const struct pool_shape *s, struct window w, const real *dy, real *dx, bool add)
{
    const int64_t channels = s->channels, down = s->width * channels;
    const int64_t rows = w.bottom - w.top, columns = w.right - w.left;
    real part = (real)(1 / (double)window_pixels(s, w)), *to = dx + w.top * down + w.left * channels;
#define SPREAD(suffix, c) window_spread_##suffix(dy + (c), rows, columns, channels, down, part, to + (c), add)
    PIECES(channels, SPREAD)
}

static void spread_sample(const struct pool_shape *s, const real *dy, real *dx, bool add)
{
    struct window first = window_at(s, 0, 0);
    bool covers = first.bottom - first.top == s->height && first.right - first.left == s->width;
    if (!add && !covers)
        memset(dx, 0, (size_t)(s->height * s->width * s->channels) * sizeof(real));
    for (int64_t i = 0; i < s->out_height; i++)
        for (int64_t j = 0; j < s->out_width; j++, dy += s->channels)
            spread_window(s, window_at(s, i, j), dy, dx, add || !covers || i + j > 0);
}

void KERNEL(average_pool_forward)(const struct pool_shape *s, const void *x_, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    if (is_two_by_two(s)) {
        two_by_two_forward(s, false, x, y, threads);
        return;
    }
    int64_t in = s->height * s->width * s->channels, out = s->out_height * s->out_width * s->channels;
#pragma omp parallel for num_threads(threads) if (threads > 1 && s->samples * in > THREAD_WORK)
    for (int64_t b = 0; b < s->samples; b++)
        average_sample(s, x + b * in, y + b * out);
}

void KERNEL(average_pool_backward)(const struct pool_shape *s, const void *dy_, void *dx_, bool add, int threads)
{
    const real *dy = dy_;
    real *dx = dx_;
    if (is_two_by_two(s)) {
        two_by_two_backward(s, NULL, dy, dx, add, threads);
        return;
    }
    int64_t in = s->height * s->width * s->channels, out = s->out_height * s->out_width * s->channels;
#pragma omp parallel for num_threads(threads) if (threads > 1 && s->samples * in > THREAD_WORK)
    for (int64_t b = 0; b < s->samples; b++)
        spread_sample(s, dy + b * out, dx + b * in, add);
}
