/* depthwise.c: convolutions whose channels never mix (as many groups as channels in and out). Lanes over channels.
 *
 * packed [1 + kh * kw][C]: the bias, then each tap's weights. No padded copy: taps outside the map are left out. */
#include "kernel/level/lanes.h"
#include "kernel/level/map.h"

void KERNEL(depthwise_pack)(const struct convolution_shape *s, const void *weight, const void *scale, const void *bias,
                            void *packed)
{
    const real *w = weight, *factor = scale, *start = bias;
    const int64_t taps = s->kernel[0] * s->kernel[1];
    real *to = packed;
    for (int64_t c = 0; c < s->in; c++) {
        to[c] = start ? start[c] : 0;
        for (int64_t t = 0; t < taps; t++)
            to[(1 + t) * s->in + c] = w[c * taps + t] * (factor ? factor[c] : 1);
    }
}

/* The taps that meet the map: 0 <= at + tap * dilation < size for tap in [*first, *end). */
static void taps_inside(int64_t at, int64_t size, int64_t dilation, int64_t kernel, int64_t *first, int64_t *end)
{
    *first = at < 0 ? (-at + dilation - 1) / dilation : 0;
    *end = at < size ? (size - 1 - at) / dilation + 1 : 0;
    if (*end > kernel)
        *end = kernel;
    if (*first > *end)
        *first = *end;
}

/* One pass over a map: y[h][w] = start + sum over taps of x[h * stride + before + tap * dilation] * weight[tap]. The data pass
 * with stride 1 is the same with its taps from the last to the first. */
struct depthwise_pass {
    int64_t channels, x_size[2], y_size[2], kernel[2], stride[2], dilation[2], before[2];
    const real *weight; /* of tap 0 */
    ptrdiff_t tap;      /* from a tap's weights to the next's; negative: turned */
    const real *start;  /* [channels] or NULL */
    bool add;
    real limit;
};

/* `wide` is what one step of the loop over channels holds: a vector, half of one, or one number. */
typedef real half_vector __attribute__((vector_size(VECTOR_BYTES / 2)));
#define PIXELS_MOST 4

#define DEPTHWISE_PIXELS(name, wide)                                                                                   \
    /* name: `pixels` neighbours that all see the taps [w0, w1) of the kernel's rows [h0, h1). */                      \
    VECTOR_INLINE void name(const struct depthwise_pass *p, const int pixels, const real *x, int64_t c, int64_t h0,    \
                            int64_t h1, int64_t w0, int64_t w1, real *y)                                               \
    {                                                                                                                  \
        wide sum[PIXELS_MOST], v, w;                                                                                   \
        for (int i = 0; i < pixels; i++)                                                                               \
            sum[i] = (wide){0};                                                                                        \
        if (p->start)                                                                                                  \
            for (int i = 0; i < pixels; i++)                                                                           \
                memcpy(&sum[i], p->start + c, sizeof(wide));                                                           \
        const ptrdiff_t step = (ptrdiff_t)(p->stride[1] * p->channels);                                                \
        for (int64_t kh = h0; kh < h1; kh++) {                                                                         \
            const real *from = x + (kh * p->dilation[0] * p->x_size[1] + w0 * p->dilation[1]) * p->channels + c;       \
            const real *weight = p->weight + (kh * p->kernel[1] + w0) * p->tap + c;                                    \
            for (int64_t kw = w0; kw < w1; kw++, from += p->dilation[1] * p->channels, weight += p->tap) {             \
                memcpy(&w, weight, sizeof(wide));                                                                      \
                for (int i = 0; i < pixels; i++) {                                                                     \
                    memcpy(&v, from + i * step, sizeof(wide));                                                         \
                    sum[i] += v * w;                                                                                   \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < pixels; i++) {                                                                             \
            real *to = y + i * p->channels + c;                                                                        \
            if (p->add) {                                                                                              \
                memcpy(&v, to, sizeof(wide));                                                                          \
                sum[i] += v;                                                                                           \
            }                                                                                                          \
            memcpy(to, &sum[i], sizeof(wide));                                                                         \
        }                                                                                                              \
    }

DEPTHWISE_PIXELS(pixels_vector, vector)
#if HALF > 1
DEPTHWISE_PIXELS(pixels_half, half_vector)
#endif
DEPTHWISE_PIXELS(pixels_one, real)

static void clip(real limit, int64_t n, real *y)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real v = y[i] <= 0 ? 0 : y[i];
        y[i] = v > limit ? limit : v;
    }
}

/* All channels of `pixels` (1 or PIXELS_MOST) neighbours. */
VECTOR_INLINE void all_channels(const struct depthwise_pass *p, const int pixels, const real *x, int64_t h0, int64_t h1,
                                int64_t w0, int64_t w1, real *y)
{
    int64_t c = 0;
    for (; c + LANES <= p->channels; c += LANES)
        pixels_vector(p, pixels, x, c, h0, h1, w0, w1, y);
#if HALF > 1
    for (; c + HALF <= p->channels; c += HALF)
        pixels_half(p, pixels, x, c, h0, h1, w0, w1, y);
#endif
    for (; c < p->channels; c++)
        pixels_one(p, pixels, x, c, h0, h1, w0, w1, y);
}

static void depthwise_sample(const struct depthwise_pass *p, const real *x, real *y)
{
    const int64_t last_tap = (p->kernel[1] - 1) * p->dilation[1];
    for (int64_t h = 0; h < p->y_size[0]; h++) {
        const int64_t row = h * p->stride[0] + p->before[0];
        int64_t h0, h1;
        taps_inside(row, p->x_size[0], p->dilation[0], p->kernel[0], &h0, &h1);
        for (int64_t w = 0; w < p->y_size[1];) {
            const int64_t column = w * p->stride[1] + p->before[1];
            const int64_t end = column + (PIXELS_MOST - 1) * p->stride[1] + last_tap;
            const real *from = x + (row * p->x_size[1] + column) * p->channels;
            real *to = y + (h * p->y_size[1] + w) * p->channels;
            if (column >= 0 && end < p->x_size[1] && w + PIXELS_MOST <= p->y_size[1]) {
                all_channels(p, PIXELS_MOST, from, h0, h1, 0, p->kernel[1], to);
                w += PIXELS_MOST;
            } else {
                int64_t w0, w1;
                taps_inside(column, p->x_size[1], p->dilation[1], p->kernel[1], &w0, &w1);
                all_channels(p, 1, from, h0, h1, w0, w1, to);
                w++;
            }
        }
        if (p->limit >= 0)
            clip(p->limit, p->y_size[1] * p->channels, y + h * p->y_size[1] * p->channels);
    }
}

static void depthwise_batch(const struct convolution_shape *s, const struct depthwise_pass *pass, const real *x,
                            real *y, int threads)
{
    const int64_t x_sample = pass->x_size[0] * pass->x_size[1] * pass->channels;
    const int64_t y_sample = pass->y_size[0] * pass->y_size[1] * pass->channels;
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++)
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++)
            depthwise_sample(pass, x + b * x_sample, y + b * y_sample);
}

void KERNEL(depthwise_forward)(const struct convolution_shape *s, const void *x, const void *packed, double limit,
                               void *y, int threads)
{
    struct depthwise_pass pass = {.channels = s->in, .limit = (real)limit, .tap = (ptrdiff_t)s->in};
    for (int i = 0; i < 2; i++) {
        pass.x_size[i] = s->size[i];
        pass.y_size[i] = s->out_size[i];
        pass.kernel[i] = s->kernel[i];
        pass.stride[i] = s->stride[i];
        pass.dilation[i] = s->dilation[i];
        pass.before[i] = -s->padding[i];
    }
    pass.start = packed;
    pass.weight = (const real *)packed + s->in;
    depthwise_batch(s, &pass, x, y, threads);
}

/* Spreading each pixel of dy over the pixels that it saw; the way for strides, and where dy is much smaller than x. */
static bool is_spread(const struct convolution_shape *s)
{
    return s->stride[0] > 1 || s->stride[1] > 1 || 4 * s->out_size[0] * s->out_size[1] <= s->size[0] * s->size[1];
}

/* spread_row: dx [n pixels][channels] += dy [channels] * weight [n taps][channels]; dx and weight as far apart as said. */
static void spread_row(int64_t n, int64_t channels, const real *dy, const real *weight, int64_t x_step, real *dx)
{
    for (int64_t i = 0; i < n; i++)
#pragma omp simd
        for (int64_t c = 0; c < channels; c++)
            dx[i * x_step + c] += dy[c] * weight[i * channels + c];
}

static void spread_sample(const struct convolution_shape *s, const real *dy, const real *weight, bool add, real *dx)
{
    const int64_t channels = s->in;
    if (!add)
        memset(dx, 0, (size_t)(s->size[0] * s->size[1] * channels) * sizeof *dx);
    for (int64_t h = 0; h < s->out_size[0]; h++) {
        for (int64_t w = 0; w < s->out_size[1]; w++) {
            const int64_t row = h * s->stride[0] - s->padding[0], column = w * s->stride[1] - s->padding[1];
            const real *from = dy + (h * s->out_size[1] + w) * channels;
            int64_t h0, h1, w0, w1;
            taps_inside(row, s->size[0], s->dilation[0], s->kernel[0], &h0, &h1);
            taps_inside(column, s->size[1], s->dilation[1], s->kernel[1], &w0, &w1);
            for (int64_t kh = h0; kh < h1; kh++)
                spread_row(w1 - w0, channels, from, weight + (kh * s->kernel[1] + w0) * channels,
                           s->dilation[1] * channels,
                           dx + ((row + kh * s->dilation[0]) * s->size[1] + column + w0 * s->dilation[1]) * channels);
        }
    }
}

void KERNEL(depthwise_data)(const struct convolution_shape *s, const void *dy, const void *packed, bool add, void *dx,
                            int threads)
{
    const real *weight = (const real *)packed + s->in;
    if (!is_spread(s)) {
        struct depthwise_pass pass = {.channels = s->in, .limit = -1, .tap = -(ptrdiff_t)s->in, .add = add};
        for (int i = 0; i < 2; i++) {
            pass.x_size[i] = s->out_size[i];
            pass.y_size[i] = s->size[i];
            pass.kernel[i] = s->kernel[i];
            pass.stride[i] = 1;
            pass.dilation[i] = s->dilation[i];
            pass.before[i] = s->padding[i] - (s->kernel[i] - 1) * s->dilation[i];
        }
        pass.weight = weight + (s->kernel[0] * s->kernel[1] - 1) * s->in;
        depthwise_batch(s, &pass, dy, dx, threads);
        return;
    }
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->in;
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++)
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++)
            spread_sample(s, (const real *)dy + b * y_sample, weight, add, (real *)dx + b * x_sample);
}
