/* gram.c: the products of all rows of a matrix with each other, of which half are computed, and what their gradient is made of. */
#include "kernel/convolution.h"
#include "kernel/level/tile.h"
#include "kernel/level/turn.h"

/* Of rows at a time: the fewer, the less is computed twice, but the more often is read what is packed. */
enum { GRAM_ROWS = 12 };

/* products_below: c[i][j] (+)= x_i x_j for a block of rows i and every panel of columns that has a j up to the last of them. */
static void products_below(const struct product_shape *s, int64_t row, int64_t rows, const real *x, const real *packed,
                           real *c)
{
    static const ptrdiff_t origin[1] = {0};
    const real *panel = packed;
    for (int64_t first = 0; first < row + rows;) {
        const int units = tile_units(s->n - first);
        const int64_t width = units * HALF;
        struct tile tile = {.a_row = (ptrdiff_t)s->a_row, .a_k = (ptrdiff_t)s->a_k, .offset = origin, .outer = 1};
        tile.a = x + row * s->a_row;
        tile.b = panel + width;
        tile.b_k = (ptrdiff_t)width;
        tile.bias = s->add ? NULL : panel;
        tile.c = c + row * s->c_row + first;
        tile.c_row = (ptrdiff_t)s->c_row;
        tile.rows = tile.run = rows;
        tile.columns = s->n - first < width ? s->n - first : width;
        tile.inner = s->k;
        tile.add = s->add;
        tile.limit = -1;
        KERNEL(tile_run)(&tile, units);
        panel += (1 + s->k) * width;
        first += width;
    }
}

/* mirror: above the diagonal what is below it. A block on the diagonal holds numbers of no meaning above it. */
static void mirror(int64_t n, real *c)
{
    const int64_t whole = n - n % LANES;
    for (int64_t top = 0; top < whole; top += LANES)
        for (int64_t left = top + LANES; left < whole; left += LANES)
            block_turn(c + left * n + top, n, c + top * n + left, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t end = i < whole ? i - i % LANES + LANES : n;
        for (int64_t j = i + 1; j < end; j++)
            c[i * n + j] = c[j * n + i];
        for (int64_t j = i < whole ? whole : n; j < n; j++)
            c[i * n + j] = c[j * n + i];
    }
}

static void gram_one(const struct product_shape *all, const real *x, real *packed, real *c, int threads)
{
    struct product_shape s = *all;
    const bool pays = threads > 1 && (double)s.m * (double)s.n * (double)s.k > 4e5;
    for (int64_t k = 0; k < all->k || k == 0; k += GRAM_SUMS) {
        s.k = all->k - k < GRAM_SUMS ? all->k - k : GRAM_SUMS;
        s.add = k > 0;
        KERNEL(product_pack)(&s, x + k * s.a_k, NULL, packed);
#pragma omp parallel for num_threads(threads) if (pays) schedule(dynamic)
        for (int64_t row = 0; row < s.m; row += GRAM_ROWS)
            products_below(&s, row, s.m - row < GRAM_ROWS ? s.m - row : GRAM_ROWS, x + k * s.a_k, packed, c);
    }
    mirror(s.m, c);
}

static struct product_shape square_of(int64_t rows, int64_t sums, int64_t row_step, int64_t sum_step)
{
    return (struct product_shape){.m = rows,
                                  .n = rows,
                                  .k = sums,
                                  .a_row = row_step,
                                  .a_k = sum_step,
                                  .b_k = sum_step,
                                  .b_n = row_step,
                                  .c_row = rows,
                                  .limit = -1};
}

void KERNEL(gram)(int64_t count, int64_t rows, int64_t sums, int64_t row_step, int64_t sum_step, const void *x_,
                  void *packed_, void *y_, int threads)
{
    const real *x = x_;
    real *y = y_;
    const struct product_shape s = square_of(rows, sums, row_step, sum_step);
    const size_t each = gram_packed_bytes(rows, sums, sizeof(real));
    const bool pays = (double)count * (double)rows * (double)rows * (double)sums > 4e5;
    const int64_t pieces = count < threads || !pays ? 1 : threads;
#pragma omp parallel for num_threads(threads) if (pieces > 1) schedule(static)
    for (int64_t piece = 0; piece < pieces; piece++) {
        void *packed = (unsigned char *)packed_ + (size_t)piece * each;
        for (int64_t i = count * piece / pieces; i < count * (piece + 1) / pieces; i++)
            gram_one(&s, x + i * rows * sums, packed, y + i * rows * rows, pieces > 1 ? 1 : threads);
    }
}

/* sum_turned: y = x + x^T, one matrix. */
static void sum_turned(int64_t n, const real *x, real *y)
{
    const int64_t whole = n - n % LANES;
    for (int64_t top = 0; top < whole; top += LANES)
        for (int64_t left = 0; left < whole; left += LANES) {
            vector v[LANES];
            block_load_turned(x + left * n + top, n, v);
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++) {
                const int64_t at = (top + i) * n + left;
                vector_store(y + at, vector_load(x + at) + v[i]);
            }
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i < whole ? whole : 0; j < n; j++)
            y[i * n + j] = x[i * n + j] + x[j * n + i];
}

void KERNEL(add_turned)(int64_t count, int64_t n, const void *x_, void *y_)
{
    const real *x = x_;
    real *y = y_;
    for (int64_t i = 0; i < count; i++)
        sum_turned(n, x + i * n * n, y + i * n * n);
}
