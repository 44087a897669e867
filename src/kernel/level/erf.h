/* erf.h: the error function for vectorised loops (exp.h). Include after level.h.
 *
 *     |x| < 1: erf(x) = x P(x^2);  else 1 - exp(-x^2) Q(t),  t = (|x| - 2) / (|x| + 2), with the sign of x
 *
 * P and Q interpolate at Chebyshev points: Q is exp(x^2) erfc(x), smooth in t, up to where erf is 1. Within 4 units in
 * the last place; NaN stays. */
#ifndef KERNEL_LEVEL_ERF_H
#define KERNEL_LEVEL_ERF_H

#include "kernel/level/exp.h"

#include <tgmath.h>

#ifdef KERNEL_F64

enum { ERF_TOP = 6 };

/* erf_small: P; erf_large: Q. */
static inline double erf_small(double z)
{
    double p = -7.79589882700214224e-10;
    p = p * z + 1.37200645467776856e-8;
    p = p * z - 1.62084838018717059e-7;
    p = p * z + 1.64474247033173624e-6;
    p = p * z - 0.0000149247369074196603;
    p = p * z + 0.000120552949048397079;
    p = p * z - 0.000854832597538969208;
    p = p * z + 0.00522397760711642273;
    p = p * z - 0.0268661706432377704;
    p = p * z + 0.112837916709450063;
    p = p * z - 0.376126389031835404;
    return p * z + 1.12837916709551257;
}

static inline double erf_large(double t)
{
    double p = 3.91705929992538851e-6;
    p = p * t + 1.82014319597500905e-6;
    p = p * t - 0.0000140675326945820577;
    p = p * t - 0.0000276473054436100538;
    p = p * t + 0.0000275431281856667173;
    p = p * t + 0.000174366972329468635;
    p = p * t + 0.0000435542024527058955;
    p = p * t - 0.000981977320813102272;
    p = p * t - 0.000847143198076042359;
    p = p * t + 0.00699746174775357363;
    p = p * t + 0.00373289240349223978;
    p = p * t - 0.0789785810158525347;
    p = p * t + 0.241658194242469857;
    p = p * t - 0.427185847413957885;
    return p * t + 0.255395676310505745;
}

#else

enum { ERF_TOP = 4 };

static inline float erf_small(float z)
{
    float p = 7.87587506e-5F;
    p = p * z - 0.000801686429F;
    p = p * z + 0.00518908742F;
    p = p * z - 0.026854212F;
    p = p * z + 0.112835947F;
    p = p * z - 0.376126267F;
    return p * z + 1.12837917F;
}

static inline float erf_large(float t)
{
    float p = -0.000837975439F;
    p = p * t + 0.00681114013F;
    p = p * t + 0.00373237176F;
    p = p * t - 0.0789683061F;
    p = p * t + 0.241658202F;
    p = p * t - 0.42718599F;
    return p * t + 0.255395676F;
}

#endif

static inline real real_erf(real x)
{
    real a = fabs(x);
    a = a > ERF_TOP ? ERF_TOP : a;
    real square = a * a;
    real small = x * erf_small(square);
    real large = 1 - real_exp(-square) * erf_large((a - 2) / (a + 2));
    return a < 1 ? small : copysign(large, x);
}

#endif
