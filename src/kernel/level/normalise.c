/* normalise.c: batch norm's maps [rows, channels]: the normalised and limited map, and the gradient of x. One pass
 * each, in memory's order: to walk through a block in columns, as sums do, is four times slower where three maps are
 * streamed. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"

/* apply_line, gradient_line: the first n elements of a line. */
VECTOR_INLINE void apply_line(enum limit limit, const struct norm *m, int64_t n, const real *x, real *y)
{
    const real *mean = m->mean, *scale = m->scale, *shift = m->shift;
    real low = m->low, high = m->high;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real z = (x[i] - mean[i]) * scale[i] + shift[i];
        if (limit != LIMIT_NONE)
            z = z < low ? low : z;
        if (limit == LIMIT_BOTH)
            z = z > high ? high : z;
        y[i] = z;
    }
}

VECTOR_INLINE void gradient_line(enum limit limit, bool add, const struct norm *m, int64_t n, const real *x,
                                 const real *dy, real *dx)
{
    const real *mean = m->mean, *scale = m->scale, *shift = m->shift, *slope = m->slope, *offset = m->offset;
    real low = m->low, high = m->high;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real apart = x[i] - mean[i], d = dy[i], z = apart * scale[i] + shift[i];
        if (limit != LIMIT_NONE)
            d = z > low ? d : 0;
        if (limit == LIMIT_BOTH)
            d = z < high ? d : 0;
        d = d * scale[i] + (apart * slope[i] + offset[i]);
        dx[i] = add ? dx[i] + d : d;
    }
}

/* lines_do: n elements from the start of a line on. */
VECTOR_INLINE void lines_do(bool gradient, enum limit limit, bool add, const struct norm *m, int64_t start, int64_t n)
{
    for (int64_t at = start; at < start + n; at += m->line.length) {
        int64_t here = start + n - at < m->line.length ? start + n - at : m->line.length;
        if (gradient)
            gradient_line(limit, add, m, here, m->x + at, m->dy + at, m->out + at);
        else
            apply_line(limit, m, here, m->x + at, m->out + at);
    }
}

static void apply_lines(const struct norm *m, int64_t start, int64_t n)
{
    if (m->limit == LIMIT_NONE)
        lines_do(false, LIMIT_NONE, false, m, start, n);
    else if (m->limit == LIMIT_LOW)
        lines_do(false, LIMIT_LOW, false, m, start, n);
    else
        lines_do(false, LIMIT_BOTH, false, m, start, n);
}

static void gradient_lines(const struct norm *m, int64_t start, int64_t n)
{
    if (m->limit == LIMIT_NONE)
        m->add ? lines_do(true, LIMIT_NONE, true, m, start, n) : lines_do(true, LIMIT_NONE, false, m, start, n);
    else if (m->limit == LIMIT_LOW)
        m->add ? lines_do(true, LIMIT_LOW, true, m, start, n) : lines_do(true, LIMIT_LOW, false, m, start, n);
    else
        m->add ? lines_do(true, LIMIT_BOTH, true, m, start, n) : lines_do(true, LIMIT_BOTH, false, m, start, n);
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
    m.add = add;
    blocks_do(gradient_lines, &m, threads);
}
