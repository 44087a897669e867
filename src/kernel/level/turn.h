/* turn.h: square blocks of numbers with rows and columns exchanged, in registers. */
#ifndef KERNEL_LEVEL_TURN_H
#define KERNEL_LEVEL_TURN_H

#include "kernel/level/lanes.h"

/* TURN_LANES: f(lane, half) of every lane: constants, which the compilers' shuffles ask for. */
#define TURN_TWO(f, half, lane) f(lane, half), f((lane) + 1, half)
#define TURN_FOUR(f, half, lane) TURN_TWO(f, half, lane), TURN_TWO(f, half, (lane) + 2)
#define TURN_EIGHT(f, half, lane) TURN_FOUR(f, half, lane), TURN_FOUR(f, half, (lane) + 4)
#if LANES == 2
#define TURN_LANES(f, half) TURN_TWO(f, half, 0)
#elif LANES == 4
#define TURN_LANES(f, half) TURN_FOUR(f, half, 0)
#elif LANES == 8
#define TURN_LANES(f, half) TURN_EIGHT(f, half, 0)
#else
#define TURN_LANES(f, half) TURN_EIGHT(f, half, 0), TURN_EIGHT(f, half, 8)
#endif

/* Of a pair of rows `half` apart: where the lanes of either come from in both, when their blocks of `half` columns change corners. */
#define TURN_ABOVE(lane, half) ((lane) & (half) ? LANES + (lane) - (half) : (lane))
#define TURN_BELOW(lane, half) ((lane) & (half) ? LANES + (lane) : (lane) + (half))

#define TURN_STAGE(half)                                                                                               \
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) if (!(i & (half)))                                        \
    {                                                                                                                  \
        const vector above = v[i], below = v[i + (half)];                                                              \
        v[i] = __builtin_shufflevector(above, below, TURN_LANES(TURN_ABOVE, half));                                    \
        v[i + (half)] = __builtin_shufflevector(above, below, TURN_LANES(TURN_BELOW, half));                           \
    }

/* vectors_turn: v[i][j] and v[j][i] change places. */
VECTOR_INLINE void vectors_turn(vector v[LANES])
{
#if LANES >= 16
    TURN_STAGE(8)
#endif
#if LANES >= 8
    TURN_STAGE(4)
#endif
#if LANES >= 4
    TURN_STAGE(2)
#endif
    TURN_STAGE(1)
}

/* block_load_turned: v[i][j] = x[j][i] for LANES rows and columns, rows x_row apart. */
VECTOR_INLINE void block_load_turned(const real *x, int64_t x_row, vector v[LANES])
{
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        v[i] = vector_load(x + i * x_row);
    vectors_turn(v);
}

/* block_turn: y[j][i] = x[i][j]. */
VECTOR_INLINE void block_turn(const real *x, int64_t x_row, real *y, int64_t y_row)
{
    vector v[LANES];
    block_load_turned(x, x_row, v);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        vector_store(y + i * y_row, v[i]);
}

#endif
