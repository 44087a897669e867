/* elementwise.c: functions of two and three arrays, element by element. */
#include "kernel/elementwise.h"

#include "kernel/level/level.h"

#include "kernel/level/elementwise.h"

#include <math.h>
#include <tgmath.h>

/* --- two inputs --- */

#define BINARY_LOOPS(formula)                                                                                          \
    if (a_step == 1 && b_step == 1) {                                                                                  \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            real p = a[i], q = b[i];                                                                                   \
            out[i] = formula;                                                                                          \
        }                                                                                                              \
    } else if (a_step == 1) {                                                                                          \
        real q = *b;                                                                                                   \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            real p = a[i];                                                                                             \
            out[i] = formula;                                                                                          \
        }                                                                                                              \
    } else if (b_step == 1) {                                                                                          \
        real p = *a;                                                                                                   \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            real q = b[i];                                                                                             \
            out[i] = formula;                                                                                          \
        }                                                                                                              \
    } else {                                                                                                           \
        real p = *a, q = *b;                                                                                           \
        real value = formula;                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                                                \
            out[i] = value;                                                                                            \
    }                                                                                                                  \
    break

/* smooth_l1: of the difference z, PyTorch's: a parabola up to `beta`, then straight. */
static inline real smooth_l1(real z, real beta)
{
    real size = fabs(z);
    return size < beta ? (real)0.5 * z * z / beta : size - (real)0.5 * beta;
}

/* parameter: the function's. A comparison with NaN does not hold; maximum and minimum keep NaN. */
static void binary_line(int kind, real parameter, int64_t n, const real *a, int64_t a_step, const real *b,
                        int64_t b_step, real *out)
{
    switch ((enum binary_kind)kind) {
    case BINARY_ADD:
        BINARY_LOOPS(p + q);
    case BINARY_SUB:
        BINARY_LOOPS(p - q);
    case BINARY_MUL:
        BINARY_LOOPS(p * q);
    case BINARY_DIV:
        BINARY_LOOPS(p / q);
    case BINARY_POWER:
        BINARY_LOOPS(pow(p, q));
    case BINARY_MAXIMUM:
        BINARY_LOOPS(p > q || p != p ? p : q);
    case BINARY_MINIMUM:
        BINARY_LOOPS(p < q || p != p ? p : q);
    case BINARY_SMOOTH_L1:
        BINARY_LOOPS(smooth_l1(p - q, parameter));
    case BINARY_EQUAL:
        BINARY_LOOPS(p == q ? 1 : 0);
    case BINARY_NOT_EQUAL:
        BINARY_LOOPS(p != q ? 1 : 0);
    case BINARY_GREATER:
        BINARY_LOOPS(p > q ? 1 : 0);
    case BINARY_GREATER_EQUAL:
        BINARY_LOOPS(p >= q ? 1 : 0);
    case BINARY_LESS:
        BINARY_LOOPS(p < q ? 1 : 0);
    case BINARY_LESS_EQUAL:
        BINARY_LOOPS(p <= q ? 1 : 0);
    }
}

void KERNEL(binary_forward)(int kind, const double *parameters, int64_t rows, int64_t cols, const void *a_,
                            const int64_t a_strides[2], const void *b_, const int64_t b_strides[2], void *out_,
                            int threads)
{
    const real *a = a_, *b = b_;
    real *out = out_;
    real parameter = parameters ? (real)*parameters : 0;
    (void)threads; /* unused without OpenMP */
    if (rows == 1 || cols == 0) {
        int64_t blocks = (cols + THREAD_BLOCK - 1) / THREAD_BLOCK;
#pragma omp parallel for num_threads(threads) if (threads > 1 && cols > THREAD_WORK)
        for (int64_t block = 0; block < blocks; block++) {
            int64_t at = block * THREAD_BLOCK, n = cols - at < THREAD_BLOCK ? cols - at : THREAD_BLOCK;
            binary_line(kind, parameter, n, a + at * a_strides[1], a_strides[1], b + at * b_strides[1], b_strides[1],
                        out + at);
        }
        return;
    }
    /* A short row against whole rows ([C] on a map): as many rows at once as a tile of it holds. */
    real tile[BLOCK];
    bool a_whole = a_strides[1] == 1 && a_strides[0] == cols, a_row = a_strides[1] == 1 && a_strides[0] == 0;
    bool b_whole = b_strides[1] == 1 && b_strides[0] == cols, b_row = b_strides[1] == 1 && b_strides[0] == 0;
    int64_t step = (a_whole && b_row) || (b_whole && a_row) ? tile_rows(cols) : 1;
    if (step > 1 && b_row)
        b = fill_tile(b, cols, step, tile);
    else if (step > 1)
        a = fill_tile(a, cols, step, tile);
    int64_t blocks = (rows + step - 1) / step;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * cols > THREAD_WORK)
    for (int64_t block = 0; block < blocks; block++) {
        int64_t r = block * step, n = (rows - r < step ? rows - r : step) * cols;
        binary_line(kind, parameter, n, a + r * a_strides[0], a_strides[1], b + r * b_strides[0], b_strides[1],
                    out + r * cols);
    }
}

/* --- three inputs --- */

void KERNEL(where_forward)(int64_t rows, int64_t cols, const void *condition_, const int64_t condition_strides[2],
                           const void *a_, const int64_t a_strides[2], const void *b_, const int64_t b_strides[2],
                           void *out_, int threads)
{
    real *out = out_;
    (void)threads;
    int64_t blocks = (cols + BLOCK - 1) / BLOCK;
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1 && rows * cols > THREAD_WORK)
    for (int64_t r = 0; r < rows; r++)
        for (int64_t block = 0; block < blocks; block++) {
            real buffer[3][BLOCK];
            int64_t c = block * BLOCK, n = cols - c < BLOCK ? cols - c : BLOCK;
            const real *condition = whole(condition_, condition_strides, r, c, n, buffer[0]);
            const real *a = whole(a_, a_strides, r, c, n, buffer[1]), *b = whole(b_, b_strides, r, c, n, buffer[2]);
            real *to = out + r * cols + c;
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                to[i] = condition[i] == 0 ? b[i] : a[i];
        }
}
