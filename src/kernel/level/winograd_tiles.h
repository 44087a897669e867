/* winograd_tiles.h: the passes of kernel/winograd_tiles.h, and how both sides of them go from a map to points. */
#ifndef KERNEL_LEVEL_WINOGRAD_TILES_H
#define KERNEL_LEVEL_WINOGRAD_TILES_H

#include "kernel/winograd_tiles.h"

#include "kernel/level/winograd.h"

/* tile_to_points: side x side pixels to 36 points `apart` apart, by x_line_vector (6) or dy_line_vector (4): first along the
 * rows, then along what came of them. */
VECTOR_INLINE void tile_to_points(int side, void (*line)(const vector *, int, vector *, int), const real *pixels,
                                  ptrdiff_t right, ptrdiff_t below, real *to, ptrdiff_t apart)
{
    vector half[WINOGRAD_POINTS * WINOGRAD_POINTS];
    for (int i = 0; i < side; i++) {
        vector row[WINOGRAD_POINTS];
        line_load_vector(pixels + i * below, right, side, row);
        line(row, 1, half + WINOGRAD_POINTS * i, 1);
    }
    for (int j = 0; j < WINOGRAD_POINTS; j++) {
        vector points[WINOGRAD_POINTS];
        line(half + j, WINOGRAD_POINTS, points, 1);
        line_store_vector(points, to + j * apart, WINOGRAD_POINTS * apart, WINOGRAD_POINTS);
    }
}

/* y_tile: 36 points to rows x columns pixels (1 to 4 of each), with bias. */
VECTOR_INLINE void y_tile_vector(const real *m, ptrdiff_t apart, const real *bias, real limit, real *y, ptrdiff_t right,
                                 ptrdiff_t below, int64_t rows, int64_t columns)
{
    vector half[WINOGRAD_PIXELS * WINOGRAD_POINTS];
    const vector start = vector_load(bias);
    for (int j = 0; j < WINOGRAD_POINTS; j++) {
        vector points[WINOGRAD_POINTS];
        line_load_vector(m + j * apart, WINOGRAD_POINTS * apart, WINOGRAD_POINTS, points);
        y_line_vector(points, 1, (vector){0}, half + j, WINOGRAD_POINTS);
    }
    for (int i = 0; i < WINOGRAD_PIXELS && i < rows; i++) {
        vector pixels[WINOGRAD_PIXELS];
        y_line_vector(half + WINOGRAD_POINTS * i, 1, start, pixels, 1);
        pixels_store_vector(pixels, limit, y + i * below, right, columns);
    }
}

/* strip_fill: `rows` rows of a map [size, channels] from row `top` on, `left` pixels inside a strip [rows][width][channels];
 * rows outside of the map become zeros. What lies left and right of the map is zero already. */
static inline void strip_fill(const real *map, const int64_t *size, int64_t channels, int64_t top, int64_t left,
                              int64_t rows, int64_t width, real *strip)
{
    const size_t row_bytes = (size_t)(size[1] * channels) * sizeof *map;
    strip += left * channels;
    for (int64_t h = top; h < top + rows; h++, strip += width * channels) {
        if (h >= 0 && h < size[0])
            memcpy(strip, map + h * size[1] * channels, row_bytes);
        else
            memset(strip, 0, row_bytes);
    }
}

/* x_tile_points: of tile `at` of a sample. The strip is filled at each row's first tile. */
static inline void x_tile_points(const struct convolution_shape *s, const struct tiles_sizes *n, const real *x,
                                 int64_t at, real *strip, real *to)
{
    const int64_t across = at % n->across, top = WINOGRAD_PIXELS * (at / n->across) - s->padding[0];
    const real *from = strip + WINOGRAD_PIXELS * across * s->in;
    const ptrdiff_t right = (ptrdiff_t)s->in, below = (ptrdiff_t)(n->width * s->in);
    if (across == 0)
        strip_fill(x, s->size, s->in, top, s->padding[1], WINOGRAD_POINTS, n->width, strip);
#define POINTS(type, c) tile_to_points(WINOGRAD_POINTS, x_line_##type, from + (c), right, below, to + (c), n->x_apart)
    PER_VECTOR(s->in, POINTS)
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
