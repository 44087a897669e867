/* tile.h: the one matrix product that convolutions and matrix products are made of.
 *
 *     c[r][n] (+)= bias[n] + sum_o sum_i a[r][offset[o] + i * a_k] * b[(o * inner + i) * b_k + n]
 *
 * for all rows r and the columns of one panel, which lie in registers while the sum runs: a is broadcast, b is read in vectors.
 * Rows come in runs (the pixels of a map's row): a_row apart within a run, a_jump more from a run to the next; c likewise.
 * A panel is 1, 2, 3, 4 or 6 units of HALF lanes wide. Where the width is odd, one vector holds the last HALF columns of two
 * rows, so that 12 channels on 8 lanes waste nothing. */
#ifndef KERNEL_LEVEL_TILE_H
#define KERNEL_LEVEL_TILE_H

#include "kernel/level/lanes.h"

struct tile {
    const real *a;
    ptrdiff_t a_row, a_jump, a_k;
    const ptrdiff_t *offset; /* [outer] */
    int64_t outer, inner;
    const real *b; /* [outer * inner] rows of the whole panel's width, b_k apart */
    ptrdiff_t b_k;
    int64_t b_columns; /* only with LANES_MASKED, in a panel of one vector: so many of a row of b are there; 0: all */
    const real *bias;  /* of the panel's width, or NULL */
    real *c;           /* only rows x columns are written */
    ptrdiff_t c_row, c_jump;
    int64_t rows, run, columns; /* run: at least 1; columns: at most the panel's width */
    bool add;                   /* c += */
    real limit;                 /* >= 0: the results are clipped into [0, limit] */
};

/* tile_units: width of the next panel, in units, when `columns` are left. */
static inline int tile_units(int64_t columns)
{
    int64_t units = (columns + HALF - 1) / HALF;
    if (units % 2 == 1)
        return units == 1 ? 1 : 3;
    if (units % 4 == 0)
        return 4;
    return units == 2 ? 2 : 6;
}

void KERNEL(tile_run)(const struct tile *tile, int units);

#endif
