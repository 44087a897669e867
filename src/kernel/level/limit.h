/* limit.h: limiting a value to [low, high] (relu, relu6) and the mask of its gradient. Include after vector.h. NaN
 * passes. */
#ifndef KERNEL_LEVEL_LIMIT_H
#define KERNEL_LEVEL_LIMIT_H

#include <math.h>

/* Loops are made once for each: what is infinite needs no instruction. */
enum limit { LIMIT_NONE, LIMIT_LOW, LIMIT_BOTH };

static inline enum limit limit_of(real low, real high)
{
    return isfinite(high) ? LIMIT_BOTH : isfinite(low) ? LIMIT_LOW : LIMIT_NONE;
}

VECTOR_INLINE vector limit_apply(enum limit limit, vector z, real low, real high)
{
    for (int i = 0; i < VECTOR_LANES; i++) { /* by lanes: one instruction each, where a choice by a mask takes two */
        if (limit != LIMIT_NONE)
            z[i] = low > z[i] ? low : z[i];
        if (limit == LIMIT_BOTH)
            z[i] = high < z[i] ? high : z[i];
    }
    return z;
}

/* limit_inside: where the slope is 1. */
VECTOR_INLINE vector_mask limit_inside(enum limit limit, vector z, real low, real high)
{
    vector_mask inside = z > vector_all(low);
    if (limit == LIMIT_BOTH)
        inside &= z < vector_all(high);
    return inside;
}

#endif
