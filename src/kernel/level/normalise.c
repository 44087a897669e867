/* normalise.c: batch norm's maps [rows, channels]: the normalised and limited map, and the gradient of x. One pass each. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"

VECTOR_INLINE void apply_group(enum limit limit, int width, const struct norm *n, int64_t lines, const real *x, real *y,
                               int64_t at)
{
    vector mean[CHANNELS_GROUP], scale[CHANNELS_GROUP], shift[CHANNELS_GROUP];
    int64_t length = n->line.length;
    real low = n->low, high = n->high;
#pragma GCC unroll 4
    for (int i = 0; i < width; i++) {
        mean[i] = vector_load(n->mean + at + i * VECTOR_LANES);
        scale[i] = vector_load(n->scale + at + i * VECTOR_LANES);
        shift[i] = vector_load(n->shift + at + i * VECTOR_LANES);
    }
    for (int64_t line = 0; line < lines; line++) {
#pragma GCC unroll 4
        for (int i = 0; i < width; i++) {
            vector z = (vector_load(x + line * length + at + i * VECTOR_LANES) - mean[i]) * scale[i] + shift[i];
            vector_store(y + line * length + at + i * VECTOR_LANES, limit_apply(limit, z, low, high));
        }
    }
}

VECTOR_INLINE void gradient_group(enum limit limit, bool add, int width, const struct norm *n, int64_t lines, const real *x,
                                  const real *dy, real *dx, int64_t at)
{
    vector mean[CHANNELS_GROUP], scale[CHANNELS_GROUP], shift[CHANNELS_GROUP], slope[CHANNELS_GROUP], offset[CHANNELS_GROUP];
    int64_t length = n->line.length;
    real low = n->low, high = n->high;
#pragma GCC unroll 4
    for (int i = 0; i < width; i++) {
        mean[i] = vector_load(n->mean + at + i * VECTOR_LANES);
        scale[i] = vector_load(n->scale + at + i * VECTOR_LANES);
        shift[i] = vector_load(n->shift + at + i * VECTOR_LANES);
        slope[i] = vector_load(n->slope + at + i * VECTOR_LANES);
        offset[i] = vector_load(n->offset + at + i * VECTOR_LANES);
    }
    for (int64_t line = 0; line < lines; line++) {
#pragma GCC unroll 4
        for (int i = 0; i < width; i++) {
            int64_t place = line * length + at + i * VECTOR_LANES;
            vector apart = vector_load(x + place) - mean[i], d = vector_load(dy + place);
            if (limit != LIMIT_NONE)
                d = vector_where(limit_inside(limit, apart * scale[i] + shift[i], low, high), d);
            d = d * scale[i] + (apart * slope[i] + offset[i]);
            vector_store(dx + place, add ? vector_load(dx + place) + d : d);
        }
    }
}

/* element: one element, i of a line. */
VECTOR_INLINE void element(bool gradient, const struct norm *n, int64_t i, real x, const real *dy, real *out)
{
    real apart = x - n->mean[i], z = apart * n->scale[i] + n->shift[i];
    if (!gradient) {
        *out = limit_scalar(z, n->low, n->high);
        return;
    }
    real d = n->limit == LIMIT_NONE || (z > n->low && z < n->high) ? *dy : 0;
    d = d * n->scale[i] + (apart * n->slope[i] + n->offset[i]);
    *out = n->add ? *out + d : d;
}

VECTOR_INLINE void lines_do(bool gradient, enum limit limit, bool add, const struct norm *n, int64_t row, int64_t lines)
{
    const real *x = n->x + row * n->channels, *dy = gradient ? n->dy + row * n->channels : x;
    real *out = n->out + row * n->channels;
    int64_t v = 0, length = n->line.length;
    /* Groups of four vectors leave too few registers for five coefficients. */
    enum { WIDTH = CHANNELS_GROUP / 2 };
    for (; v + CHANNELS_GROUP <= n->line.vectors && !gradient; v += CHANNELS_GROUP)
        apply_group(limit, CHANNELS_GROUP, n, lines, x, out, v * VECTOR_LANES);
    for (; v + WIDTH <= n->line.vectors && gradient; v += WIDTH)
        gradient_group(limit, add, WIDTH, n, lines, x, dy, out, v * VECTOR_LANES);
    for (; v < n->line.vectors; v++) {
        if (gradient)
            gradient_group(limit, add, 1, n, lines, x, dy, out, v * VECTOR_LANES);
        else
            apply_group(limit, 1, n, lines, x, out, v * VECTOR_LANES);
    }
    for (int64_t line = 0; line < lines; line++)
        for (int64_t i = v * VECTOR_LANES; i < length; i++)
            element(gradient, n, i, x[line * length + i], dy + line * length + i, out + line * length + i);
}

VECTOR_INLINE void lines_of_kind(bool gradient, const struct norm *n, int64_t row, int64_t lines)
{
    bool add = gradient && n->add;
    if (n->limit == LIMIT_NONE)
        add ? lines_do(gradient, LIMIT_NONE, true, n, row, lines) : lines_do(gradient, LIMIT_NONE, false, n, row, lines);
    else if (n->limit == LIMIT_LOW)
        add ? lines_do(gradient, LIMIT_LOW, true, n, row, lines) : lines_do(gradient, LIMIT_LOW, false, n, row, lines);
    else
        add ? lines_do(gradient, LIMIT_BOTH, true, n, row, lines) : lines_do(gradient, LIMIT_BOTH, false, n, row, lines);
}

VECTOR_INLINE void map_do(bool gradient, const struct norm *n, int threads)
{
    int64_t each = n->line.rows * n->line.block, blocks = (n->rows + each - 1) / each;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && n->rows * n->channels > NORM_THREAD_WORK)
    for (int64_t block = 0; block < blocks; block++) {
        int64_t row = block * each, rows = n->rows - row < each ? n->rows - row : each, lines = rows / n->line.rows;
        lines_of_kind(gradient, n, row, lines);
        int64_t done = (row + lines * n->line.rows) * n->channels;
        for (int64_t i = 0; i < (row + rows) * n->channels - done; i++) /* less than a line */
            element(gradient, n, i, n->x[done + i], (gradient ? n->dy : n->x) + done + i, n->out + done + i);
    }
}

void KERNEL(norm_apply)(int64_t rows, int64_t channels, const void *x, const void *coefficients, double low, double high,
                        void *y, int threads)
{
    real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX];
    struct norm n = norm_of(rows, channels, x, coefficients, low, high, buffer);
    n.out = y;
    map_do(false, &n, threads);
}

void KERNEL(norm_gradient)(int64_t rows, int64_t channels, const void *x, const void *dy, const void *coefficients, double low,
                           double high, void *dx, bool add, int threads)
{
    real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX];
    struct norm n = norm_of(rows, channels, x, coefficients, low, high, buffer);
    n.dy = dy;
    n.out = dx;
    n.add = add;
    map_do(true, &n, threads);
}
