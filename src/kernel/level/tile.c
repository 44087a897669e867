/* tile.c: see tile.h. Each panel width has its own function, each number of rows its own unrolled body. */
#include "kernel/level/tile.h"

/* Rows at a time: as many as the registers hold, and enough sums side by side to hide the latency of an addition. */
#if VECTOR_BYTES == 64
#define ROWS_1 12
#define ROWS_2 12
#define ROWS_3 12
#define ROWS_4 12
#define ROWS_6 8
#else
#define ROWS_1 8
#define ROWS_2 8
#define ROWS_3 8
#define ROWS_4 6
#define ROWS_6 4
#endif
enum { ROWS_MOST = 12, VECTORS_MOST = 3 };

static const real no_bias[VECTORS_MOST * LANES];

VECTOR_INLINE vector finish(const struct tile *t, vector v)
{
    return t->limit >= 0 ? vector_ceiling(vector_relu(v), t->limit) : v;
}

/* store_part: results of a panel that is wider than the columns that are wanted. */
static void store_part(const struct tile *t, real *c, const real *from, int width, int64_t used)
{
    for (int64_t r = 0; r < used; r++) {
        for (int64_t n = 0; n < t->columns; n++) {
            real v = from[r * width + n] + (t->add ? c[r * t->c_row + n] : 0);
            if (t->limit >= 0)
                v = v <= 0 ? 0 : v > t->limit ? t->limit : v;
            c[r * t->c_row + n] = v;
        }
    }
}

/* tile_body: R rows (even; `used` of them are wanted) by F vectors and, if H, half a vector. R, F and H are constants. */
VECTOR_INLINE void tile_body(int R, int F, int H, const struct tile *t, const real *a, real *c, int64_t used)
{
    vector sum[ROWS_MOST][VECTORS_MOST], half[ROWS_MOST / 2];
    const ptrdiff_t a_row = t->a_row, a_k = t->a_k, b_k = t->b_k;
    const ptrdiff_t a_end = (used - 1) * a_row; /* the last row's: no row beyond those wanted is read */
    const real *b = t->b;
    const real *start = t->bias ? t->bias : no_bias;
#pragma GCC unroll 16
    for (int f = 0; f < F; f++) {
        vector bias = vector_load(start + f * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            sum[r][f] = bias;
    }
    if (H) {
        vector bias = vector_load_twice(start + F * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < R; r += 2)
            half[r / 2] = bias;
    }
    for (int64_t o = 0; o < t->outer; o++) {
        const real *x = a + t->offset[o];
        for (int64_t i = 0; i < t->inner; i++) {
            vector w[VECTORS_MOST], last = {0};
#pragma GCC unroll 16
            for (int f = 0; f < F; f++)
                w[f] = vector_load(b + f * LANES);
            if (H)
                last = vector_load_twice(b + F * LANES);
#pragma GCC unroll 16
            for (int r = 0; r < R; r += 2) {
                vector even = vector_all(x[r * a_row]), odd = vector_all(x[r + 2 == R ? a_end : (r + 1) * a_row]);
#pragma GCC unroll 16
                for (int f = 0; f < F; f++) {
                    sum[r][f] += even * w[f];
                    sum[r + 1][f] += odd * w[f];
                }
                if (H)
                    half[r / 2] += vector_blend(even, odd) * last;
            }
            x += a_k;
            b += b_k;
        }
    }
    if (t->columns < F * LANES + H * HALF) {
        real all[ROWS_MOST * (VECTORS_MOST * LANES + HALF)];
        const int width = F * LANES + H * HALF;
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
            for (int f = 0; f < F; f++)
                vector_store(all + r * width + f * LANES, sum[r][f]);
            if (H && r % 2 == 0)
                vector_store_low(all + r * width + F * LANES, half[r / 2]);
            else if (H)
                vector_store_high(all + r * width + F * LANES, half[r / 2]);
        }
        store_part(t, c, all, width, used);
        return;
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
        real *to = c + r * t->c_row;
        if (r == R - 1 && r >= used)
            return;
#pragma GCC unroll 16
        for (int f = 0; f < F; f++) {
            vector v = sum[r][f];
            if (t->add)
                v += vector_load(to + f * LANES);
            vector_store(to + f * LANES, finish(t, v));
        }
        if (H) {
            vector v = half[r / 2];
            if (t->add)
                v += vector_load_twice(to + F * LANES);
            v = finish(t, v);
            if (r % 2 == 0)
                vector_store_low(to + F * LANES, v);
            else
                vector_store_high(to + F * LANES, v);
        }
    }
}

/* A panel's function walks the rows in blocks of at most MOST, as even as possible. */
#define PANEL(name, MOST, F, H)                                                                                        \
    static void name(const struct tile *t)                                                                             \
    {                                                                                                                  \
        const real *a = t->a;                                                                                          \
        real *c = t->c;                                                                                                \
        int64_t left = t->rows;                                                                                        \
        for (int64_t blocks = (left + MOST - 1) / MOST; blocks > 0; blocks--) {                                        \
            int64_t used = ((left + blocks - 1) / blocks + 1) / 2 * 2;                                                 \
            if (used > left)                                                                                           \
                used = left;                                                                                           \
            const int64_t body = (used + 1) / 2 * 2;                                                                   \
            if (MOST >= 12 && body == 12)                                                                              \
                tile_body(12, F, H, t, a, c, used);                                                                    \
            else if (MOST >= 10 && body == 10)                                                                         \
                tile_body(10, F, H, t, a, c, used);                                                                    \
            else if (MOST >= 8 && body == 8)                                                                           \
                tile_body(8, F, H, t, a, c, used);                                                                     \
            else if (MOST >= 6 && body == 6)                                                                           \
                tile_body(6, F, H, t, a, c, used);                                                                     \
            else if (body == 4)                                                                                        \
                tile_body(4, F, H, t, a, c, used);                                                                     \
            else                                                                                                       \
                tile_body(2, F, H, t, a, c, used);                                                                     \
            a += used * t->a_row;                                                                                      \
            c += used * t->c_row;                                                                                      \
            left -= used;                                                                                              \
        }                                                                                                              \
    }

PANEL(panel_1, ROWS_1, 0, 1)
PANEL(panel_2, ROWS_2, 1, 0)
PANEL(panel_3, ROWS_3, 1, 1)
PANEL(panel_4, ROWS_4, 2, 0)
PANEL(panel_6, ROWS_6, 3, 0)

void KERNEL(tile_run)(const struct tile *t, int units)
{
    switch (units) {
    case 1: panel_1(t); break;
    case 2: panel_2(t); break;
    case 3: panel_3(t); break;
    case 4: panel_4(t); break;
    default: panel_6(t); break;
    }
}
