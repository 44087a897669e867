/* winograd.h: the sums of kernel/winograd.h that go from pixels to points and back, for a vector and for a number. */
#ifndef KERNEL_LEVEL_WINOGRAD_H
#define KERNEL_LEVEL_WINOGRAD_H

#include "kernel/winograd.h"

#include "kernel/level/lanes.h"
#include "kernel/level/tile.h"

/* Near point, far point. */
#define NEAR ((real)0.70710678118654752440)
#define FAR ((real)1.41421356237309504880)

/* PER_CHANNEL: `call` for n channels, n at least 1: for whole vectors, the last of which may lie over the one before, or
 * number by number. call(v, c) is a macro that names functions by type: name_##v. */
#define PER_CHANNEL(n, call)                                                                                           \
    if ((n) >= VECTOR_LANES) {                                                                                         \
        for (int64_t c_ = 0; c_ + VECTOR_LANES <= (n); c_ += VECTOR_LANES)                                             \
            call(vector, c_);                                                                                          \
        if ((n) % VECTOR_LANES != 0)                                                                                   \
            call(vector, (n)-VECTOR_LANES);                                                                            \
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

#define TRANSFORMS(type)                                                                                               \
    /* x_points: six pixels, `right` apart, to six points, `apart` apart. */                                           \
    VECTOR_INLINE void x_points_##type(const real *x, ptrdiff_t right, real *to, ptrdiff_t apart)                      \
    {                                                                                                                  \
        const type x0 = type##_load(x), x1 = type##_load(x + right), x2 = type##_load(x + 2 * right);                  \
        const type x3 = type##_load(x + 3 * right), x4 = type##_load(x + 4 * right), x5 = type##_load(x + 5 * right);  \
        const type even_near = x4 - 2 * x2, odd_near = x3 - 2 * x1;                                                    \
        const type even_far = x4 - (real)0.5 * x2, odd_far = x3 - (real)0.5 * x1;                                      \
        type##_store(to, (x0 + x4) - (real)2.5 * x2);                                                                  \
        type##_store(to + apart, even_near + NEAR * odd_near);                                                         \
        type##_store(to + 2 * apart, even_near - NEAR * odd_near);                                                     \
        type##_store(to + 3 * apart, even_far + FAR * odd_far);                                                        \
        type##_store(to + 4 * apart, even_far - FAR * odd_far);                                                        \
        type##_store(to + 5 * apart, (x1 + x5) - (real)2.5 * x3);                                                      \
    }                                                                                                                  \
    /* dy_points: four pixels to six points. */                                                                        \
    VECTOR_INLINE void dy_points_##type(const real *y, ptrdiff_t right, real *to, ptrdiff_t apart)                     \
    {                                                                                                                  \
        const type y0 = type##_load(y), y1 = type##_load(y + right);                                                   \
        const type y2 = type##_load(y + 2 * right), y3 = type##_load(y + 3 * right);                                   \
        const type even_near = y0 + (real)0.5 * y2, odd_near = y1 + (real)0.5 * y3;                                    \
        const type even_far = y0 + 2 * y2, odd_far = y1 + 2 * y3;                                                      \
        type##_store(to, y0);                                                                                          \
        type##_store(to + apart, even_near + NEAR * odd_near);                                                         \
        type##_store(to + 2 * apart, even_near - NEAR * odd_near);                                                     \
        type##_store(to + 3 * apart, even_far + FAR * odd_far);                                                        \
        type##_store(to + 4 * apart, even_far - FAR * odd_far);                                                        \
        type##_store(to + 5 * apart, y3);                                                                              \
    }                                                                                                                  \
    /* y_pixels: six points to `count` (1 to 4) pixels, with bias. */                                                  \
    VECTOR_INLINE void y_pixels_##type(const real *m, ptrdiff_t apart, const real *bias, real limit, real *y,          \
                                       ptrdiff_t right, int64_t count)                                                 \
    {                                                                                                                  \
        const type near_plus = type##_load(m + apart), near_minus = type##_load(m + 2 * apart);                        \
        const type far_plus = type##_load(m + 3 * apart), far_minus = type##_load(m + 4 * apart);                      \
        const type near_sum = near_plus + near_minus, near_apart = NEAR * (near_plus - near_minus);                    \
        const type far_sum = far_plus + far_minus, far_apart = FAR * (far_plus - far_minus);                           \
        const type start = type##_load(bias);                                                                          \
        type v[4];                                                                                                     \
        v[0] = (type##_load(m) + near_sum) + (far_sum + start);                                                        \
        v[1] = near_apart + (far_apart + start);                                                                       \
        v[2] = (real)0.5 * near_sum + (2 * far_sum + start);                                                           \
        v[3] = ((real)0.5 * near_apart + type##_load(m + 5 * apart)) + (2 * far_apart + start);                        \
        for (int i = 0; i < 4 && i < count; i++) {                                                                     \
            if (limit >= 0)                                                                                            \
                v[i] = type##_limited(v[i], limit);                                                                    \
            type##_store(y + i * right, v[i]);                                                                         \
        }                                                                                                              \
    }
TRANSFORMS(vector)
TRANSFORMS(real)
#undef TRANSFORMS

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
