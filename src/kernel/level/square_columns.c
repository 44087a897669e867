/* square_columns.c: means of squares of each column, of numbers or of differences, and their gradient. */
#include "kernel/level/level.h"
#include "kernel/reduce.h"

/* So many columns side by side; so many rows are added up before their sums go on in double. */
enum { COLUMN_LANES = 16, COLUMN_ROWS = 64 };

/* block_squares: of rows [n] of `lanes` columns, rows `step` apart. */
static inline void block_squares(const real *x, const real *y, int64_t n, int64_t step, int lanes, double *sums)
{
    real lane[COLUMN_LANES] = {0};
    for (int64_t r = 0; r < n; r++) {
#pragma omp simd
        for (int l = 0; l < lanes; l++) {
            const real apart = y ? x[r * step + l] - y[r * step + l] : x[r * step + l];
            lane[l] += apart * apart;
        }
    }
    for (int l = 0; l < lanes; l++)
        sums[l] += (double)lane[l];
}

/* rows_squares: of whole rows, into sums [columns]. */
static void rows_squares(const real *x, const real *y, int64_t n, int64_t columns, double *sums)
{
    const int64_t whole = columns - columns % COLUMN_LANES;
    for (int64_t c = 0; c < whole; c += COLUMN_LANES)
        block_squares(x + c, y ? y + c : NULL, n, columns, COLUMN_LANES, sums + c);
    if (whole < columns)
        block_squares(x + whole, y ? y + whole : NULL, n, columns, (int)(columns - whole), sums + whole);
}

void KERNEL(mean_square_columns)(int64_t rows, int64_t columns, const void *x_, const void *y_, double scale,
                                 double *sums, void *out_, int threads)
{
    const real *x = x_, *y = y_;
    real *out = out_;
    const int64_t stripes = mean_square_stripes(rows);
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000)
    for (int64_t s = 0; s < stripes; s++) {
        const int64_t end = (s + 1) * MEAN_SQUARE_STRIPE < rows ? (s + 1) * MEAN_SQUARE_STRIPE : rows;
        double *to = sums + s * columns;
        for (int64_t c = 0; c < columns; c++)
            to[c] = 0;
        for (int64_t r = s * MEAN_SQUARE_STRIPE; r < end; r += COLUMN_ROWS)
            rows_squares(x + r * columns, y ? y + r * columns : NULL, end - r < COLUMN_ROWS ? end - r : COLUMN_ROWS,
                         columns, to);
    }
    for (int64_t c = 0; c < columns; c++) {
        double sum = 0;
        for (int64_t s = 0; s < stripes; s++)
            sum += sums[s * columns + c];
        out[c] = (real)(scale * sum);
    }
    (void)threads;
}

/* row_slope: dx (+)= factor d_out (x - y), a row. */
static inline void row_slope(const real *x, const real *y, const real *d_out, real factor, int64_t n, real *dx,
                             bool add)
{
#pragma omp simd
    for (int64_t c = 0; c < n; c++) {
        const real slope = factor * d_out[c] * (y ? x[c] - y[c] : x[c]);
        dx[c] = add ? dx[c] + slope : slope;
    }
}

void KERNEL(mean_square_columns_backward)(int64_t rows, int64_t columns, const void *x_, const void *y_,
                                          const void *d_out_, double scale, void *dx_, bool add_dx, void *dy_,
                                          bool add_dy, int threads)
{
    const real *x = x_, *y = y_, *d_out = d_out_;
    real *dx = dx_, *dy = dy_;
    const real factor = (real)(2 * scale);
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000)
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = r * columns;
        if (dx)
            row_slope(x + at, y ? y + at : NULL, d_out, factor, columns, dx + at, add_dx);
        if (dy)
            row_slope(x + at, y + at, d_out, -factor, columns, dy + at, add_dy);
    }
    (void)threads;
}
