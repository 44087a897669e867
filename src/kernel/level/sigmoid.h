/* sigmoid.h: the logistic function and the hyperbolic tangent for vectorised loops (exp.h). Include after level.h.
 *
 *     sigmoid(x) = 1 / (1 + exp(-x));  tanh(x) = e / (e + 2),  e = exp(2|x|) - 1, with the sign of x
 *
 * Within 4 units in the last place; NaN stays. sigmoid is 0 where exp(-x) overflows. */
#ifndef KERNEL_LEVEL_SIGMOID_H
#define KERNEL_LEVEL_SIGMOID_H

#include "kernel/level/exp.h"

#include <tgmath.h>

static inline real real_sigmoid(real x)
{
    return 1 / (1 + real_exp(-x));
}

static inline real real_tanh(real x)
{
    real a = fabs(x);
    a = a > 20 ? 20 : a; /* 1 long before, in both precisions */
    struct exp_parts parts = exp_reduce(2 * a);
    real scale = exp_scale(parts.n);
    real e = scale * (exp_series(parts.r) * parts.r) + (scale - 1); /* nothing cancels: n >= 0, and at 0 scale is 1 */
    return copysign(e / (e + 2), x);
}

#endif
