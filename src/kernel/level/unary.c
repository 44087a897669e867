/* unary.c: functions of one array, their gradients, and bytes to standardised values. */
#include "kernel/elementwise.h"

#include "kernel/level/level.h"

#include "kernel/level/erf.h"
#include "kernel/level/exp.h"
#include "kernel/level/log.h"
#include "kernel/level/sigmoid.h"

#include <math.h>
#include <tgmath.h>

enum {
    BLOCK = 4096,
    THREAD_WORK = 100000, /* elements below which a second thread costs more than it saves */
};

#define SOFTPLUS_LINEAR 20 /* PyTorch's threshold: beyond, softplus(x) = x */

#define FORWARD_LOOP(formula)                                                                                          \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        real v = x[i];                                                                                                 \
        y[i] = formula;                                                                                                \
    }                                                                                                                  \
    break

/* normal_below: the normal distribution up to v. */
static inline real normal_below(real v)
{
    return (real)0.5 * (1 + real_erf(v * (real)0.70710678118654752440));
}

/* log_both: log(1 + exp(-|v|)): what softplus and log_sigmoid add to their straight parts. */
static inline real log_both(real v)
{
    return real_log1p(real_exp(-fabs(v)));
}

/* p, q: the function's parameters. Comparisons are written so that NaN passes: a value that is not finite must be seen
 * where it arose. */
static void forward_block(int kind, real p, real q, int64_t n, const real *x, real *y)
{
    switch ((enum unary_kind)kind) {
    case UNARY_EXP:
        FORWARD_LOOP(real_exp(v));
    case UNARY_LOG:
        FORWARD_LOOP(real_log(v));
    case UNARY_SQRT:
        FORWARD_LOOP(sqrt(v));
    case UNARY_SQUARE:
        FORWARD_LOOP(v * v);
    case UNARY_ABS:
        FORWARD_LOOP(fabs(v));
    case UNARY_SIGN:
        FORWARD_LOOP(v > 0 ? 1 : v < 0 ? -1 : v);
    case UNARY_CLIP:
        FORWARD_LOOP(v < p ? p : v > q ? q : v);
    case UNARY_RELU:
        FORWARD_LOOP(v < 0 ? 0 : v);
    case UNARY_RELU6:
        FORWARD_LOOP(v < 0 ? 0 : v > 6 ? 6 : v);
    case UNARY_LEAKY_RELU:
        FORWARD_LOOP(v < 0 ? p * v : v);
    case UNARY_HARD_SIGMOID:
        FORWARD_LOOP(v < -3 ? 0 : v > 3 ? 1 : (v + 3) / 6);
    case UNARY_HARD_SWISH:
        FORWARD_LOOP(v < -3 ? 0 : v > 3 ? v : v * (v + 3) / 6);
    case UNARY_SIGMOID:
        FORWARD_LOOP(real_sigmoid(v));
    case UNARY_LOG_SIGMOID:
        FORWARD_LOOP((v > 0 ? 0 : v) - log_both(v));
    case UNARY_TANH:
        FORWARD_LOOP(real_tanh(v));
    case UNARY_GELU:
        FORWARD_LOOP(v * normal_below(v));
    case UNARY_SILU:
        FORWARD_LOOP(v * real_sigmoid(v));
    case UNARY_SOFTPLUS:
        FORWARD_LOOP(v > SOFTPLUS_LINEAR ? v : (v < 0 ? 0 : v) + log_both(v));
    }
}

#define BACKWARD_PASS(formula, sum)                                                                                    \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                                \
    {                                                                                                                  \
        real v = value[i], d = dy[i];                                                                                  \
        dx[i] = (formula)sum;                                                                                          \
    }

/* Two loops: a compiler that meets the question inside a long formula does not vectorise it. */
#define BACKWARD_LOOP(formula)                                                                                         \
    if (add)                                                                                                           \
        BACKWARD_PASS(formula, +dx[i])                                                                                 \
    else                                                                                                               \
        BACKWARD_PASS(formula, )                                                                                       \
    break

static inline real silu_slope(real v)
{
    real s = real_sigmoid(v);
    return s * (1 + v * (1 - s));
}

static inline real gelu_slope(real v)
{
    return normal_below(v) + v * (real)0.39894228040143267794 * real_exp((real)-0.5 * v * v);
}

/* backward_smooth: the slopes that take an exponential, and those of y alone that belong to them. */
static void backward_smooth(int kind, int64_t n, const real *value, const real *dy, real *dx, bool add)
{
    switch (kind) {
    case UNARY_EXP:
        BACKWARD_LOOP(d * v);
    case UNARY_SIGMOID:
        BACKWARD_LOOP(d * v * (1 - v));
    case UNARY_LOG_SIGMOID:
        BACKWARD_LOOP(d * real_sigmoid(-v));
    case UNARY_TANH:
        BACKWARD_LOOP(d * (1 - v * v));
    case UNARY_GELU:
        BACKWARD_LOOP(d * gelu_slope(v));
    case UNARY_SILU:
        BACKWARD_LOOP(d * silu_slope(v));
    case UNARY_SOFTPLUS:
        BACKWARD_LOOP(v > SOFTPLUS_LINEAR ? d : d * real_sigmoid(v));
    default: /* the others are backward_block's */
        break;
    }
}

static void backward_block(int kind, real p, real q, int64_t n, const real *value, const real *dy, real *dx, bool add)
{
    switch (kind) {
    case UNARY_LOG:
        BACKWARD_LOOP(d / v);
    case UNARY_SQRT: /* 0 at 0, where the slope is infinite: distances of a point to itself must not make NaN */
        BACKWARD_LOOP(v > 0 ? d * (real)0.5 / v : 0);
    case UNARY_SQUARE:
        BACKWARD_LOOP(2 * v * d);
    case UNARY_ABS:
        BACKWARD_LOOP(v > 0 ? d : v < 0 ? -d : 0);
    case UNARY_CLIP:
        BACKWARD_LOOP(v > p && v < q ? d : 0);
    case UNARY_RELU:
        BACKWARD_LOOP(v > 0 ? d : 0);
    case UNARY_RELU6:
        BACKWARD_LOOP(v > 0 && v < 6 ? d : 0);
    case UNARY_LEAKY_RELU:
        BACKWARD_LOOP(v > 0 ? d : p * d);
    case UNARY_HARD_SIGMOID:
        BACKWARD_LOOP(v > 0 && v < 1 ? d / 6 : 0);
    case UNARY_HARD_SWISH:
        BACKWARD_LOOP(v <= -3 ? 0 : v >= 3 ? d : d * (v / 3 + (real)0.5));
    default:
        backward_smooth(kind, n, value, dy, dx, add);
    }
}

void KERNEL(unary_forward)(int kind, const double *parameters, int64_t n, const void *x_, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    real p = parameters ? (real)parameters[0] : 0, q = parameters ? (real)parameters[1] : 0;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > THREAD_WORK)
    for (int64_t at = 0; at < n; at += BLOCK)
        forward_block(kind, p, q, n - at < BLOCK ? n - at : BLOCK, x + at, y + at);
}

void KERNEL(unary_backward)(int kind, const double *parameters, int64_t n, const void *value_, const void *dy_,
                            void *dx_, bool add, int threads)
{
    const real *value = value_, *dy = dy_;
    real *dx = dx_;
    real p = parameters ? (real)parameters[0] : 0, q = parameters ? (real)parameters[1] : 0;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > THREAD_WORK)
    for (int64_t at = 0; at < n; at += BLOCK)
        backward_block(kind, p, q, n - at < BLOCK ? n - at : BLOCK, value + at, dy + at, dx + at, add);
}

/* A block of rows is worked on as one line: mean and scale are repeated to the line's length. */
void KERNEL(bytes_standardise)(int64_t rows, int64_t channels, const uint8_t *x, const double *mean,
                               const double *deviation, void *y_, int threads)
{
    enum { TILE = 512 };
    real *y = y_;
    real offset[TILE], scale[TILE];
    (void)threads;
    int64_t repeat = channels < TILE ? TILE / channels : 1;
    repeat = repeat < 16 ? repeat : repeat / 16 * 16;          /* lines of aligned arrays stay aligned */
    for (int64_t first = 0; first < channels; first += TILE) { /* more channels than a tile holds: in parts */
        int64_t width = channels - first < TILE ? channels - first : TILE;
        for (int64_t i = 0; i < repeat * width; i++) {
            offset[i] = i < width ? (real)(255 * mean[first + i]) : offset[i - width];
            scale[i] = i < width ? (real)(1 / (255 * deviation[first + i])) : scale[i - width];
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
