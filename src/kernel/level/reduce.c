/* reduce.c: sums over axes, and their gradient. */
#include "kernel/level/level.h"

/* Float partial sums stay this short; beyond, they are added up in double. */
enum { SUM_CHUNK = 2048, SUM_LANES = 16, SUM_BLOCK_ROWS = 32, SUM_BLOCK_COLUMNS = 256 };

/* sum_run: in lanes of a fixed number, so that the sum depends neither on the level nor on the compiler. */
static double sum_run(const real *x, int64_t n)
{
    double total = 0;
    if (n < SUM_LANES) { /* short rows: no lanes to fill */
        for (int64_t i = 0; i < n; i++) {
            total += (double)x[i];
        }
        return total;
    }
    for (int64_t from = 0; from < n; from += SUM_CHUNK) {
        int64_t count = n - from < SUM_CHUNK ? n - from : SUM_CHUNK, whole = count - count % SUM_LANES;
        real lane[SUM_LANES] = {0};
        for (int64_t i = 0; i < whole; i += SUM_LANES) {
#pragma omp simd
            for (int l = 0; l < SUM_LANES; l++) {
                lane[l] += x[from + i + l];
            }
        }
        for (int64_t i = whole; i < count; i++) {
            lane[i - whole] += x[from + i];
        }
        for (int l = 0; l < SUM_LANES; l++) {
            total += (double)lane[l];
        }
    }
    return total;
}

/* sum_down: sums [columns] += the rows of x [rows, columns]. Short rows are summed as lines of several first. */
static void sum_down(const real *x, int64_t rows, int64_t columns, double *sums)
{
    if (rows > 1 && columns > 0 && columns <= SUM_BLOCK_COLUMNS / 2) {
        int64_t step = SUM_BLOCK_COLUMNS / columns < rows ? SUM_BLOCK_COLUMNS / columns : rows;
        int64_t lines = rows / step, length = step * columns;
        double line[SUM_BLOCK_COLUMNS] = {0};
        sum_down(x, lines, length, line);
        for (int64_t r = 0; r < rows % step; r++) {
            for (int64_t i = 0; i < columns; i++) {
                line[i] += (double)x[lines * length + r * columns + i];
            }
        }
        for (int64_t r = 0; r < step; r++) {
            for (int64_t i = 0; i < columns; i++) {
                sums[i] += line[r * columns + i];
            }
        }
        return;
    }
    real part[SUM_BLOCK_COLUMNS];
    for (int64_t left = 0; left < columns; left += SUM_BLOCK_COLUMNS) {
        int64_t width = columns - left < SUM_BLOCK_COLUMNS ? columns - left : SUM_BLOCK_COLUMNS;
        for (int64_t top = 0; top < rows; top += SUM_BLOCK_ROWS) {
            int64_t end = rows - top < SUM_BLOCK_ROWS ? rows : top + SUM_BLOCK_ROWS;
            for (int64_t i = 0; i < width; i++) {
                part[i] = 0;
            }
            for (int64_t r = top; r < end; r++) {
                const real *row = x + r * columns + left;
#pragma omp simd
                for (int64_t i = 0; i < width; i++) {
                    part[i] += row[i];
                }
            }
            for (int64_t i = 0; i < width; i++) {
                sums[left + i] += (double)part[i];
            }
        }
    }
}

static int64_t inner_size(int rank, const int64_t *dim)
{
    int64_t size = 1;
    for (int i = 1; i < rank; i++) {
        size *= dim[i];
    }
    return size;
}

static void sum_part(const real *x, int rank, const int64_t *dim, const int64_t *stride, double *sums)
{
    if (rank == 0) {
        sums[0] += (double)x[0];
    } else if (rank == 1 && stride[0] == 0) {
        sums[0] += sum_run(x, dim[0]);
    } else if (rank == 1) {
        for (int64_t i = 0; i < dim[0]; i++) {
            sums[i] += (double)x[i];
        }
    } else if (rank == 2 && stride[0] == 0 && stride[1] != 0) {
        sum_down(x, dim[0], dim[1], sums);
    } else {
        int64_t inner = inner_size(rank, dim);
        for (int64_t i = 0; i < dim[0]; i++) {
            sum_part(x + i * inner, rank - 1, dim + 1, stride + 1, sums + i * stride[0]);
        }
    }
}

void KERNEL(sum_axes)(const void *x_, int rank, const int64_t *dim, const int64_t *stride, double scale,
                      int64_t outputs, double *sums, void *out_, int threads)
{
    const real *x = x_;
    real *out = out_;
    for (int64_t o = 0; o < outputs; o++) {
        sums[o] = 0;
    }
    if (rank >= 2 && stride[0] != 0) {
        int64_t inner = inner_size(rank, dim);
#pragma omp parallel for num_threads(threads) if (threads > 1 && dim[0] * inner > 200000)
        for (int64_t i = 0; i < dim[0]; i++) {
            sum_part(x + i * inner, rank - 1, dim + 1, stride + 1, sums + i * stride[0]);
        }
    } else {
        sum_part(x, rank, dim, stride, sums);
    }
    for (int64_t o = 0; o < outputs; o++) {
        out[o] = (real)(scale * sums[o]);
    }
    (void)threads;
}

static void spread_part(const real *d_out, int rank, const int64_t *dim, const int64_t *stride, real scale, real *dx,
                        bool add)
{
    if (rank == 0) {
        dx[0] = scale * d_out[0] + (add ? dx[0] : 0);
    } else if (rank == 1) {
        int64_t step = stride[0];
        if (step == 0) {
            real value = scale * d_out[0];
            for (int64_t i = 0; i < dim[0]; i++) {
                dx[i] = value + (add ? dx[i] : 0);
            }
        } else {
#pragma omp simd
            for (int64_t i = 0; i < dim[0]; i++) {
                dx[i] = scale * d_out[i] + (add ? dx[i] : 0);
            }
        }
    } else {
        int64_t inner = inner_size(rank, dim);
        for (int64_t i = 0; i < dim[0]; i++) {
            spread_part(d_out + i * stride[0], rank - 1, dim + 1, stride + 1, scale, dx + i * inner, add);
        }
    }
}

void KERNEL(spread_axes)(const void *d_out_, int rank, const int64_t *dim, const int64_t *stride, double scale,
                         void *dx_, bool add, int threads)
{
    const real *d_out = d_out_;
    real *dx = dx_;
    if (rank < 2) {
        spread_part(d_out, rank, dim, stride, (real)scale, dx, add);
        return;
    }
    int64_t inner = inner_size(rank, dim);
#pragma omp parallel for num_threads(threads) if (threads > 1 && dim[0] * inner > 200000)
    for (int64_t i = 0; i < dim[0]; i++) {
        spread_part(d_out + i * stride[0], rank - 1, dim + 1, stride + 1, (real)scale, dx + i * inner, add);
    }
    (void)threads;
}
