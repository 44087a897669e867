/* normalise.c: batch norm's maps [rows, channels]: the normalised and limited map, and the gradient of x. One pass
 * each, in memory's order. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"

enum pass { PASS_APPLY, PASS_GRADIENT, PASS_GRADIENT_ADD };

/* pass_group: lines of `width` vectors, from element `at` of the map on. */
VECTOR_INLINE void pass_group(enum pass pass, enum limit limit, int width, const struct norm *m, int64_t lines,
                              int64_t at)
{
    vector mean[CHANNELS_GROUP], scale[CHANNELS_GROUP], shift[CHANNELS_GROUP], slope[CHANNELS_GROUP];
    vector offset[CHANNELS_GROUP];
    const real *x = m->x + at, *dy = pass == PASS_APPLY ? x : m->dy + at; /* copies, which stores cannot change */
    real low = m->low, high = m->high, *out = m->out + at;
#pragma GCC unroll 4
    for (int i = 0; i < width; i++) {
        mean[i] = vector_load(m->mean + i * VECTOR_LANES);
        scale[i] = vector_load(m->scale + i * VECTOR_LANES);
        shift[i] = vector_load(m->shift + i * VECTOR_LANES);
        slope[i] = vector_load(m->slope + i * VECTOR_LANES);
        offset[i] = vector_load(m->offset + i * VECTOR_LANES);
    }
    for (int64_t line = 0; line < lines; line++) {
#pragma GCC unroll 4
        for (int i = 0; i < width; i++) {
            int64_t here = (line * width + i) * VECTOR_LANES;
            vector apart = vector_load(x + here) - mean[i], z = apart * scale[i] + shift[i];
            if (pass == PASS_APPLY) {
                vector_store(out + here, limit_apply(limit, z, low, high));
                continue;
            }
            vector d = vector_load(dy + here);
            if (limit != LIMIT_NONE)
                d = vector_where(limit_inside(limit, z, low, high), d);
            d = d * scale[i] + (apart * slope[i] + offset[i]);
            vector_store(out + here, pass == PASS_GRADIENT_ADD ? vector_load(out + here) + d : d);
        }
    }
}

/* pass_line: the first n elements of a line. */
VECTOR_INLINE void pass_line(enum pass pass, enum limit limit, const struct norm *m, int64_t at, int64_t n)
{
    const real *mean = m->mean, *scale = m->scale, *shift = m->shift, *slope = m->slope, *offset = m->offset;
    const real *x = m->x + at, *dy = pass == PASS_APPLY ? x : m->dy + at;
    real low = m->low, high = m->high, *out = m->out + at;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real apart = x[i] - mean[i], d = dy[i], z = apart * scale[i] + shift[i];
        if (pass == PASS_APPLY) {
            if (limit != LIMIT_NONE)
                z = z < low ? low : z;
            if (limit == LIMIT_BOTH)
                z = z > high ? high : z;
            out[i] = z;
        } else {
            if (limit != LIMIT_NONE)
                d = z > low ? d : 0;
            if (limit == LIMIT_BOTH)
                d = z < high ? d : 0;
            d = d * scale[i] + (apart * slope[i] + offset[i]);
            out[i] = pass == PASS_GRADIENT_ADD ? out[i] + d : d;
        }
    }
}

/* pass_lines: n elements from the start of a line on. Lines of few vectors keep their coefficients in registers; where
 * maps come from memory, to walk through wider ones like that, a few columns at a time, is four times slower. */
VECTOR_INLINE void pass_lines(enum pass pass, enum limit limit, const struct norm *m, int64_t start, int64_t n)
{
    int64_t length = m->line.length, lines = n / length;
    if (length == 3 * VECTOR_LANES)
        pass_group(pass, limit, 3, m, lines, start);
    else if (length == 4 * VECTOR_LANES)
        pass_group(pass, limit, 4, m, lines, start);
    else
        lines = 0;
    for (int64_t at = start + lines * length; at < start + n; at += length)
        pass_line(pass, limit, m, at, start + n - at < length ? start + n - at : length);
}

#define FOR_LIMIT(pass)                                                                                                \
    if (m->limit == LIMIT_NONE)                                                                                        \
        pass_lines(pass, LIMIT_NONE, m, start, n);                                                                     \
    else if (m->limit == LIMIT_LOW)                                                                                    \
        pass_lines(pass, LIMIT_LOW, m, start, n);                                                                      \
    else                                                                                                               \
        pass_lines(pass, LIMIT_BOTH, m, start, n)

static void apply_lines(const struct norm *m, int64_t start, int64_t n)
{
    FOR_LIMIT(PASS_APPLY);
}

static void gradient_lines(const struct norm *m, int64_t start, int64_t n)
{
    FOR_LIMIT(PASS_GRADIENT);
}

static void gradient_add_lines(const struct norm *m, int64_t start, int64_t n)
{
    FOR_LIMIT(PASS_GRADIENT_ADD);
}

/* blocks_do: the map in blocks of whole lines. */
static void blocks_do(void (*lines)(const struct norm *, int64_t, int64_t), const struct norm *m, int threads)
{
    int64_t all = m->rows * m->channels, each = m->line.length * m->line.block, blocks = (all + each - 1) / each;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && all > NORM_THREAD_WORK)
    for (int64_t block = 0; block < blocks; block++)
        lines(m, block * each, all - block * each < each ? all - block * each : each);
}

void KERNEL(norm_apply)(int64_t rows, int64_t channels, const void *x, const void *coefficients, double low,
                        double high, void *y, int threads)
{
    real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX];
    struct norm m = norm_of(rows, channels, x, coefficients, low, high, buffer);
    m.out = y;
    blocks_do(apply_lines, &m, threads);
}

void KERNEL(norm_gradient)(int64_t rows, int64_t channels, const void *x, const void *dy, const void *coefficients,
                           double low, double high, void *dx, bool add, int threads)
{
    real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX];
    struct norm m = norm_of(rows, channels, x, coefficients, low, high, buffer);
    m.dy = dy;
    m.out = dx;
    blocks_do(add ? gradient_add_lines : gradient_lines, &m, threads);
}
