/* vector.h: the widest vector of this build, in the compiler's own vector types. Include after level.h.
 *
 * For loops whose registers we want to lay out ourselves (accumulators, coefficients); plain loops with `omp simd` do
 * elsewhere. Loads and stores need no alignment. */
#ifndef KERNEL_LEVEL_VECTOR_H
#define KERNEL_LEVEL_VECTOR_H

#include <stdint.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#ifdef KERNEL_F64
enum { VECTOR_LANES = VECTOR_BYTES / 8 };
typedef int64_t vector_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef double vector __attribute__((vector_size(VECTOR_BYTES)));
typedef double vector_memory __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
#else
enum { VECTOR_LANES = VECTOR_BYTES / 4 };
typedef int32_t vector_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef float vector_memory __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
#endif

#define VECTOR_INLINE static inline __attribute__((always_inline))

VECTOR_INLINE vector vector_load(const real *from)
{
    return *(const vector_memory *)from;
}

VECTOR_INLINE void vector_store(real *to, vector value)
{
    *(vector_memory *)to = value;
}

VECTOR_INLINE vector vector_all(real value)
{
    return value - (vector){0};
}

/* vector_where: value where the mask holds, else 0. */
VECTOR_INLINE vector vector_where(vector_mask mask, vector value)
{
    return (vector)((vector_mask)value & mask);
}

/* vector_choose: yes where the mask holds, else no. */
VECTOR_INLINE vector vector_choose(vector_mask mask, vector yes, vector no)
{
    return (vector)(((vector_mask)yes & mask) | ((vector_mask)no & ~mask));
}

#endif
