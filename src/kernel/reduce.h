/* reduce.h: what the means of squares of kernel/reduce.def are cut into. */
#ifndef KERNEL_REDUCE_H
#define KERNEL_REDUCE_H

#include <stdint.h>

/* Of a row, for threads and for sums of some length. */
enum { MEAN_SQUARES_PIECE = 1 << 16 };
static inline int64_t mean_squares_pieces(int64_t columns)
{
    return (columns + MEAN_SQUARES_PIECE - 1) / MEAN_SQUARES_PIECE;
}

/* Of all columns, for threads. */
enum { MEAN_SQUARE_STRIPE = 2048 };
static inline int64_t mean_square_stripes(int64_t rows)
{
    return (rows + MEAN_SQUARE_STRIPE - 1) / MEAN_SQUARE_STRIPE;
}

#endif
