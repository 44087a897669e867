/* exp.h: an exponential that a vectorised loop can call: no branch, no table, no call of a library. Include after
 * level.h.
 *
 *     exp(x) = 2^n exp(r),  n = x / ln 2 rounded,  |r| <= ln 2 / 2,  exp(r) by its power series
 *
 * Within 2 units in the last place. Overflows to infinity, underflows through denormals to 0, keeps NaN. */
#ifndef KERNEL_LEVEL_EXP_H
#define KERNEL_LEVEL_EXP_H

#include <stdint.h>

#ifdef KERNEL_F64

/* x = n ln 2 + r; n as an integer modulo 2^64. |x| must be below 2^50. */
struct exp_parts {
    double r;
    uint64_t n;
};

static inline struct exp_parts exp_reduce(double x)
{
    /* Adding 1.5 * 2^52 rounds to an integer, which then also stands in the low bits. */
    const double rounder = 6755399441055744.0;
    union {
        double value;
        uint64_t bits;
    } shifted, zero;
    shifted.value = x * 1.4426950408889634 + rounder;
    zero.value = rounder;
    double n = shifted.value - rounder;
    double r = x - n * 6.93147180369123816490e-01 - n * 1.90821492927058770002e-10; /* ln 2 in two parts */
    return (struct exp_parts){r, shifted.bits - zero.bits};
}

/* exp_series: (exp(r) - 1) / r. */
static inline double exp_series(double r)
{
    double p = 1.0 / 6227020800;
    p = p * r + 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    return p * r + 1.0;
}

/* exp_scale: 2^n for -1022 <= n <= 1023. */
static inline double exp_scale(uint64_t n)
{
    union {
        double value;
        uint64_t bits;
    } scale;
    scale.bits = (n + 1023) << 52;
    return scale.value;
}

static inline double real_exp(double x)
{
    /* Beyond these the result is 0 or infinity anyway, and n stays small. The comparisons leave NaN as it is. */
    x = x < -746 ? -746 : x;
    x = x > 710 ? 710 : x;
    struct exp_parts parts = exp_reduce(x);
    double p = exp_series(parts.r) * parts.r + 1.0;
    /* 2^n as two factors, so that neither overflows where the product does not. */
    uint64_t biased = parts.n + 4096; /* > 0: a logical shift halves it */
    uint64_t half = biased >> 1;
    return p * exp_scale(half - 2048) * exp_scale(biased - half - 2048);
}

#else

struct exp_parts {
    float r;
    uint32_t n;
};

static inline struct exp_parts exp_reduce(float x)
{
    const float rounder = 12582912.0F; /* 1.5 * 2^23 */
    union {
        float value;
        uint32_t bits;
    } shifted, zero;
    shifted.value = x * 1.44269504F + rounder;
    zero.value = rounder;
    float n = shifted.value - rounder;
    float r = x - n * 0.693145752F - n * 1.42860677e-6F;
    return (struct exp_parts){r, shifted.bits - zero.bits};
}

static inline float exp_series(float r)
{
    float p = 1.0F / 5040;
    p = p * r + 1.0F / 720;
    p = p * r + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    return p * r + 1.0F;
}

static inline float exp_scale(uint32_t n)
{
    union {
        float value;
        uint32_t bits;
    } scale;
    scale.bits = (n + 127) << 23;
    return scale.value;
}

static inline float real_exp(float x)
{
    x = x < -104 ? -104 : x;
    x = x > 89 ? 89 : x;
    struct exp_parts parts = exp_reduce(x);
    float p = exp_series(parts.r) * parts.r + 1.0F;
    uint32_t biased = parts.n + 512;
    uint32_t half = biased >> 1;
    return p * exp_scale(half - 256) * exp_scale(biased - half - 256);
}

#endif

#endif
