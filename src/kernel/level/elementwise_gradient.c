/* elementwise_gradient.c: the gradients of functions of two arrays, of which one may have been broadcast. */
#include "kernel/elementwise.h"

#include "kernel/level/level.h"

#include "kernel/level/elementwise.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

enum { PART_ROWS = 64 /* rows that are summed in the table's precision before they go to a double */ };

#define SLOPE_LOOP(formula)                                                                                            \
    if (add)                                                                                                           \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) to[i] += formula;                                          \
    else                                                                                                               \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) to[i] = formula;                                           \
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

/* slope_line: to [n] (+)= d times the slope. Strided inputs have been made whole. */
static void slope_line(int slope, real parameter, int64_t n, const real *d, const real *a, const real *b, real *to,
                       bool add)
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

struct operand {
    const real *data; /* NULL: the slope does not need it */
    int64_t strides[2];
};

struct slope_inputs {
    int slope;
    real parameter;
    const real *d;
    struct operand a, b;
    int64_t cols;
};

static struct operand operand_of(const void *data, const int64_t strides[2])
{
    struct operand o = {.data = data};
    if (data != NULL)
        memcpy(o.strides, strides, sizeof o.strides);
    return o;
}

static void slope_at(const struct slope_inputs *in, int64_t r, int64_t c, int64_t n, real *to, bool add)
{
    real a[BLOCK], b[BLOCK];
    slope_line(in->slope, in->parameter, n, in->d + r * in->cols + c, whole(in->a.data, in->a.strides, r, c, n, a),
               whole(in->b.data, in->b.strides, r, c, n, b), to, add);
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
            slope_at(in, r, c, n, buffer, false);
            total += line_sum(n, buffer);
        } else {
            slope_at(in, r, c, n, target + c, add);
        }
    }
    if (target_col == 0)
        *target = (real)(total + (add ? (double)*target : 0));
}

/* columns_sum: sums [n] += the slopes of columns [c, c + n) over rows [from, to). */
static void columns_sum(const struct slope_inputs *in, int64_t from, int64_t to, int64_t c, int64_t n, double *sums)
{
    for (int64_t r = from; r < to; r += PART_ROWS) {
        real part[BLOCK];
        int64_t end = to - r < PART_ROWS ? to : r + PART_ROWS;
        slope_at(in, r, c, n, part, false);
        for (int64_t k = r + 1; k < end; k++)
            slope_at(in, k, c, n, part, true);
        for (int64_t i = 0; i < n; i++)
            sums[i] += (double)part[i];
    }
}

/* operand_merge: sees `step` rows of `cols` elements as one; a row that all share is repeated in `tile`. */
static void operand_merge(struct operand *o, int64_t cols, int64_t step, real tile[BLOCK])
{
    if (o->strides[0] == 0 && o->strides[1] == 1)
        o->data = fill_tile(o->data, cols, step, tile);
    o->strides[0] *= step;
}

static bool operand_merges(const struct operand *o, int64_t cols)
{
    return o->data == NULL || o->strides[0] == 0 || (o->strides[0] == cols && o->strides[1] == 1);
}

/* rows_sum: sums [cols] += the slopes over all rows. Short rows are summed as lines of many first: of theirs, each
 * vector's sum is independent. */
static void rows_sum(const struct slope_inputs *in, int64_t rows, double sums[BLOCK])
{
    real tiles[2][BLOCK];
    struct slope_inputs line = *in;
    int64_t cols = in->cols, step = tile_rows(cols), whole_rows = 0;
    if (step > 1 && rows >= step && operand_merges(&in->a, cols) && operand_merges(&in->b, cols)) {
        double lines[BLOCK] = {0};
        operand_merge(&line.a, cols, step, tiles[0]);
        operand_merge(&line.b, cols, step, tiles[1]);
        line.cols = step * cols;
        columns_sum(&line, 0, rows / step, 0, line.cols, lines);
        for (int64_t r = 0; r < step; r++)
            for (int64_t c = 0; c < cols; c++)
                sums[c] += lines[r * cols + c];
        whole_rows = rows / step * step;
    }
    columns_sum(in, whole_rows, rows, 0, cols, sums);
}

/* put_columns: the gradient where rows were broadcast: parts of rows are summed, and their sums in double. */
static void put_columns(const struct slope_inputs *in, int64_t rows, real *target, int64_t target_col, bool add)
{
    double total = 0;
    for (int64_t c = 0; c < in->cols; c += BLOCK) {
        int64_t n = in->cols - c < BLOCK ? in->cols - c : BLOCK;
        double sums[BLOCK] = {0};
        if (n == in->cols)
            rows_sum(in, rows, sums);
        else
            columns_sum(in, 0, rows, c, n, sums);
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
    struct slope_inputs in = {
        slope, parameters ? (real)*parameters : 0, d, operand_of(a, a_strides), operand_of(b, b_strides), cols};
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
            part.a.data = in.a.data == NULL ? NULL : in.a.data + at * in.a.strides[1];
            part.b.data = in.b.data == NULL ? NULL : in.b.data + at * in.b.strides[1];
            part.cols = cols - at < THREAD_BLOCK ? cols - at : THREAD_BLOCK;
            put_row(&part, 0, target + at, 1, add);
        }
        return;
    }
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * cols > THREAD_WORK)
    for (int64_t r = 0; r < rows; r++)
        put_row(&in, r, target + r * target_strides[0], target_strides[1], add);
}
