/* winograd.h: the sums of kernel/winograd.h that go from pixels to points and back, for a vector and for a number. */
#ifndef KERNEL_LEVEL_WINOGRAD_H
#define KERNEL_LEVEL_WINOGRAD_H

#include "kernel/winograd.h"

#include "kernel/level/lanes.h"
#include "kernel/level/tile.h"

/* Near point, far point. */
#define NEAR ((real)0.70710678118654752440)
#define FAR ((real)1.41421356237309504880)

/* PER_VECTOR: `call` for n channels, at least VECTOR_LANES: vector by vector, the last of which may lie over the one before.
 * PER_CHANNEL: for n of at least 1; fewer than a vector number by number. call(v, c) is a macro that names functions by
 * type: name_##v. */
#define PER_VECTOR(n, call)                                                                                            \
    for (int64_t c_ = 0; c_ + VECTOR_LANES <= (n); c_ += VECTOR_LANES)                                                 \
        call(vector, c_);                                                                                              \
    if ((n) % VECTOR_LANES != 0)                                                                                       \
        call(vector, (n)-VECTOR_LANES);
#define PER_CHANNEL(n, call)                                                                                           \
    if ((n) >= VECTOR_LANES) {                                                                                         \
        PER_VECTOR(n, call)                                                                                            \
    } else {                                                                                                           \
        for (int64_t c_ = 0; c_ < (n); c_++)                                                                           \
            call(real, c_);                                                                                            \
    }

VECTOR_INLINE real real_load(const real *from)
{
    return *from;
}

VECTOR_INLINE void real_store(real *to, real value)
{
    *to = value;
}

VECTOR_INLINE real real_limited(real v, real limit)
{
    return v <= 0 ? 0 : v > limit ? limit : v;
}

VECTOR_INLINE vector vector_limited(vector v, real limit)
{
    return vector_ceiling(vector_relu(v), limit);
}

/* x_line: six pixels to six points. dy_line: four pixels to six points. y_line: six points to four pixels, on top of
 * `start`. Values lie `step` and `to_step` apart. */
#define LINES(type)                                                                                                    \
    VECTOR_INLINE void x_line_##type(const type *x, int step, type *to, int to_step)                                   \
    {                                                                                                                  \
        const type even_near = x[4 * step] - 2 * x[2 * step], odd_near = x[3 * step] - 2 * x[step];                    \
        const type even_far = x[4 * step] - (real)0.5 * x[2 * step], odd_far = x[3 * step] - (real)0.5 * x[step];      \
        to[0] = (x[0] + x[4 * step]) - (real)2.5 * x[2 * step];                                                        \
        to[5 * to_step] = (x[step] + x[5 * step]) - (real)2.5 * x[3 * step];                                           \
        to[to_step] = even_near + NEAR * odd_near;                                                                     \
        to[2 * to_step] = even_near - NEAR * odd_near;                                                                 \
        to[3 * to_step] = even_far + FAR * odd_far;                                                                    \
        to[4 * to_step] = even_far - FAR * odd_far;                                                                    \
    }                                                                                                                  \
    VECTOR_INLINE void dy_line_##type(const type *y, int step, type *to, int to_step)                                  \
    {                                                                                                                  \
        const type even_near = y[0] + (real)0.5 * y[2 * step], odd_near = y[step] + (real)0.5 * y[3 * step];           \
        const type even_far = y[0] + 2 * y[2 * step], odd_far = y[step] + 2 * y[3 * step];                             \
        to[0] = y[0];                                                                                                  \
        to[5 * to_step] = y[3 * step];                                                                                 \
        to[to_step] = even_near + NEAR * odd_near;                                                                     \
        to[2 * to_step] = even_near - NEAR * odd_near;                                                                 \
        to[3 * to_step] = even_far + FAR * odd_far;                                                                    \
        to[4 * to_step] = even_far - FAR * odd_far;                                                                    \
    }                                                                                                                  \
    VECTOR_INLINE void y_line_##type(const type *m, int step, type start, type *to, int to_step)                       \
    {                                                                                                                  \
        const type near_sum = m[step] + m[2 * step], near_apart = NEAR * (m[step] - m[2 * step]);                      \
        const type far_sum = m[3 * step] + m[4 * step], far_apart = FAR * (m[3 * step] - m[4 * step]);                 \
        to[0] = (m[0] + near_sum) + (far_sum + start);                                                                 \
        to[to_step] = near_apart + (far_apart + start);                                                                \
        to[2 * to_step] = (real)0.5 * near_sum + (2 * far_sum + start);                                                \
        to[3 * to_step] = ((real)0.5 * near_apart + m[5 * step]) + (2 * far_apart + start);                            \
    }                                                                                                                  \
    /* line_load, line_store: `count` values `step` apart in memory. */                                                \
    VECTOR_INLINE void line_load_##type(const real *from, ptrdiff_t step, int count, type *to)                         \
    {                                                                                                                  \
        for (int i = 0; i < count; i++)                                                                                \
            to[i] = type##_load(from + i * step);                                                                      \
    }                                                                                                                  \
    VECTOR_INLINE void line_store_##type(const type *from, real *to, ptrdiff_t step, int count)                        \
    {                                                                                                                  \
        for (int i = 0; i < count; i++)                                                                                \
            type##_store(to + i * step, from[i]);                                                                      \
    }                                                                                                                  \
    /* pixels_store: at most four, clipped into [0, limit] where limit >= 0. */                                        \
    VECTOR_INLINE void pixels_store_##type(const type *v, real limit, real *y, ptrdiff_t right, int64_t count)         \
    {                                                                                                                  \
        for (int i = 0; i < WINOGRAD_PIXELS && i < count; i++)                                                         \
            type##_store(y + i * right, limit >= 0 ? type##_limited(v[i], limit) : v[i]);                              \
    }                                                                                                                  \
    /* x_points: six pixels, `right` apart, to six points, `apart` apart. dy_points: four. */                          \
    VECTOR_INLINE void x_points_##type(const real *x, ptrdiff_t right, real *to, ptrdiff_t apart)                      \
    {                                                                                                                  \
        type pixels[WINOGRAD_POINTS], points[WINOGRAD_POINTS];                                                         \
        line_load_##type(x, right, WINOGRAD_POINTS, pixels);                                                           \
        x_line_##type(pixels, 1, points, 1);                                                                           \
        line_store_##type(points, to, apart, WINOGRAD_POINTS);                                                         \
    }                                                                                                                  \
    VECTOR_INLINE void dy_points_##type(const real *y, ptrdiff_t right, real *to, ptrdiff_t apart)                     \
    {                                                                                                                  \
        type pixels[WINOGRAD_PIXELS], points[WINOGRAD_POINTS];                                                         \
        line_load_##type(y, right, WINOGRAD_PIXELS, pixels);                                                           \
        dy_line_##type(pixels, 1, points, 1);                                                                          \
        line_store_##type(points, to, apart, WINOGRAD_POINTS);                                                         \
    }                                                                                                                  \
    /* y_pixels: six points to `count` (1 to 4) pixels, with bias. */                                                  \
    VECTOR_INLINE void y_pixels_##type(const real *m, ptrdiff_t apart, const real *bias, real limit, real *y,          \
                                       ptrdiff_t right, int64_t count)                                                 \
    {                                                                                                                  \
        type points[WINOGRAD_POINTS], pixels[WINOGRAD_PIXELS];                                                         \
        line_load_##type(m, apart, WINOGRAD_POINTS, points);                                                           \
        y_line_##type(points, 1, type##_load(bias), pixels, 1);                                                        \
        pixels_store_##type(pixels, limit, y, right, count);                                                           \
    }
LINES(vector)
LINES(real)
#undef LINES

/* taps_to_points: u of one row of taps. points_to_taps: its transpose, for the gradient. */
static inline void taps_to_points(real k0, real k1, real k2, real u[WINOGRAD_POINTS])
{
    const real third = (real)1 / 3, even_near = -third * (2 * k0 + k2), odd_near = -2 * third * NEAR * k1;
    const real even_far = third * ((real)0.5 * k0 + k2), odd_far = (real)0.5 * third * FAR * k1;
    u[0] = k0;
    u[1] = even_near + odd_near;
    u[2] = even_near - odd_near;
    u[3] = even_far + odd_far;
    u[4] = even_far - odd_far;
    u[5] = k2;
}

static inline void points_to_taps(const real u[WINOGRAD_POINTS], real taps[WINOGRAD_TAPS])
{
    const real third = (real)1 / 3, near_sum = u[1] + u[2], far_sum = u[3] + u[4];
    taps[0] = u[0] - 2 * third * near_sum + (real)0.5 * third * far_sum;
    taps[1] = (real)0.5 * third * FAR * (u[3] - u[4]) - 2 * third * NEAR * (u[1] - u[2]);
    taps[2] = third * (far_sum - near_sum) + u[5];
}

/* bias_width: of what lies before the packed weights. */
static inline int64_t bias_width(const struct convolution_shape *s)
{
    return (s->out + HALF - 1) / HALF * HALF;
}

/* row_points: x_t of one row of x. line: a row with its zeros, where x lies from padding[1] on. Points lie `apart`. */
static inline void row_points(const struct convolution_shape *s, const struct winograd_sizes *n, const real *x,
                              real *line, real *to, ptrdiff_t apart)
{
    const int64_t in = s->in;
    memcpy(line + s->padding[1] * in, x, (size_t)(s->size[1] * in) * sizeof *line);
    for (int64_t g = 0; g < n->groups; g++, to += in) {
        const real *from = line + WINOGRAD_PIXELS * g * in;
#define POINTS(type, c) x_points_##type(from + (c), (ptrdiff_t)in, to + (c), apart)
        PER_CHANNEL(in, POINTS)
#undef POINTS
    }
}

/* winograd_units: width of the next panel of winograd_rows when `columns` are left, in halves of a vector: the fewer groups
 * a row has, the more vectors it takes to keep the multipliers busy. taps_units: of winograd_taps. */
static inline int taps_units(int64_t columns)
{
    const int64_t units = (columns + HALF - 1) / HALF;
    return units % 2 == 0 ? 2 : units == 1 ? 1 : 3;
}

static inline int winograd_units(const struct winograd_sizes *n, int64_t columns)
{
    const int64_t units = (columns + HALF - 1) / HALF;
    if (units % 2 == 1 || n->groups > 2)
        return taps_units(columns);
    if (n->groups == 2)
        return units >= 4 ? 4 : 2;
    return units >= 8 ? 8 : (int)units;
}

/* A product at one point, for one panel. Its members are the groups of a row, or the channels of x. */
struct winograd_product {
    int64_t members, inner; /* inner: terms of the sum of a row */
    int64_t rows;           /* of x; in winograd_taps: samples */
    const real *x, *u;      /* u: in winograd_taps dy, where row 0 of x meets it with the taps kh = 0 */
    ptrdiff_t x_member, x_step, x_row;
    ptrdiff_t u_tap, u_step, u_row;
    /* winograd_rows: the two rows of m that were begun; winograd_taps: m itself, to be added to; or NULL */
    const real *before;
    real *m; /* winograd_rows: two rows more than x has, of which all but two are complete */
    ptrdiff_t m_member, m_row;
};
void KERNEL(winograd_rows)(const struct winograd_product *product, int units);
void KERNEL(winograd_taps)(const struct winograd_product *product, int units);

void KERNEL(winograd_pack)(const struct convolution_shape *s, const real *weight, const real *scale, const real *bias,
                           real *packed);
void KERNEL(winograd_pack_back)(const struct convolution_shape *s, const real *weight, real *packed);
/* winograd_run: forward; backward with the shape of winograd_back, x being dy and y being dx. */
void KERNEL(winograd_run)(const struct convolution_shape *s, const real *x, const real *packed, real limit, bool add,
                          real *y, void *scratch, int threads);
void KERNEL(winograd_weights)(const struct convolution_shape *s, const real *x, const real *dy, bool add, real *dw,
                              void *scratch, int threads);

#endif
