/* winograd.c: forward and data passes of kernel/winograd.h, a strip of rows of x at a time: their points, the six products
 * (winograd_product.c), and the pixels of the rows of y that are complete. All of a strip stays in the first cache. */
#include "kernel/level/winograd.h"
#include "kernel/level/map.h"
#include "kernel/level/winograd_tiles.h"

/* panels_pack: u of all panels, [6][3][in][width] each, behind the bias; taps(kh) of weight [at] for (c, o). */
static void panels_pack(const struct convolution_shape *s, const real *weight, int64_t c_step, int64_t o_step,
                        bool turned, const real *scale, real *to)
{
    const struct winograd_sizes sizes = winograd_sizes(s);
    for (int64_t first = 0; first < s->out;) {
        const int64_t width = winograd_units(&sizes, s->out - first) * HALF, step = WINOGRAD_TAPS * s->in * width;
        const int64_t used = s->out - first < width ? s->out - first : width;
        for (int64_t kh = 0; kh < WINOGRAD_TAPS; kh++) {
            for (int64_t c = 0; c < s->in; c++, to += width) {
                for (int64_t n = 0; n < width; n++) {
                    real u[WINOGRAD_POINTS] = {0};
                    if (n < used) {
                        const real *k = weight + (first + n) * o_step + c * c_step + (turned ? 2 - kh : kh) * 3;
                        taps_to_points(k[turned ? 2 : 0], k[1], k[turned ? 0 : 2], u);
                    }
                    const real by = scale && n < used ? scale[first + n] : 1;
                    for (int t = 0; t < WINOGRAD_POINTS; t++)
                        to[t * step + n] = u[t] * by;
                }
            }
        }
        to += (WINOGRAD_POINTS - 1) * step;
        first += width;
    }
}

void KERNEL(winograd_pack)(const struct convolution_shape *s, const real *weight, const real *scale, const real *bias,
                           real *packed)
{
    if (winograd_tiles_suit(s)) {
        KERNEL(winograd_tiles_pack)(s, weight, scale, bias, packed);
        return;
    }
    const int64_t width = bias_width(s);
    for (int64_t o = 0; o < width; o++)
        packed[o] = bias && o < s->out ? bias[o] : 0;
    panels_pack(s, weight, 9, 9 * s->in, false, scale, packed + width);
}

void KERNEL(winograd_pack_back)(const struct convolution_shape *shape, const real *weight, real *packed)
{
    const struct convolution_shape s = winograd_back(shape);
    if (winograd_tiles_suit(&s)) {
        KERNEL(winograd_tiles_pack_back)(&s, weight, packed);
        return;
    }
    const int64_t width = bias_width(&s);
    memset(packed, 0, (size_t)width * sizeof *packed);
    panels_pack(&s, weight, 9 * s.out, 9, true, NULL, packed + width);
}

/* A sample's memory: points [6][strip][groups][in], sums m [6][strip + 2][groups][wide], a row of x with its zeros, a row of
 * y. */
struct strip_work {
    const struct convolution_shape *s;
    struct winograd_sizes n;
    ptrdiff_t points_apart, m_apart, m_row;
    real *points, *m, *x_line, *y_line;
};

/* strip_sums: m of `rows` rows of x; begun: where the two rows of m are that the strip before has begun, or -1. */
static void strip_sums(const struct strip_work *w, const real *u, int64_t rows, int64_t begun)
{
    const struct convolution_shape *s = w->s;
    struct winograd_product p = {.members = w->n.groups, .inner = s->in, .rows = rows, .x_step = 1};
    p.x_member = (ptrdiff_t)s->in;
    p.x_row = (ptrdiff_t)(w->n.groups * s->in);
    p.m_member = (ptrdiff_t)w->n.wide;
    p.m_row = w->m_row;
    for (int64_t first = 0; first < s->out;) {
        const int units = winograd_units(&w->n, s->out - first);
        const int64_t width = units * HALF;
        p.u_step = (ptrdiff_t)width;
        p.u_tap = (ptrdiff_t)(s->in * width);
        for (int t = 0; t < WINOGRAD_POINTS; t++, u += WINOGRAD_TAPS * p.u_tap) {
            p.x = w->points + t * w->points_apart;
            p.u = u;
            p.m = w->m + t * w->m_apart + first;
            p.before = begun < 0 ? NULL : p.m + begun * w->m_row;
            KERNEL(winograd_rows)(&p, units);
        }
        first += width;
    }
}

/* row_pixels: one row of y from its sums. */
VECTOR_INLINE void row_pixels(const struct strip_work *w, const real *m, const real *bias, real limit, real *y)
{
    const struct convolution_shape *s = w->s;
    const int64_t wide = w->n.wide, out = s->out, whole = s->out_size[1] / WINOGRAD_PIXELS,
                  rest = s->out_size[1] % WINOGRAD_PIXELS;
    const ptrdiff_t right = (ptrdiff_t)out;
    int64_t g = 0;
#define PIXELS(type, c)                                                                                                \
    y_pixels_##type(m + g * wide + (c), w->m_apart, bias + (c), limit, y + 4 * g * out + (c), right, 4)
    for (; g < whole; g++) {
        PER_CHANNEL(out, PIXELS)
    }
#undef PIXELS
#define PIXELS(type, c)                                                                                                \
    y_pixels_##type(m + g * wide + (c), w->m_apart, bias + (c), limit, y + 4 * g * out + (c), right, rest)
    if (rest > 0) {
        PER_CHANNEL(out, PIXELS)
    }
#undef PIXELS
}

/* row_added: y += the row, which y_line holds meanwhile, as vectors that lie over each other may not add twice. */
static void row_added(const struct strip_work *w, const real *m, const real *bias, real *y)
{
    row_pixels(w, m, bias, -1, w->y_line);
#pragma omp simd
    for (int64_t i = 0; i < w->s->out_size[1] * w->s->out; i++)
        y[i] += w->y_line[i];
}

/* A row of x is the last that row h of y needs, where h is padding[0] - 2 more. */
static void sample_run(const struct strip_work *w, const real *x, const real *packed, real limit, bool add, real *y)
{
    const struct convolution_shape *s = w->s;
    const int64_t x_row = s->size[1] * s->in, y_row = s->out_size[1] * s->out;
    int64_t rows = 0;
    for (int64_t first = 0; first < s->size[0]; first += rows) {
        const int64_t begun = first == 0 ? -1 : rows, top = first + s->padding[0] - 2;
        rows = s->size[0] - first < w->n.strip ? s->size[0] - first : w->n.strip;
        for (int64_t i = 0; i < rows; i++)
            row_points(s, &w->n, x + (first + i) * x_row, w->x_line, w->points + i * w->n.groups * s->in,
                       w->points_apart);
        strip_sums(w, packed + bias_width(s), rows, begun);
        const int64_t end = first + rows < s->size[0] ? top + rows : s->out_size[0];
        for (int64_t h = top < 0 ? 0 : top; h < end; h++) {
            const real *m = w->m + (h - top) * w->m_row;
            real *to = y + h * y_row;
            if (add)
                row_added(w, m, packed, to);
            else if (limit >= 0)
                row_pixels(w, m, packed, limit, to);
            else
                row_pixels(w, m, packed, -1, to);
        }
    }
}

/* work_of: a piece's memory, laid out; see winograd_forward_scratch. */
static struct strip_work work_of(const struct convolution_shape *s, char *own)
{
    struct strip_work w = {.s = s, .n = winograd_sizes(s)};
    w.points_apart = (ptrdiff_t)(w.n.strip * w.n.groups * s->in);
    w.m_row = (ptrdiff_t)(w.n.groups * w.n.wide);
    w.m_apart = (ptrdiff_t)(w.n.strip + WINOGRAD_TAPS - 1) * w.m_row;
    const size_t line_bytes = bytes_rounded((size_t)w.n.line * sizeof(real));
    memset(own, 0, line_bytes);
    w.x_line = (real *)(void *)own;
    w.points = (real *)(void *)(own += line_bytes);
    w.m = (real *)(void *)(own += bytes_rounded((size_t)(WINOGRAD_POINTS * w.points_apart) * sizeof(real)));
    w.y_line = w.m + WINOGRAD_POINTS * w.m_apart;
    return w;
}

void KERNEL(winograd_run)(const struct convolution_shape *s, const real *x, const real *packed, real limit, bool add,
                          real *y, void *scratch, int threads)
{
    if (winograd_tiles_suit(s)) {
        KERNEL(winograd_tiles_run)(s, x, packed, limit, add, y, scratch, threads);
        return;
    }
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const size_t piece_bytes = winograd_forward_scratch(s, sizeof(real), 1);
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        const struct strip_work w = work_of(s, (char *)scratch + (size_t)piece * piece_bytes);
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++)
            sample_run(&w, x + b * x_sample, packed, limit, add, y + b * y_sample);
    }
}
