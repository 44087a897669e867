/* unary.c: functions of one array, their gradients, and bytes to standardised values. */
#include "kernel/elementwise.h"

#include "kernel/level/level.h"

#include "kernel/level/exp.h"

#include <math.h>
#include <tgmath.h>

enum {
    BLOCK = 4096,
    THREAD_WORK = 100000, /* elements below which a second thread costs more than it saves */
};

#define FORWARD_LOOP(formula)                                                                                          \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        real v = x[i];                                                                                                 \
        y[i] = formula;                                                                                                \
    }                                                                                                                  \
    break

/* Comparisons are written so that NaN passes: a value that is not finite must be seen where it arose. */
static void forward_block(int kind, int64_t n, const real *x, real *y)
{
    switch ((enum unary_kind)kind) {
    case UNARY_EXP:
        FORWARD_LOOP(real_exp(v));
    case UNARY_LOG:
        for (int64_t i = 0; i < n; i++)
            y[i] = log(x[i]);
        break;
    case UNARY_SQRT:
        FORWARD_LOOP(sqrt(v));
    case UNARY_SQUARE:
        FORWARD_LOOP(v * v);
    case UNARY_ABS:
        FORWARD_LOOP(fabs(v));
    case UNARY_RELU:
        FORWARD_LOOP(v < 0 ? 0 : v);
    case UNARY_RELU6:
        FORWARD_LOOP(v < 0 ? 0 : v > 6 ? 6 : v);
    }
}

#define BACKWARD_LOOP(formula)                                                                                         \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        real v = value[i], d = dy[i];                                                                                  \
        dx[i] = (formula) + (add ? dx[i] : 0);                                                                         \
    }                                                                                                                  \
    break

static void backward_block(int kind, int64_t n, const real *value, const real *dy, real *dx, bool add)
{
    switch ((enum unary_kind)kind) {
    case UNARY_EXP:
        BACKWARD_LOOP(d * v);
    case UNARY_LOG:
        BACKWARD_LOOP(d / v);
    case UNARY_SQRT: /* 0 at 0, where the slope is infinite: distances of a point to itself must not make NaN */
        BACKWARD_LOOP(v > 0 ? d * (real)0.5 / v : 0);
    case UNARY_SQUARE:
        BACKWARD_LOOP(2 * v * d);
    case UNARY_ABS:
        BACKWARD_LOOP(v > 0 ? d : v < 0 ? -d : 0);
    case UNARY_RELU:
        BACKWARD_LOOP(v > 0 ? d : 0);
    case UNARY_RELU6:
        BACKWARD_LOOP(v > 0 && v < 6 ? d : 0);
    }
}

void KERNEL(unary_forward)(int kind, int64_t n, const void *x_, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > THREAD_WORK)
    for (int64_t at = 0; at < n; at += BLOCK)
        forward_block(kind, n - at < BLOCK ? n - at : BLOCK, x + at, y + at);
}

void KERNEL(unary_backward)(int kind, int64_t n, const void *value_, const void *dy_, void *dx_, bool add, int threads)
{
    const real *value = value_, *dy = dy_;
    real *dx = dx_;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > THREAD_WORK)
    for (int64_t at = 0; at < n; at += BLOCK)
        backward_block(kind, n - at < BLOCK ? n - at : BLOCK, value + at, dy + at, dx + at, add);
}

/* A block of rows is worked on as one line: mean and scale are repeated to the line's length. */
void KERNEL(bytes_standardise)(int64_t rows, int64_t channels, const uint8_t *x, const double *mean,
                               const double *deviation, void *y_, int threads)
{
    enum { TILE = 1024 };
    real *y = y_;
    real offset[TILE], scale[TILE];
    (void)threads;
    int64_t repeat = channels < TILE ? TILE / channels : 1;
    for (int64_t first = 0; first < channels; first += TILE) { /* more channels than a tile holds: in parts */
        int64_t width = channels - first < TILE ? channels - first : TILE;
        for (int64_t i = 0; i < repeat * width; i++) {
            offset[i] = (real)(255 * mean[first + i % width]);
            scale[i] = (real)(1 / (255 * deviation[first + i % width]));
        }
        int64_t blocks = (rows + repeat - 1) / repeat;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * width > THREAD_WORK)
        for (int64_t block = 0; block < blocks; block++) {
            int64_t row = block * repeat, n = (rows - row < repeat ? rows - row : repeat) * width;
            const uint8_t *from = x + row * channels + first;
            real *to = y + row * channels + first;
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                to[i] = ((real)from[i] - offset[i]) * scale[i];
        }
    }
}
