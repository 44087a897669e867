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

#endif
