/* winograd_product.c: the products of kernel/winograd.h at one point:
 *
 *     winograd_rows   m [h][g][o] = sum over kh, c of x [h + kh][g][c] u [kh][c][o]
 *     winograd_taps   m [kh][c][o] (+)= sum over h, g of x [h + kh][g][c] dy [h][g][o]
 *
 * A row of x goes at once into the three rows of m, or of dy, that see it, whose sums stay in registers: a block of four
 * groups (rows) or channels (taps) and one vector loads 4 numbers and 3 vectors for 12 multiply-adds. What the two youngest
 * rows of m have when the rows of x end is written behind the others, and the next call begins with it. */
#include "kernel/level/winograd.h"

enum { MEMBERS_MOST = 8, VECTORS_MOST = 4 };

/* The sums that meet a row of x with the taps kh = 0, 1, 2. */
struct sums {
    vector whole[WINOGRAD_TAPS][MEMBERS_MOST][VECTORS_MOST], half[WINOGRAD_TAPS][MEMBERS_MOST / 2];
};

/* In the functions below: N members of a block, F vectors and, if H, half a vector; these are constants. The halves of two
 * members share a vector; the upper half of the last one is not used where N is odd. */

VECTOR_INLINE void sums_load(int N, int F, int H, const struct winograd_product *p, const real *m, int k,
                             struct sums *s)
{
#pragma GCC unroll 8
    for (int g = 0; g < N; g++) {
#pragma GCC unroll 8
        for (int f = 0; f < F; f++)
            s->whole[k][g][f] = vector_load(m + g * p->m_member + f * LANES);
    }
#pragma GCC unroll 8
    for (int g = 0; H && g < N; g += 2) {
        const real *from = m + g * p->m_member + F * LANES, *other = g + 1 < N ? from + p->m_member : from;
        s->half[k][g / 2] = vector_blend(vector_load_twice(from), vector_load_twice(other));
    }
}

VECTOR_INLINE void sums_zero(int N, int F, int H, int k, struct sums *s)
{
#pragma GCC unroll 8
    for (int g = 0; g < N; g++) {
#pragma GCC unroll 8
        for (int f = 0; f < F; f++)
            s->whole[k][g][f] = (vector){0};
    }
#pragma GCC unroll 8
    for (int g = 0; H && g < N; g += 2)
        s->half[k][g / 2] = (vector){0};
}

VECTOR_INLINE void sums_store(int N, int F, int H, const struct winograd_product *p, const struct sums *s, int k,
                              real *m)
{
#pragma GCC unroll 8
    for (int g = 0; g < N; g++, m += p->m_member) {
#pragma GCC unroll 8
        for (int f = 0; f < F; f++)
            vector_store(m + f * LANES, s->whole[k][g][f]);
        if (H && g % 2 == 0)
            vector_store_low(m + F * LANES, s->half[k][g / 2]);
        else if (H)
            vector_store_high(m + F * LANES, s->half[k][g / 2]);
    }
}

/* sums_shift: the next row of x meets each row of m with the tap behind. */
VECTOR_INLINE void sums_shift(int N, int F, int H, int k, struct sums *s)
{
#pragma GCC unroll 8
    for (int g = 0; g < N; g++) {
#pragma GCC unroll 8
        for (int f = 0; f < F; f++)
            s->whole[k][g][f] = s->whole[k - 1][g][f];
    }
#pragma GCC unroll 8
    for (int g = 0; H && g < N; g += 2)
        s->half[k][g / 2] = s->half[k - 1][g / 2];
}

/* sums_add: one step of the sum, for the members at x and the three taps at u. */
VECTOR_INLINE void sums_add(int N, int F, int H, const struct winograd_product *p, const real *x, const real *u,
                            struct sums *s)
{
    /* Registers hold the sums and either the u of a step or its x, whichever is less. */
    vector a[MEMBERS_MOST], b[WINOGRAD_TAPS];
    if (F + H > 1) {
#pragma GCC unroll 8
        for (int g = 0; g < N; g++)
            a[g] = vector_all(x[g * p->x_member]);
#pragma GCC unroll 8
        for (int k = 0; k < WINOGRAD_TAPS; k++) {
#pragma GCC unroll 8
            for (int f = 0; f < F; f++) {
                b[0] = vector_held(vector_load(u + k * p->u_tap + f * LANES));
#pragma GCC unroll 8
                for (int g = 0; g < N; g++)
                    s->whole[k][g][f] += a[g] * b[0];
            }
            if (H)
                s->half[k][0] += vector_blend(a[0], a[N - 1]) * vector_load_twice(u + k * p->u_tap + F * LANES);
        }
        return;
    }
#pragma GCC unroll 8
    for (int k = 0; k < WINOGRAD_TAPS; k++)
        b[k] = H ? vector_load_twice(u + k * p->u_tap) : vector_load(u + k * p->u_tap);
#pragma GCC unroll 8
    for (int g = 0; g < N; g += 1 + H) {
        a[0] = vector_all(x[g * p->x_member]);
        if (H)
            a[0] = vector_blend(a[0], vector_all(x[(g + 1 < N ? g + 1 : g) * p->x_member]));
#pragma GCC unroll 8
        for (int k = 0; k < WINOGRAD_TAPS; k++) {
            if (H)
                s->half[k][g / 2] += a[0] * b[k];
            else
                s->whole[k][g][0] += a[0] * b[k];
        }
    }
}

VECTOR_INLINE void sums_run(int N, int F, int H, const struct winograd_product *p, const real *x, const real *u,
                            struct sums *s)
{
    for (int64_t i = 0; i < p->inner; i++)
        sums_add(N, F, H, p, x + i * p->x_step, u + i * p->u_step, s);
}

VECTOR_INLINE void rows_block(int N, int F, int H, const struct winograd_product *p, int64_t first)
{
    const real *x = p->x + first * p->x_member;
    real *m = p->m + first * p->m_member;
    struct sums s;
    for (int k = 0; k < 2; k++) {
        if (p->before)
            sums_load(N, F, H, p, p->before + first * p->m_member + (1 - k) * p->m_row, k, &s);
        else
            sums_zero(N, F, H, k, &s);
    }
    for (int64_t row = 0; row < p->rows; row++, x += p->x_row, m += p->m_row) {
        sums_shift(N, F, H, 2, &s);
        sums_shift(N, F, H, 1, &s);
        sums_zero(N, F, H, 0, &s);
        sums_run(N, F, H, p, x, p->u, &s);
        sums_store(N, F, H, p, &s, 2, m);
    }
    sums_store(N, F, H, p, &s, 1, m);
    sums_store(N, F, H, p, &s, 0, m + p->m_row);
}

VECTOR_INLINE void taps_block(int N, int F, int H, const struct winograd_product *p, int64_t first)
{
    real *m = p->m + first * p->m_member;
    struct sums s;
#pragma GCC unroll 8
    for (int k = 0; k < WINOGRAD_TAPS; k++) {
        if (p->before)
            sums_load(N, F, H, p, m + k * p->m_row, k, &s);
        else
            sums_zero(N, F, H, k, &s);
    }
    for (int64_t row = 0; row < p->rows; row++)
        sums_run(N, F, H, p, p->x + first * p->x_member + row * p->x_row, p->u + row * p->u_row, &s);
#pragma GCC unroll 8
    for (int k = 0; k < WINOGRAD_TAPS; k++)
        sums_store(N, F, H, p, &s, k, m + k * p->m_row);
}

/* A panel's function walks the members in blocks of at most MOST, as even as possible. */
#define PANEL(kind, units, MOST, F, H)                                                                                 \
    static void kind##_panel_##units(const struct winograd_product *p)                                                 \
    {                                                                                                                  \
        int64_t first = 0;                                                                                             \
        for (int64_t blocks = (p->members + (MOST)-1) / (MOST); blocks > 0; blocks--) {                                \
            const int64_t n = (p->members - first + blocks - 1) / blocks;                                              \
            if (MOST >= 8 && n == 8)                                                                                   \
                kind##_block(8, F, H, p, first);                                                                       \
            else if (MOST >= 8 && n == 7)                                                                              \
                kind##_block(7, F, H, p, first);                                                                       \
            else if (MOST >= 8 && n == 6)                                                                              \
                kind##_block(6, F, H, p, first);                                                                       \
            else if (MOST >= 8 && n == 5)                                                                              \
                kind##_block(5, F, H, p, first);                                                                       \
            else if (MOST >= 4 && n == 4)                                                                              \
                kind##_block(4, F, H, p, first);                                                                       \
            else if (MOST >= 4 && n == 3)                                                                              \
                kind##_block(3, F, H, p, first);                                                                       \
            else if (MOST >= 2 && n == 2)                                                                              \
                kind##_block(2, F, H, p, first);                                                                       \
            else                                                                                                       \
                kind##_block(1, F, H, p, first);                                                                       \
            first += n;                                                                                                \
        }                                                                                                              \
    }

PANEL(rows, 1, 8, 0, 1)
PANEL(rows, 2, 4, 1, 0)
PANEL(rows, 3, 2, 1, 1)
PANEL(rows, 4, 2, 2, 0)
PANEL(rows, 6, 1, 3, 0)
PANEL(rows, 8, 1, 4, 0)
PANEL(taps, 1, 8, 0, 1)
PANEL(taps, 2, 4, 1, 0)
PANEL(taps, 3, 2, 1, 1)

void KERNEL(winograd_rows)(const struct winograd_product *p, int units)
{
    switch (units) {
    case 1:
        rows_panel_1(p);
        break;
    case 2:
        rows_panel_2(p);
        break;
    case 3:
        rows_panel_3(p);
        break;
    case 4:
        rows_panel_4(p);
        break;
    case 6:
        rows_panel_6(p);
        break;
    default:
        rows_panel_8(p);
        break;
    }
}

void KERNEL(winograd_taps)(const struct winograd_product *p, int units)
{
    switch (units) {
    case 1:
        taps_panel_1(p);
        break;
    case 2:
        taps_panel_2(p);
        break;
    default:
        taps_panel_3(p);
        break;
    }
}
