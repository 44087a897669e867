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

VECTOR_INLINE vector finish(const struct tile *t, vector v, vector before)
{
    v += before;
    return t->limit >= 0 ? vector_ceiling(vector_relu(v), t->limit) : v;
}

/* Where the next row is. */
struct cursor {
    const real *a;
    real *c;
    int64_t left; /* rows of this run */
};

VECTOR_INLINE void cursor_next(const struct tile *t, struct cursor *at)
{
    const bool end = --at->left == 0;
    at->a += t->a_row + (end ? t->a_jump : 0);
    at->c += t->c_row + (end ? t->c_jump : 0);
    at->left = end ? t->run : at->left;
}

#if LANES_MASKED
/* store_masked: one row of F whole vectors, of which the first columns are wanted. */
VECTOR_INLINE void store_masked(int F, const struct tile *t, real *c, const vector *sum)
{
#pragma GCC unroll 16
    for (int f = 0; f < F; f++) {
        const int64_t n = first_lanes(t->columns, f * LANES);
        const vector before = t->add ? vector_load_first(c + f * LANES, n) : (vector){0};
        vector_store_first(c + f * LANES, finish(t, sum[f], before), n);
    }
}
#endif

/* store_part: one row of a panel that is wider than the columns that are wanted. Inlined for each row of each body it would
 * be most of this file's code and of its compile time. */
__attribute__((noinline)) static void store_part(const struct tile *t, real *c, const real *from)
{
    for (int64_t n = 0; n < t->columns; n++) {
        real v = from[n] + (t->add ? c[n] : 0);
        if (t->limit >= 0)
            v = v <= 0 ? 0 : v > t->limit ? t->limit : v;
        c[n] = v;
    }
}

VECTOR_INLINE vector b_load(const struct tile *t, const real *b, int f, bool part)
{
#if LANES_MASKED
    if (part)
        return vector_load_first(b, t->b_columns);
#endif
    (void)t;
    (void)part;
    return vector_load(b + f * LANES);
}

/* tile_body: the next R rows (R is even; `used`, R or R - 1, of them are wanted) by F vectors and, if H, half a vector.
 * part: of b's rows only the first columns are there. R, F, H and `part` are constants. */
VECTOR_INLINE void tile_body(int R, int F, int H, bool part, const struct tile *t, struct cursor *next, int64_t used)
{
    vector sum[ROWS_MOST][VECTORS_MOST], half[ROWS_MOST / 2];
    const real *a[ROWS_MOST];
    real *c[ROWS_MOST];
    if (next->left > used) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            a[r] = next->a + r * t->a_row;
            c[r] = next->c + r * t->c_row;
        }
        next->a += used * t->a_row;
        next->c += used * t->c_row;
        next->left -= used;
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            a[r] = next->a;
            c[r] = next->c;
            if (r < R - 1 || used == R)
                cursor_next(t, next);
        }
    }
    if (used < R) { /* no row beyond those wanted is touched */
        a[R - 1] = a[R - 2];
        c[R - 1] = c[R - 2];
    }
    const real *b = t->b, *start = t->bias ? t->bias : no_bias;
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
    const ptrdiff_t a_k = t->a_k, b_k = t->b_k;
    for (int64_t o = 0; o < t->outer; o++) {
        ptrdiff_t k = t->offset[o];
        for (int64_t i = 0; i < t->inner; i++) {
            vector w[VECTORS_MOST], last = {0};
#pragma GCC unroll 16
            for (int f = 0; f < F; f++)
                w[f] = b_load(t, b, f, part);
            if (H)
                last = vector_load_twice(b + F * LANES);
#pragma GCC unroll 16
            for (int r = 0; r < R; r += 2) {
                vector even = vector_all(a[r][k]), odd = vector_all(a[r + 1][k]);
#pragma GCC unroll 16
                for (int f = 0; f < F; f++) {
                    sum[r][f] += even * w[f];
                    sum[r + 1][f] += odd * w[f];
                }
                if (H)
                    half[r / 2] += vector_blend(even, odd) * last;
            }
            k += a_k;
            b += b_k;
        }
    }
#if LANES_MASKED
    if (!H && t->columns < F * LANES) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            if (r < R - 1 || used == R)
                store_masked(F, t, c[r], sum[r]);
        return;
    }
#endif
    if (t->columns < F * LANES + H * HALF) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            real all[VECTORS_MOST * LANES + HALF];
#pragma GCC unroll 16
            for (int f = 0; f < F; f++)
                vector_store(all + f * LANES, sum[r][f]);
            if (H && r % 2 == 0)
                vector_store_low(all + F * LANES, half[r / 2]);
            else if (H)
                vector_store_high(all + F * LANES, half[r / 2]);
            if (r < R - 1 || used == R)
                store_part(t, c[r], all);
        }
        return;
    }
    if (t->add || t->limit >= 0) {
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
            for (int f = 0; f < F; f++)
                sum[r][f] = finish(t, sum[r][f], t->add ? vector_load(c[r] + f * LANES) : (vector){0});
        }
        if (H) {
#pragma GCC unroll 16
            for (int r = 0; r < R; r += 2) {
                const vector even = t->add ? vector_load_twice(c[r] + F * LANES) : (vector){0};
                const vector odd = t->add ? vector_load_twice(c[r + 1] + F * LANES) : (vector){0};
                half[r / 2] = finish(t, half[r / 2], vector_blend(even, odd));
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
        if (r == R - 1 && used < R)
            return;
#pragma GCC unroll 16
        for (int f = 0; f < F; f++)
            vector_store(c[r] + f * LANES, sum[r][f]);
        if (H && r % 2 == 0)
            vector_store_low(c[r] + F * LANES, half[r / 2]);
        else if (H)
            vector_store_high(c[r] + F * LANES, half[r / 2]);
    }
}

/* A panel's function walks the rows in blocks of at most MOST, as even as possible. */
#define PANEL(name, MOST, F, H, PART)                                                                                  \
    static void name(const struct tile *t)                                                                             \
    {                                                                                                                  \
        struct cursor next = {t->a, t->c, t->run};                                                                     \
        int64_t left = t->rows;                                                                                        \
        for (int64_t blocks = (left + MOST - 1) / MOST; blocks > 0; blocks--) {                                        \
            int64_t used = left >= MOST * blocks - 1 ? MOST : ((left + blocks - 1) / blocks + 1) / 2 * 2;              \
            const int64_t body = used;                                                                                 \
            if (used > left)                                                                                           \
                used = left;                                                                                           \
            if (MOST >= 12 && body == 12)                                                                              \
                tile_body(12, F, H, PART, t, &next, used);                                                             \
            else if (MOST >= 10 && body == 10)                                                                         \
                tile_body(10, F, H, PART, t, &next, used);                                                             \
            else if (MOST >= 8 && body == 8)                                                                           \
                tile_body(8, F, H, PART, t, &next, used);                                                              \
            else if (MOST >= 6 && body == 6)                                                                           \
                tile_body(6, F, H, PART, t, &next, used);                                                              \
            else if (body == 4)                                                                                        \
                tile_body(4, F, H, PART, t, &next, used);                                                              \
            else                                                                                                       \
                tile_body(2, F, H, PART, t, &next, used);                                                              \
            left -= used;                                                                                              \
        }                                                                                                              \
    }

PANEL(panel_1, ROWS_1, 0, 1, false)
PANEL(panel_2, ROWS_2, 1, 0, false)
#if LANES_MASKED
PANEL(panel_2_part, ROWS_2, 1, 0, true)
#endif
PANEL(panel_3, ROWS_3, 1, 1, false)
PANEL(panel_4, ROWS_4, 2, 0, false)
PANEL(panel_6, ROWS_6, 3, 0, false)

void KERNEL(tile_run)(const struct tile *t, int units)
{
    switch (units) {
    case 1:
        panel_1(t);
        break;
    case 2:
#if LANES_MASKED
        if (t->b_columns > 0) {
            panel_2_part(t);
            break;
        }
#endif
        panel_2(t);
        break;
    case 3:
        panel_3(t);
        break;
    case 4:
        panel_4(t);
        break;
    default:
        panel_6(t);
        break;
    }
}
