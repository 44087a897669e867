/* product.c: matrix products of small and middle size (level/tile.h): b is packed once into panels of columns. */
#include "kernel/convolution.h"
#include "kernel/level/tile.h"
#include "kernel/level/turn.h"

/* Rows and sums at a time: what is read again and again lies in the first cache. */
enum { ROW_BLOCK = 96, SUM_BLOCK = 384 };

/* pack_rows: a panel of b whose rows lie one after another, `used` columns of them. */
static void pack_rows(const struct product_shape *s, const real *from, int64_t used, int64_t width, real *to)
{
    if (used == width && width % LANES == 0) {
        for (int64_t k = 0; k < s->k; k++)
            for (int64_t n = 0; n < width; n += LANES)
                vector_store(to + k * width + n, vector_load(from + k * s->b_k + n));
        return;
    }
    for (int64_t k = 0; k < s->k; k++)
        for (int64_t n = 0; n < width; n++)
            to[k * width + n] = n < used ? from[k * s->b_k + n] : 0;
}

/* pack_turned: a panel of b whose columns lie one after another, `used` of them. */
static void pack_turned(const struct product_shape *s, const real *from, int64_t used, int64_t width, real *to)
{
    const int64_t columns = s->b_k == 1 ? used - used % LANES : 0, sums = s->k - s->k % LANES;
    for (int64_t n = 0; n < columns; n += LANES)
        for (int64_t k = 0; k < sums; k += LANES)
            block_turn(from + n * s->b_n + k, s->b_n, to + k * width + n, width);
    for (int64_t n = 0; n < width; n++)
        for (int64_t k = n < columns ? sums : 0; k < s->k; k++)
            to[k * width + n] = n < used ? from[k * s->b_k + n * s->b_n] : 0;
}

void KERNEL(product_pack)(const struct product_shape *s, const void *b, const void *bias, void *packed)
{
    const real *from = b, *start = bias;
    real *to = packed;
    for (int64_t first = 0; first < s->n;) {
        const int64_t width = tile_units(s->n - first) * HALF;
        const int64_t used = s->n - first < width ? s->n - first : width;
        for (int64_t n = 0; n < width; n++)
            to[n] = start && n < used ? start[first + n] : 0;
        to += width;
        if (s->b_n == 1) {
            pack_rows(s, from + first, used, width, to);
        } else {
            pack_turned(s, from + first * s->b_n, used, width, to);
        }
        to += s->k * width;
        first += width;
    }
}

/* All panels and sums for one block of rows. */
static void product_rows(const struct product_shape *s, int64_t row, int64_t rows, const real *a, const real *packed,
                         real *c)
{
    static const ptrdiff_t origin[1] = {0};
    const real *panel = packed;
    for (int64_t first = 0; first < s->n;) {
        const int units = tile_units(s->n - first);
        const int64_t width = units * HALF;
        struct tile tile = {.a_row = (ptrdiff_t)s->a_row, .a_k = (ptrdiff_t)s->a_k, .offset = origin, .outer = 1};
        tile.b_k = (ptrdiff_t)width;
        tile.c = c + row * s->c_row + first;
        tile.c_row = (ptrdiff_t)s->c_row;
        tile.rows = tile.run = rows;
        tile.columns = s->n - first < width ? s->n - first : width;
        for (int64_t k = 0; k < s->k || k == 0; k += SUM_BLOCK) {
            const bool last = k + SUM_BLOCK >= s->k;
            tile.a = a + row * s->a_row + k * s->a_k;
            tile.b = panel + (1 + k) * width;
            tile.inner = last ? s->k - k : SUM_BLOCK;
            tile.bias = k == 0 ? panel : NULL;
            tile.add = s->add || k > 0;
            tile.limit = last ? (real)s->limit : -1;
            KERNEL(tile_run)(&tile, units);
        }
        panel += (1 + s->k) * width;
        first += width;
    }
}

void KERNEL(product)(const struct product_shape *s, const void *a, const void *packed, void *c, int threads)
{
    const int64_t blocks = (s->m + ROW_BLOCK - 1) / ROW_BLOCK;
    const bool pays = (double)s->m * (double)s->n * (double)s->k > 4e5;
#pragma omp parallel for num_threads(threads) if (threads > 1 && pays) schedule(static)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t row = block * ROW_BLOCK;
        product_rows(s, row, s->m - row < ROW_BLOCK ? s->m - row : ROW_BLOCK, a, packed, c);
    }
}
