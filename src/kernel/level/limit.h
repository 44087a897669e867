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
    if (limit != LIMIT_NONE)
        z = vector_choose(z < vector_all(low), vector_all(low), z);
    if (limit == LIMIT_BOTH)
        z = vector_choose(z > vector_all(high), vector_all(high), z);
    return z;
}

VECTOR_INLINE real limit_scalar(real z, real low, real high)
{
    return z < low ? low : z > high ? high : z;
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
