/* depthwise_weights.c: d loss / d weight of a depthwise convolution: dw[c][tap] = sum of dy[h][w][c] * x[…tap…][c]. Lanes over
 * channels; each chunk of the batch has its own sums [taps][C], added up in the order of the chunks. */
#include "kernel/level/lanes.h"
#include "kernel/level/map.h"

/* The pixels of y whose tap lies inside the map: 0 <= y * stride + at < size for y in [*first, *end). */
static void pixels_inside(int64_t at, int64_t size, int64_t stride, int64_t count, int64_t *first, int64_t *end)
{
    *first = at < 0 ? (-at + stride - 1) / stride : 0;
    *end = at < size ? (size - 1 - at) / stride + 1 : 0;
    if (*end > count)
        *end = count;
    if (*first > *end)
        *first = *end;
}

/* What one tap sees of one sample. */
struct seen {
    int64_t h0, h1, w0, w1; /* of dy */
    const real *x;          /* what dy[0][0] meets; need not exist */
    const real *dy;
    ptrdiff_t x_row, x_step, dy_row, dy_step;
};

typedef real half_vector __attribute__((vector_size(VECTOR_BYTES / 2)));

#define DEPTHWISE_TAP(name, wide)                                                                                      \
    VECTOR_INLINE void name(const struct seen *s, int64_t c, real *sum)                                                \
    {                                                                                                                  \
        wide total[4] = {(wide){0}}, a, b; /* four sums hide the latency of an addition */                             \
        for (int64_t h = s->h0; h < s->h1; h++) {                                                                      \
            const real *x = s->x + h * s->x_row + s->w0 * s->x_step + c;                                               \
            const real *dy = s->dy + h * s->dy_row + s->w0 * s->dy_step + c;                                           \
            int64_t w = s->w0;                                                                                         \
            for (; w + 4 <= s->w1; w += 4, x += 4 * s->x_step, dy += 4 * s->dy_step) {                                 \
                for (int i = 0; i < 4; i++) {                                                                          \
                    memcpy(&a, x + i * s->x_step, sizeof a);                                                           \
                    memcpy(&b, dy + i * s->dy_step, sizeof b);                                                         \
                    total[i] += a * b;                                                                                 \
                }                                                                                                      \
            }                                                                                                          \
            for (; w < s->w1; w++, x += s->x_step, dy += s->dy_step) {                                                 \
                memcpy(&a, x, sizeof a);                                                                               \
                memcpy(&b, dy, sizeof b);                                                                              \
                total[0] += a * b;                                                                                     \
            }                                                                                                          \
        }                                                                                                              \
        memcpy(&a, sum + c, sizeof a);                                                                                 \
        a += (total[0] + total[1]) + (total[2] + total[3]);                                                            \
        memcpy(sum + c, &a, sizeof a);                                                                                 \
    }

DEPTHWISE_TAP(tap_vector, vector)
#if HALF > 1
DEPTHWISE_TAP(tap_half, half_vector)
#endif
DEPTHWISE_TAP(tap_one, real)

/* The same where y is one pixel: each tap sees one pixel of x. */
static void weights_pixel(const struct convolution_shape *s, const real *x, const real *dy, real *sums)
{
    const int64_t channels = s->in;
    for (int64_t kh = 0; kh < s->kernel[0]; kh++) {
        for (int64_t kw = 0; kw < s->kernel[1]; kw++, sums += channels) {
            const int64_t row = kh * s->dilation[0] - s->padding[0], column = kw * s->dilation[1] - s->padding[1];
            if (row < 0 || row >= s->size[0] || column < 0 || column >= s->size[1])
                continue;
            const real *from = x + (row * s->size[1] + column) * channels;
#pragma omp simd
            for (int64_t c = 0; c < channels; c++)
                sums[c] += from[c] * dy[c];
        }
    }
}

static void weights_sample(const struct convolution_shape *s, const real *x, const real *dy, real *sums)
{
    const int64_t channels = s->in;
    struct seen seen = {.dy = dy, .dy_row = (ptrdiff_t)(s->out_size[1] * channels), .dy_step = (ptrdiff_t)channels};
    seen.x_row = (ptrdiff_t)(s->stride[0] * s->size[1] * channels);
    seen.x_step = (ptrdiff_t)(s->stride[1] * channels);
    for (int64_t kh = 0; kh < s->kernel[0]; kh++) {
        const int64_t row = kh * s->dilation[0] - s->padding[0];
        pixels_inside(row, s->size[0], s->stride[0], s->out_size[0], &seen.h0, &seen.h1);
        for (int64_t kw = 0; kw < s->kernel[1]; kw++, sums += channels) {
            const int64_t column = kw * s->dilation[1] - s->padding[1];
            pixels_inside(column, s->size[1], s->stride[1], s->out_size[1], &seen.w0, &seen.w1);
            seen.x = x + (row * s->size[1] + column) * channels;
            int64_t c = 0;
            for (; c + LANES <= channels; c += LANES)
                tap_vector(&seen, c, sums);
#if HALF > 1
            for (; c + HALF <= channels; c += HALF)
                tap_half(&seen, c, sums);
#endif
            for (; c < channels; c++)
                tap_one(&seen, c, sums);
        }
    }
}

void KERNEL(depthwise_weights)(const struct convolution_shape *s, const void *x, const void *dy, bool add, void *dw,
                               void *scratch, int threads)
{
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->in;
    const int64_t taps = s->kernel[0] * s->kernel[1], elements = taps * s->in;
    const int64_t chunks = convolution_chunks(s);
    const size_t sum_bytes = bytes_rounded((size_t)elements * sizeof(real));
    const int pieces = convolution_pieces(s, threads, chunks);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        real *sum = (real *)(void *)((char *)scratch + (size_t)chunk * sum_bytes);
        memset(sum, 0, (size_t)elements * sizeof *sum);
        for (int64_t b = s->batch * chunk / chunks; b < s->batch * (chunk + 1) / chunks; b++)
            if (y_sample == s->in)
                weights_pixel(s, (const real *)x + b * x_sample, (const real *)dy + b * y_sample, sum);
            else
                weights_sample(s, (const real *)x + b * x_sample, (const real *)dy + b * y_sample, sum);
    }
    real *to = dw;
    for (int64_t c = 0; c < s->in; c++) {
        for (int64_t t = 0; t < taps; t++) {
            real total = add ? to[c * taps + t] : 0;
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                total +=
                    ((const real *)(const void *)((const char *)scratch + (size_t)chunk * sum_bytes))[t * s->in + c];
            to[c * taps + t] = total;
        }
    }
}
