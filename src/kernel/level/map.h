/* map.h: padded copies of one sample, and how the passes of a convolution share out their work. */
#ifndef KERNEL_LEVEL_MAP_H
#define KERNEL_LEVEL_MAP_H

#include "kernel/convolution.h"
#include "kernel/level/level.h"

#include <string.h>

/* convolution_pieces: threads that pay for this work, one for each 2e5 multiply-accumulates, at most one a part. */
static inline int convolution_pieces(const struct convolution_shape *s, int threads, int64_t parts)
{
    double pays = convolution_macs(s) / 2e5;
    int64_t pieces = pays < threads ? (int64_t)pays : threads;
    pieces = pieces < parts ? pieces : parts;
    return pieces < 1 ? 1 : (int)pieces;
}

/* Is a row of taps contiguous in memory? */
static inline bool is_flat(const struct convolution_shape *s)
{
    return s->groups == 1 && s->dilation[1] == 1;
}

static inline real *map_zeroed(const struct padded_map *map, int64_t channels, char *memory)
{
    if (!map->plain)
        memset(memory, 0, (size_t)(map->size[0] * map->size[1] * channels) * sizeof(real));
    return (real *)(void *)memory;
}

/* map_fill: the sample x [size, channels] inside the zeros of `padded`; x itself when nothing is added. */
static inline const real *map_fill(const struct padded_map *map, const int64_t *size, int64_t channels, const real *x,
                                   real *padded)
{
    if (map->plain)
        return x;
    for (int64_t h = 0; h < size[0]; h++)
        memcpy(padded + ((map->before[0] + h) * map->size[1] + map->before[1]) * channels, x + h * size[1] * channels,
               (size_t)(size[1] * channels) * sizeof(real));
    return padded;
}

static inline size_t map_bytes(const struct padded_map *map, int64_t channels)
{
    return map->plain ? 0 : bytes_rounded((size_t)(map->size[0] * map->size[1] * channels) * sizeof(real));
}

/* chunks_sum: the first of the chunks' sums, of `elements` each and `bytes` apart, becomes that of all, in their order. */
static inline real *chunks_sum(void *sums, int64_t chunks, int64_t elements, size_t bytes)
{
    real *total = sums;
    for (int64_t chunk = 1; chunk < chunks; chunk++) {
        const real *more = (const real *)(const void *)((const char *)sums + (size_t)chunk * bytes);
#pragma omp simd
        for (int64_t i = 0; i < elements; i++)
            total[i] += more[i];
    }
    return total;
}

/* A 1x1 kernel that skips nothing sees a map as one row of pixels. */
static inline struct convolution_shape as_rows(const struct convolution_shape *shape)
{
    struct convolution_shape s = *shape;
    if (convolution_point(&s)) {
        s.size[1] = s.out_size[1] = s.size[0] * s.size[1];
        s.size[0] = s.out_size[0] = 1;
    }
    return s;
}

#endif
