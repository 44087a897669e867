/* winograd_tiles.h: the passes of kernel/winograd_tiles.h, and how both sides of them go from a map to points. */
#ifndef KERNEL_LEVEL_WINOGRAD_TILES_H
#define KERNEL_LEVEL_WINOGRAD_TILES_H

#include "kernel/winograd_tiles.h"

#include "kernel/level/winograd.h"

/* x_tile: 6x6 pixels to 36 points; dy_tile: 4x4 to 36. First along the rows, then along what came of them. */
#define TILES(type)                                                                                                    \
    VECTOR_INLINE void points_store_##type(const type *half, real *to, ptrdiff_t apart, int lines,                     \
                                           void (*line)(const type *, int, type *, int))                               \
    {                                                                                                                  \
        for (int j = 0; j < WINOGRAD_POINTS; j++) {                                                                    \
            type column[WINOGRAD_POINTS], points[WINOGRAD_POINTS];                                                     \
            for (int i = 0; i < lines; i++)                                                                            \
                column[i] = half[WINOGRAD_POINTS * i + j];                                                             \
            line(column, 1, points, 1);                                                                                \
            line_store_##type(points, to + j * apart, WINOGRAD_POINTS * apart, WINOGRAD_POINTS);                       \
        }                                                                                                              \
    }                                                                                                                  \
    VECTOR_INLINE void x_tile_##type(const real *x, ptrdiff_t right, ptrdiff_t below, real *to, ptrdiff_t apart)       \
    {                                                                                                                  \
        type half[WINOGRAD_POINTS * WINOGRAD_POINTS];                                                                  \
        for (int i = 0; i < WINOGRAD_POINTS; i++) {                                                                    \
            type row[WINOGRAD_POINTS];                                                                                 \
            line_load_##type(x + i * below, right, WINOGRAD_POINTS, row);                                              \
            x_line_##type(row, 1, half + WINOGRAD_POINTS * i, 1);                                                      \
        }                                                                                                              \
        points_store_##type(half, to, apart, WINOGRAD_POINTS, x_line_##type);                                          \
    }                                                                                                                  \
    VECTOR_INLINE void dy_tile_##type(const real *y, ptrdiff_t right, ptrdiff_t below, real *to, ptrdiff_t apart)      \
    {                                                                                                                  \
        type half[WINOGRAD_PIXELS * WINOGRAD_POINTS];                                                                  \
        for (int i = 0; i < WINOGRAD_PIXELS; i++) {                                                                    \
            type row[WINOGRAD_PIXELS];                                                                                 \
            line_load_##type(y + i * below, right, WINOGRAD_PIXELS, row);                                              \
            dy_line_##type(row, 1, half + WINOGRAD_POINTS * i, 1);                                                     \
        }                                                                                                              \
        points_store_##type(half, to, apart, WINOGRAD_PIXELS, dy_line_##type);                                         \
    }                                                                                                                  \
    /* y_tile: 36 points to rows x columns pixels (1 to 4 of each), with bias. */                                      \
    VECTOR_INLINE void y_tile_##type(const real *m, ptrdiff_t apart, const real *bias, real limit, real *y,            \
                                     ptrdiff_t right, ptrdiff_t below, int64_t rows, int64_t columns)                  \
    {                                                                                                                  \
        type half[WINOGRAD_PIXELS * WINOGRAD_POINTS];                                                                  \
        const type start = type##_load(bias);                                                                          \
        for (int j = 0; j < WINOGRAD_POINTS; j++) {                                                                    \
            type points[WINOGRAD_POINTS];                                                                              \
            line_load_##type(m + j * apart, WINOGRAD_POINTS * apart, WINOGRAD_POINTS, points);                         \
            y_line_##type(points, 1, (type){0}, half + j, WINOGRAD_POINTS);                                            \
        }                                                                                                              \
        for (int i = 0; i < WINOGRAD_PIXELS && i < rows; i++) {                                                        \
            type pixels[WINOGRAD_PIXELS];                                                                              \
            y_line_##type(half + WINOGRAD_POINTS * i, 1, start, pixels, 1);                                            \
            pixels_store_##type(pixels, limit, y + i * below, right, columns);                                         \
        }                                                                                                              \
    }
TILES(vector)
TILES(real)
#undef TILES

/* x_map_fill: a sample inside the zeros of its map [height][width][in]. */
static inline void x_map_fill(const struct convolution_shape *s, const struct tiles_sizes *n, const real *x, real *map)
{
    for (int64_t h = 0; h < s->size[0]; h++)
        memcpy(map + ((s->padding[0] + h) * n->width + s->padding[1]) * s->in, x + h * s->size[1] * s->in,
               (size_t)(s->size[1] * s->in) * sizeof *x);
}

/* x_tile_points: of tile `at` of the sample in the map. */
static inline void x_tile_points(const struct convolution_shape *s, const struct tiles_sizes *n, const real *map,
                                 int64_t at, real *to)
{
    const real *from = map + WINOGRAD_PIXELS * (at / n->across * n->width + at % n->across) * s->in;
    const ptrdiff_t right = (ptrdiff_t)s->in, below = (ptrdiff_t)(n->width * s->in);
#define POINTS(type, c) x_tile_##type(from + (c), right, below, to + (c), n->x_apart)
    PER_CHANNEL(s->in, POINTS)
#undef POINTS
}

void KERNEL(winograd_tiles_pack)(const struct convolution_shape *s, const real *weight, const real *scale,
                                 const real *bias, real *packed);
/* With the shape of winograd_back. */
void KERNEL(winograd_tiles_pack_back)(const struct convolution_shape *back, const real *weight, real *packed);
void KERNEL(winograd_tiles_run)(const struct convolution_shape *s, const real *x, const real *packed, real limit,
                                bool add, real *y, void *scratch, int threads);
void KERNEL(winograd_tiles_weights)(const struct convolution_shape *s, const real *x, const real *dy, bool add,
                                    real *dw, void *scratch, int threads);

#endif
