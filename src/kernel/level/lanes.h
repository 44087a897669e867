/* lanes.h: what convolutions need beyond vector.h: vectors whose halves belong to two rows, and clipping. */
#ifndef KERNEL_LEVEL_LANES_H
#define KERNEL_LEVEL_LANES_H

#include "kernel/level/level.h"
#include "kernel/level/vector.h"

#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

/* Numbers for the preprocessor, which knows no sizeof. */
#ifdef KERNEL_F64
#define LANES (VECTOR_BYTES / 8)
#else
#define LANES (VECTOR_BYTES / 4)
#endif
#define HALF (LANES / 2)

/* vector_blend: the lower half of a, the upper half of b. vector_load_twice: HALF values, in the lower and in the upper half.
 * The intrinsics are one cheap instruction each where gcc makes slow permutations of the general form. */
#if VECTOR_BYTES == 64 && defined(KERNEL_F64)
#define HIGH_LANES 4, 5, 6, 7
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return (vector)_mm512_mask_blend_pd(0xf0, (__m512d)a, (__m512d)b);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return (vector)_mm512_broadcast_f64x4(_mm256_loadu_pd(from));
}
#elif VECTOR_BYTES == 64
#define HIGH_LANES 8, 9, 10, 11, 12, 13, 14, 15
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return (vector)_mm512_mask_blend_ps(0xff00, (__m512)a, (__m512)b);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return (vector)_mm512_broadcast_f32x8(_mm256_loadu_ps(from));
}
#elif VECTOR_BYTES == 32 && defined(KERNEL_F64)
#define HIGH_LANES 2, 3
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return (vector)_mm256_blend_pd((__m256d)a, (__m256d)b, 0xc);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return (vector)_mm256_broadcast_pd((const __m128d *)from);
}
#elif VECTOR_BYTES == 32
#define HIGH_LANES 4, 5, 6, 7
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return (vector)_mm256_blend_ps((__m256)a, (__m256)b, 0xf0);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return (vector)_mm256_broadcast_ps((const __m128 *)from);
}
#elif defined(KERNEL_F64)
#define HIGH_LANES 1
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 3);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return vector_all(*from);
}
#else
#define HIGH_LANES 2, 3
VECTOR_INLINE vector vector_blend(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 6, 7);
}

VECTOR_INLINE vector vector_load_twice(const real *from)
{
    return (vector){from[0], from[1], from[0], from[1]};
}
#endif

/* vector_load_first: n values (0 to LANES), 0 behind them; vector_store_first: the first n. No more is touched. Only where masks make
 * them one instruction each. */
#if VECTOR_BYTES == 64 && defined(KERNEL_F64)
#define LANES_MASKED 1
VECTOR_INLINE vector vector_load_first(const real *from, int64_t n)
{
    return (vector)_mm512_maskz_loadu_pd((__mmask8)((1U << n) - 1), from);
}

VECTOR_INLINE void vector_store_first(real *to, vector v, int64_t n)
{
    _mm512_mask_storeu_pd(to, (__mmask8)((1U << n) - 1), (__m512d)v);
}
#elif VECTOR_BYTES == 64
#define LANES_MASKED 1
VECTOR_INLINE vector vector_load_first(const real *from, int64_t n)
{
    return (vector)_mm512_maskz_loadu_ps((__mmask16)((1U << n) - 1), from);
}

VECTOR_INLINE void vector_store_first(real *to, vector v, int64_t n)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1U << n) - 1), (__m512)v);
}
#else
#define LANES_MASKED 0
#endif

/* first_lanes: how many of a vector's lanes, from column `at` on, are among so many columns. */
static inline int64_t first_lanes(int64_t columns, int64_t at)
{
    const int64_t left = columns - at;
    return left < 0 ? 0 : left < LANES ? left : LANES;
}

/* vector_held: v in a register, where gcc would rather load it again at each use. */
VECTOR_INLINE vector vector_held(vector v)
{
#ifdef __x86_64__
    __asm__("" : "+v"(v));
#endif
    return v;
}

VECTOR_INLINE void vector_store_low(real *to, vector v)
{
    memcpy(to, &v, sizeof v / 2);
}

VECTOR_INLINE void vector_store_high(real *to, vector v)
{
    v = __builtin_shufflevector(v, v, HIGH_LANES, HIGH_LANES);
    memcpy(to, &v, sizeof v / 2);
}

/* vector_relu: max(v, 0); vector_ceiling: min(v, limit); both keep NaN. */
VECTOR_INLINE vector vector_relu(vector v)
{
    vector_mask low = v <= (vector){0};
    return vector_where(~low, v);
}

VECTOR_INLINE vector vector_ceiling(vector v, real limit)
{
    vector most = vector_all(limit);
    return vector_choose(v > most, most, v);
}

#endif
