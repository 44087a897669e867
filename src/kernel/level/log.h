/* log.h: logarithms for vectorised loops. Include after level.h.
 *
 *     log(x) = n ln 2 + log(m),  x = 2^n m,  sqrt(1/2) <= m < sqrt(2)
 *     log(m) = 2 (s + s^3/3 + s^5/5 + …),  s = (m - 1) / (m + 1)
 *
 * Within 2 units in the last place; log(0) is -infinity, NaN stays, NaN for x < 0. */
#ifndef KERNEL_LEVEL_LOG_H
#define KERNEL_LEVEL_LOG_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#ifdef KERNEL_F64

typedef uint64_t log_word;
#define LOG_MANTISSA 52
#define LOG_ROOT 0x3fe6a09e667f3bcdU /* the bits of sqrt(1/2) */
#define LOG_BIAS 1024U
#define LOG_MAGIC 0x4330000000000000U /* 2^52: an integer in its low bits is added to it */
#define LOG_MAGIC_VALUE 4503599627370496.0
#define LOG_LARGEST DBL_MAX
#define LOG_NORMAL DBL_MIN

/* log_series: 2 (z/3 + z^2/5 + …), z = s^2 < 0.0295. */
static inline double log_series(double z)
{
    double p = 2.0 / 21;
    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    return p * z;
}

#else

typedef uint32_t log_word;
#define LOG_MANTISSA 23
#define LOG_ROOT 0x3f3504f3U
#define LOG_BIAS 128U
#define LOG_MAGIC 0x4b000000U
#define LOG_MAGIC_VALUE 8388608.0F
#define LOG_LARGEST FLT_MAX
#define LOG_NORMAL FLT_MIN

static inline float log_series(float z)
{
    float p = 2.0F / 9;
    p = p * z + 2.0F / 7;
    p = p * z + 2.0F / 5;
    p = p * z + 2.0F / 3;
    return p * z;
}

#endif

static inline real real_log(real x)
{
    union {
        real value;
        log_word bits;
    } number, exponent, mantissa;
    const real two_54 = 18014398509481984.0;
    bool denormal = x < LOG_NORMAL;
    number.value = denormal ? x * two_54 : x;
    /* Counted from sqrt(1/2), the exponent's bits are n; the bias keeps them positive. As the low bits of a large power
     * of 2 they are a real number without a conversion, which not every CPU has for 64 bits. */
    log_word biased = (number.bits - LOG_ROOT + ((log_word)LOG_BIAS << LOG_MANTISSA)) >> LOG_MANTISSA;
    exponent.bits = biased | LOG_MAGIC;
    mantissa.bits = number.bits - ((biased - LOG_BIAS) << LOG_MANTISSA);
    real n = exponent.value - (LOG_MAGIC_VALUE + LOG_BIAS) - (real)(denormal ? 54 : 0);
    real f = mantissa.value - 1;
    real s = f / (2 + f);
    real small = f - s * (f - log_series(s * s)); /* log m = 2 s + s R with 2 s = f - s f */
    real y = n * (real)0.693145751953125 + (small + n * (real)1.42860682030941723e-6); /* ln 2 in two parts */
    y = x <= LOG_LARGEST ? y : x;                                                      /* infinity and NaN */
    y = x < 0 ? (real)NAN : y;
    return x == 0 ? -(real)INFINITY : y;
}

/* real_log1p: log(1 + z) for z >= 0, also where 1 + z is 1. */
static inline real real_log1p(real z)
{
    real u = 1 + z;
    return real_log(u) + (z - (u - 1)) / u;
}

#endif
