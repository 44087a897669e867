/* normalise.h: how the kernels of normalise.def describe channels, and the memory they want. */
#ifndef KERNEL_NORMALISE_H
#define KERNEL_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* Rows are summed in segments whose number depends on the shape alone, and segments are added up in order: so sums have
 * the same bits for every number of threads. */
enum { NORM_SEGMENTS = 16 };

/* Coefficients of a channel, each [channels] in the table's precision, one behind the other:
 * z = (x - MEAN) * SCALE + SHIFT, y = z limited to [low, high];
 * dx = SCALE * dz + SLOPE * (x - MEAN) + OFFSET, dz = dy where low < z < high, else 0. */
enum norm_coefficient { NORM_MEAN, NORM_SCALE, NORM_SHIFT, NORM_SLOPE, NORM_OFFSET, NORM_COEFFICIENTS };

/* Bytes of scratch for sums over rows of so many channels, and of coefficients. */
static inline size_t norm_sums_scratch(int64_t channels)
{
    return (size_t)channels * (2 * NORM_SEGMENTS + 1) * sizeof(double);
}
static inline size_t norm_coefficient_bytes(int64_t channels)
{
    return (size_t)channels * NORM_COEFFICIENTS * sizeof(double);
}

/* layer_norm_backward sums gradients of gamma and beta over so many pieces of the rows, which are added up in order. */
enum { LAYER_NORM_CHUNKS = 32 };
static inline size_t layer_norm_scratch(int64_t columns, size_t size)
{
    return (size_t)LAYER_NORM_CHUNKS * 2 * (size_t)columns * size;
}

#endif
