/* elementwise.c: functions of two and three arrays, element by element, and their gradients. */
#include "kernel/elementwise.h"

#include "kernel/level/level.h"

#include <math.h>
#include <tgmath.h>

enum {
    BLOCK = 1024,         /* elements that are worked on at a time where a buffer is needed */
    PART_ROWS = 64,       /* rows that are summed in the table's precision before they go to a double */
    THREAD_WORK = 100000, /* elements below which a second thread costs more than it saves */
    THREAD_BLOCK = 16384,
};

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

/* fill_tile: repeats a short row so that a block of rows becomes one line. Returns how many rows the tile holds, 0:
 * none. */
static int64_t fill_tile(const real *row, int64_t cols, real tile[BLOCK])
{
    int64_t repeat = cols < BLOCK / 8 ? BLOCK / cols : 0;
    for (int64_t r = 0; r < repeat; r++)
        for (int64_t c = 0; c < cols; c++)
            tile[r * cols + c] = row[c];
    return repeat;
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
    int64_t step = 1;
    if (a_whole && b_row && (step = fill_tile(b, cols, tile)) > 1)
        b = tile;
    else if (b_whole && a_row && (step = fill_tile(a, cols, tile)) > 1)
        a = tile;
    else
        step = 1;
    int64_t blocks = (rows + step - 1) / step;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * cols > THREAD_WORK)
    for (int64_t block = 0; block < blocks; block++) {
        int64_t r = block * step, n = (rows - r < step ? rows - r : step) * cols;
        binary_line(kind, parameter, n, a + r * a_strides[0], a_strides[1], b + r * b_strides[0], b_strides[1],
                    out + r * cols);
    }
}

#define SLOPE_LOOP(formula)                                                                                            \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++) to[i] = formula;                                               \
    break

/* if_greater: d where a > b, shared evenly where they are equal. */
static inline real if_greater(real a, real b, real d)
{
    return a > b ? d : a == b ? (real)0.5 * d : 0;
}

/* smooth_l1_slope: z / beta within [-1, 1]; 0 at 0 for beta 0 too. */
static inline real smooth_l1_slope(real z, real beta)
{
    return fabs(z) < beta ? z / beta : z > 0 ? 1 : z < 0 ? -1 : z;
}

/* power_slope: of a^b by a, 0 for the constant a^0; power_slope_exponent: by b, 0 where a is 0 (PyTorch's). */
static inline real power_slope(real a, real b)
{
    return b == 0 ? 0 : b * pow(a, b - 1);
}

static inline real power_slope_exponent(real a, real b)
{
    return a == 0 && b >= 0 ? 0 : pow(a, b) * log(a);
}

/* slope_line: to [n] = d times the slope. Strided inputs have been made whole. */
static void slope_line(int slope, real parameter, int64_t n, const real *d, const real *a, const real *b, real *to)
{
    switch ((enum binary_slope)slope) {
    case SLOPE_ONE:
        SLOPE_LOOP(d[i]);
    case SLOPE_MINUS_ONE:
        SLOPE_LOOP(-d[i]);
    case SLOPE_B:
        SLOPE_LOOP(d[i] * b[i]);
    case SLOPE_A:
        SLOPE_LOOP(d[i] * a[i]);
    case SLOPE_OVER_B:
        SLOPE_LOOP(d[i] / b[i]);
    case SLOPE_MINUS_A_OVER_B2:
        SLOPE_LOOP(-d[i] * (a[i] / b[i]) / b[i]);
    case SLOPE_POWER:
        SLOPE_LOOP(d[i] * power_slope(a[i], b[i]));
    case SLOPE_POWER_EXPONENT:
        SLOPE_LOOP(d[i] * power_slope_exponent(a[i], b[i]));
    case SLOPE_IF_GREATER:
        SLOPE_LOOP(if_greater(a[i], b[i], d[i]));
    case SLOPE_IF_LESS:
        SLOPE_LOOP(if_greater(b[i], a[i], d[i]));
    case SLOPE_SMOOTH_L1:
        SLOPE_LOOP(d[i] * smooth_l1_slope(a[i] - b[i], parameter));
    case SLOPE_MINUS_SMOOTH_L1:
        SLOPE_LOOP(-d[i] * smooth_l1_slope(a[i] - b[i], parameter));
    case SLOPE_WHERE:
        SLOPE_LOOP(a[i] == 0 ? 0 : d[i]);
    case SLOPE_WHERE_NOT:
        SLOPE_LOOP(a[i] == 0 ? d[i] : 0);
    }
}

/* whole: n elements of a strided line as an array; `buffer` [n] is used where the stride is 0. NULL stays NULL. */
static const real *whole(const real *data, const int64_t strides[2], int64_t r, int64_t c, int64_t n, real *buffer)
{
    if (data == NULL)
        return NULL;
    const real *line = data + r * strides[0] + c * strides[1];
    if (strides[1] == 1)
        return line;
    for (int64_t i = 0; i < n; i++)
        buffer[i] = *line;
    return buffer;
}

struct slope_inputs {
    int slope;
    real parameter;
    const real *d, *a, *b;
    const int64_t *a_strides, *b_strides;
    int64_t cols;
};

static void slope_at(const struct slope_inputs *in, int64_t r, int64_t c, int64_t n, real *to)
{
    real a[BLOCK], b[BLOCK];
    slope_line(in->slope, in->parameter, n, in->d + r * in->cols + c, whole(in->a, in->a_strides, r, c, n, a),
               whole(in->b, in->b_strides, r, c, n, b), to);
}

static double line_sum(int64_t n, const real *x)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return (double)sum;
}

/* put_row: the gradient where nothing, or only the columns of a row (target_col 0), was broadcast. */
static void put_row(const struct slope_inputs *in, int64_t r, real *target, int64_t target_col, bool add)
{
    real buffer[BLOCK];
    double total = 0;
    for (int64_t c = 0; c < in->cols; c += BLOCK) {
        int64_t n = in->cols - c < BLOCK ? in->cols - c : BLOCK;
        if (target_col == 0) {
            slope_at(in, r, c, n, buffer);
            total += line_sum(n, buffer);
        } else if (!add) {
            slope_at(in, r, c, n, target + c);
        } else {
            slope_at(in, r, c, n, buffer);
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                target[c + i] += buffer[i];
        }
    }
    if (target_col == 0)
        *target = (real)(total + (add ? (double)*target : 0));
}

/* put_columns: the gradient where rows were broadcast: parts of rows are summed, and their sums in double. */
static void put_columns(const struct slope_inputs *in, int64_t rows, real *target, int64_t target_col, bool add)
{
    double total = 0;
    for (int64_t c = 0; c < in->cols; c += BLOCK) {
        int64_t n = in->cols - c < BLOCK ? in->cols - c : BLOCK;
        double sums[BLOCK] = {0};
        for (int64_t r = 0; r < rows; r += PART_ROWS) {
            real part[BLOCK] = {0}, line[BLOCK];
            int64_t end = rows - r < PART_ROWS ? rows : r + PART_ROWS;
            for (int64_t k = r; k < end; k++) {
                slope_at(in, k, c, n, line);
#pragma omp simd
                for (int64_t i = 0; i < n; i++)
                    part[i] += line[i];
            }
            for (int64_t i = 0; i < n; i++)
                sums[i] += (double)part[i];
        }
        for (int64_t i = 0; i < n; i++) {
            total += sums[i];
            if (target_col == 1)
                target[c + i] = (real)(sums[i] + (add ? (double)target[c + i] : 0));
        }
    }
    if (target_col == 0)
        *target = (real)(total + (add ? (double)*target : 0));
}

void KERNEL(binary_gradient)(int slope, const double *parameters, int64_t rows, int64_t cols, const void *d,
                             const void *a, const int64_t a_strides[2], const void *b, const int64_t b_strides[2],
                             void *target_, const int64_t target_strides[2], bool add, int threads)
{
    real *target = target_;
    (void)threads;
    struct slope_inputs in = {slope, parameters ? (real)*parameters : 0, d, a, b, a_strides, b_strides, cols};
    if (target_strides[0] == 0 && rows > 1) {
        put_columns(&in, rows, target, target_strides[1], add);
        return;
    }
    if (rows == 1 && target_strides[1] == 1) { /* equal shapes are one long row: as blocks, for threads */
        int64_t blocks = (cols + THREAD_BLOCK - 1) / THREAD_BLOCK;
#pragma omp parallel for num_threads(threads) if (threads > 1 && cols > THREAD_WORK)
        for (int64_t block = 0; block < blocks; block++) {
            int64_t at = block * THREAD_BLOCK;
            struct slope_inputs part = in;
            part.d += at;
            part.a = in.a == NULL ? NULL : in.a + at * a_strides[1];
            part.b = in.b == NULL ? NULL : in.b + at * b_strides[1];
            part.cols = cols - at < THREAD_BLOCK ? cols - at : THREAD_BLOCK;
            put_row(&part, 0, target + at, 1, add);
        }
        return;
    }
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * cols > THREAD_WORK)
    for (int64_t r = 0; r < rows; r++)
        put_row(&in, r, target + r * target_strides[0], target_strides[1], add);
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
