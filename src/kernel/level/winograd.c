/* winograd.c: forward and data passes of kernel/winograd.h: the points of a sample's rows, six products (tile.h) for a
 * strip of rows, whose sums stay in the first cache, and the strip's pixels. */
#include "kernel/level/winograd.h"
#include "kernel/level/map.h"

/* panels_pack: u of all panels, [6][3][in][width] each, behind the bias; taps(kh) of weight [at] for (c, o). */
static void panels_pack(const struct convolution_shape *s, const real *weight, int64_t c_step, int64_t o_step,
                        bool turned, const real *scale, real *to)
{
    for (int64_t first = 0; first < s->out;) {
        const int64_t width = tile_units(s->out - first) * HALF, step = WINOGRAD_TAPS * s->in * width;
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

static int64_t bias_width(const struct convolution_shape *s)
{
    return (s->out + HALF - 1) / HALF * HALF;
}

void KERNEL(winograd_pack)(const struct convolution_shape *s, const real *weight, const real *scale, const real *bias,
                           real *packed)
{
    const int64_t width = bias_width(s);
    for (int64_t o = 0; o < width; o++)
        packed[o] = bias && o < s->out ? bias[o] : 0;
    panels_pack(s, weight, 9, 9 * s->in, false, scale, packed + width);
}

void KERNEL(winograd_pack_back)(const struct convolution_shape *shape, const real *weight, real *packed)
{
    const struct convolution_shape s = winograd_back(shape);
    const int64_t width = bias_width(&s);
    memset(packed, 0, (size_t)width * sizeof *packed);
    panels_pack(&s, weight, 9 * s.out, 9, true, NULL, packed + width);
}

/* strip_sums: m_t of `rows` rows of pixels; x: the first point's first row. */
static void strip_sums(const struct convolution_shape *s, const struct winograd_sizes *n, const real *x, const real *u,
                       int64_t rows, real *m)
{
    const ptrdiff_t row = (ptrdiff_t)(n->groups * s->in), offset[WINOGRAD_TAPS] = {0, row, 2 * row};
    struct tile tile = {.a_row = (ptrdiff_t)s->in, .a_k = 1, .offset = offset, .limit = -1};
    tile.outer = WINOGRAD_TAPS;
    tile.inner = s->in;
    tile.c_row = (ptrdiff_t)n->wide;
    tile.rows = rows * n->groups;
    tile.run = tile.rows + 1; /* the rows never break off */
    for (int64_t first = 0; first < s->out;) {
        const int units = tile_units(s->out - first);
        const int64_t width = units * HALF;
        tile.b_k = (ptrdiff_t)width;
        tile.columns = width;
        for (int t = 0; t < WINOGRAD_POINTS; t++, u += WINOGRAD_TAPS * s->in * width) {
            tile.a = x + t * n->map;
            tile.b = u;
            tile.c = m + t * n->strip * n->groups * n->wide + first;
            KERNEL(tile_along)(&tile, units);
        }
        first += width;
    }
}

/* row_pixels: one row of y from its sums. */
VECTOR_INLINE void row_pixels(const struct convolution_shape *s, const struct winograd_sizes *n, const real *m,
                              const real *bias, bool add, real limit, real *y)
{
    const int64_t out = s->out, whole = s->out_size[1] / WINOGRAD_PIXELS, rest = s->out_size[1] % WINOGRAD_PIXELS;
    const ptrdiff_t apart = (ptrdiff_t)(n->strip * n->groups * n->wide), right = (ptrdiff_t)out;
    int64_t g = 0;
#define PIXELS(type, c)                                                                                                \
    y_pixels_##type(m + g * n->wide + (c), apart, bias + (c), add, limit, y + 4 * g * out + (c), right, 4)
    for (; g < whole; g++) {
        PER_CHANNEL(out, PIXELS)
    }
#undef PIXELS
#define PIXELS(type, c)                                                                                                \
    y_pixels_##type(m + g * n->wide + (c), apart, bias + (c), add, limit, y + 4 * g * out + (c), right, rest)
    if (rest > 0) {
        PER_CHANNEL(out, PIXELS)
    }
#undef PIXELS
}

/* row_added: y += the row; `line` holds it meanwhile, as vectors that lie over each other may not add twice. */
static void row_added(const struct convolution_shape *s, const struct winograd_sizes *n, const real *m,
                      const real *bias, real *line, real *y)
{
    row_pixels(s, n, m, bias, false, -1, line);
#pragma omp simd
    for (int64_t i = 0; i < s->out_size[1] * s->out; i++)
        y[i] += line[i];
}

static void sample_run(const struct convolution_shape *s, const struct winograd_sizes *n, const real *points,
                       const real *packed, real limit, bool add, real *m, real *line, real *y)
{
    const int64_t sums = n->groups * n->wide;
    for (int64_t h = 0; h < s->out_size[0]; h += n->strip) {
        const int64_t rows = s->out_size[0] - h < n->strip ? s->out_size[0] - h : n->strip;
        strip_sums(s, n, points + h * n->groups * s->in, packed + bias_width(s), rows, m);
        for (int64_t i = 0; i < rows; i++) {
            real *to = y + (h + i) * s->out_size[1] * s->out;
            if (add)
                row_added(s, n, m + i * sums, packed, line, to);
            else if (limit >= 0)
                row_pixels(s, n, m + i * sums, packed, false, limit, to);
            else
                row_pixels(s, n, m + i * sums, packed, false, -1, to);
        }
    }
}

void KERNEL(winograd_run)(const struct convolution_shape *s, const real *x, const real *packed, real limit, bool add,
                          real *y, void *scratch, int threads)
{
    const struct winograd_sizes n = winograd_sizes(s);
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const size_t line_bytes = bytes_rounded((size_t)n.line * sizeof(real));
    const size_t map_bytes = bytes_rounded((size_t)(WINOGRAD_POINTS * n.map) * sizeof(real));
    const size_t piece_bytes = winograd_forward_scratch(s, sizeof(real), 1);
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        char *own = (char *)scratch + (size_t)piece * piece_bytes;
        memset(own, 0, line_bytes + map_bytes);
        real *line = (real *)(void *)own, *points = (real *)(void *)(own + line_bytes);
        real *m = (real *)(void *)(own + line_bytes + map_bytes),
             *row = m + WINOGRAD_POINTS * n.strip * n.groups * n.wide;
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++) {
            map_points(s, &n, x + b * x_sample, line, points, (ptrdiff_t)n.map);
            sample_run(s, &n, points, packed, limit, add, m, row, y + b * y_sample);
        }
    }
}
