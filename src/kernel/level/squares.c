/* squares.c: means of squares, of numbers or of differences, and their gradient: each number is read once. */
#include "kernel/level/sum_lanes.h"
#include "kernel/level/turn.h"
#include "kernel/reduce.h"

/* Partial sums of a fixed number of lanes stay this short; beyond, they are added up in double. */
enum { SQUARES_CHUNK = 2048 };

static double squares_of(const real *x, int64_t n)
{
    double total = 0;
    for (int64_t from = 0; from < n; from += SQUARES_CHUNK) {
        const int64_t count = n - from < SQUARES_CHUNK ? n - from : SQUARES_CHUNK;
        const int64_t whole = count - count % SUM_LANES;
        real lane[SUM_LANES] = {0};
        for (int64_t i = 0; i < whole; i += SUM_LANES) {
#pragma omp simd
            for (int l = 0; l < SUM_LANES; l++)
                lane[l] += x[from + i + l] * x[from + i + l];
        }
        for (int64_t i = whole; i < count; i++)
            lane[i - whole] += x[from + i] * x[from + i];
        total += (double)lanes_sum(lane);
    }
    return total;
}

static double squares_between(const real *x, const real *y, int64_t n)
{
    double total = 0;
    for (int64_t from = 0; from < n; from += SQUARES_CHUNK) {
        const int64_t count = n - from < SQUARES_CHUNK ? n - from : SQUARES_CHUNK;
        const int64_t whole = count - count % SUM_LANES;
        real lane[SUM_LANES] = {0};
        for (int64_t i = 0; i < whole; i += SUM_LANES) {
#pragma omp simd
            for (int l = 0; l < SUM_LANES; l++) {
                const real apart = x[from + i + l] - y[from + i + l];
                lane[l] += apart * apart;
            }
        }
        for (int64_t i = whole; i < count; i++) {
            const real apart = x[from + i] - y[from + i];
            lane[i - whole] += apart * apart;
        }
        total += (double)lanes_sum(lane);
    }
    return total;
}

enum { SQUARES_PARTS = SUM_LANES / LANES };

/* row_lanes: the lanes of one row of whole lines of SUM_LANES, added up to LANES of them. */
VECTOR_INLINE vector row_lanes(const real *x, const real *y, int64_t columns)
{
    vector part[SQUARES_PARTS] = {{0}};
    for (int64_t i = 0; i < columns; i += SUM_LANES)
#pragma GCC unroll 8
        for (int p = 0; p < SQUARES_PARTS; p++) {
            vector v = vector_load(x + i + p * LANES);
            if (y)
                v -= vector_load(y + i + p * LANES);
            part[p] += v * v;
        }
#pragma GCC unroll 4
    for (int half = SQUARES_PARTS / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int p = 0; p < half; p++)
            part[p] += part[p + half];
    return part[0];
}

/* rows_squares: of LANES short rows side by side, in the order of squares_of: turned, lane upon lane is an addition of vectors. */
static void rows_squares(const real *x, const real *y, int64_t columns, double *sums)
{
    vector lane[LANES];
    real total[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++)
        lane[r] = row_lanes(x + r * columns, y ? y + r * columns : NULL, columns);
    vectors_turn(lane);
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    vector_store(total, lane[0]);
    for (int r = 0; r < LANES; r++)
        sums[r] = (double)total[r];
}

/* A piece of a row: where it begins, how long it is. Most rows are one piece, and a division takes as long as a short row. */
struct piece {
    int64_t row, at, n;
};

static struct piece piece_of(int64_t index, int64_t each, int64_t columns)
{
    if (each == 1)
        return (struct piece){index, index * columns, columns};
    const int64_t row = index / each, from = index % each * MEAN_SQUARES_PIECE;
    const int64_t n = columns - from < MEAN_SQUARES_PIECE ? columns - from : MEAN_SQUARES_PIECE;
    return (struct piece){row, row * columns + from, n};
}

void KERNEL(mean_squares)(int64_t rows, int64_t columns, const void *x_, const void *y_, double scale, double *sums,
                          void *out_, int threads)
{
    const real *x = x_, *y = y_;
    real *out = out_;
    const int64_t each = mean_squares_pieces(columns);
    const int64_t side_by_side = columns % SUM_LANES == 0 && columns <= SQUARES_CHUNK ? rows - rows % LANES : 0;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000)
    for (int64_t row = 0; row < side_by_side; row += LANES)
        rows_squares(x + row * columns, y ? y + row * columns : NULL, columns, sums + row);
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000)
    for (int64_t i = side_by_side; i < rows * each; i++) {
        const struct piece p = piece_of(i, each, columns);
        sums[i] = y ? squares_between(x + p.at, y + p.at, p.n) : squares_of(x + p.at, p.n);
    }
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0;
        for (int64_t i = 0; i < each; i++)
            sum += sums[row * each + i];
        out[row] = (real)(scale * sum);
    }
    (void)threads;
}

/* slope_put: dx (+)= slope (x - y). */
static void slope_put(const real *x, const real *y, int64_t n, real slope, real *dx, bool add)
{
    if (y && add) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] += slope * (x[i] - y[i]);
    } else if (y) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = slope * (x[i] - y[i]);
    } else if (add) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] += slope * x[i];
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = slope * x[i];
    }
}

void KERNEL(mean_squares_backward)(int64_t rows, int64_t columns, const void *x_, const void *y_, const void *d_out_,
                                   double scale, void *dx_, bool add_dx, void *dy_, bool add_dy, int threads)
{
    const real *x = x_, *y = y_, *d_out = d_out_;
    real *dx = dx_, *dy = dy_;
    const int64_t each = mean_squares_pieces(columns);
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000)
    for (int64_t i = 0; i < rows * each; i++) {
        const struct piece p = piece_of(i, each, columns);
        const real slope = (real)(2 * scale * (double)d_out[p.row]);
        if (dx)
            slope_put(x + p.at, y ? y + p.at : NULL, p.n, slope, dx + p.at, add_dx);
        if (dy)
            slope_put(x + p.at, y + p.at, p.n, -slope, dy + p.at, add_dy);
    }
    (void)threads;
}
