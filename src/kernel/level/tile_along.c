/* tile_along.c: the products of winograd.c of one vector's width: the tile's (tile.h) whose rows never break off and with
 * neither bias nor limit nor add. So a row needs no pointer of its own, and twelve fit where tile_run has eight: with one
 * vector a row the loads are what limits, 13 for 12 multiply-adds in place of 9 for 8. Wider panels gain nothing. */
#include "kernel/level/winograd.h"

enum { ROWS = 12, UNROLLED = 4 };

/* block: R rows (even, constant) from row `first` on. */
VECTOR_INLINE void block(int R, const struct tile *t, int64_t first)
{
    const ptrdiff_t row = t->a_row;
    const real *b = t->b;
    vector sum[ROWS];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
        sum[r] = (vector){0};
    for (int64_t o = 0; o < t->outer; o++) {
        const real *pair[ROWS / 2], *start = t->a + first * row + t->offset[o];
#pragma GCC unroll 16
        for (int r = 0; r < R; r += 2)
            pair[r / 2] = start + r * row;
        for (int64_t i = 0; i < t->inner; i += UNROLLED) {
#pragma GCC unroll 4
            for (int u = 0; u < UNROLLED; u++, b += LANES) {
                const vector w = vector_load(b);
#pragma GCC unroll 16
                for (int r = 0; r < R; r += 2) {
                    sum[r] += vector_all(*pair[r / 2]) * w;
                    sum[r + 1] += vector_all(pair[r / 2][row]) * w;
                    pair[r / 2]++;
                }
            }
        }
    }
    real *c = t->c + first * t->c_row;
#pragma GCC unroll 16
    for (int r = 0; r < R; r++, c += t->c_row)
        vector_store(c, sum[r]);
}

/* The rows go in blocks as even as possible; the last may begin in the one before. */
void KERNEL(tile_along)(const struct tile *t, int units)
{
    if (units != 2 || t->columns < LANES || t->inner % UNROLLED != 0 || t->rows < ROWS - 4) {
        KERNEL(tile_run)(t, units);
        return;
    }
    int64_t first = 0;
    for (int64_t blocks = (t->rows + ROWS - 1) / ROWS; blocks > 0; blocks--) {
        const int64_t even = ((t->rows - first + blocks - 1) / blocks + 1) / 2 * 2;
        const int64_t rows = even < ROWS - 4 ? ROWS - 4 : even;
        const int64_t start = first + rows <= t->rows ? first : t->rows - rows;
        if (rows == ROWS)
            block(ROWS, t, start);
        else if (rows == ROWS - 2)
            block(ROWS - 2, t, start);
        else
            block(ROWS - 4, t, start);
        first = start + rows;
    }
}
