/* winograd_weights.c: the weights' gradient of kernel/winograd.h: at each point a product of x_t and dy_t, summed over
 * samples and pixels; only the sums of the whole batch go back to taps. As in convolution_weights.c each chunk of the
 * batch has its own sums, which are added in the order of the chunks. */
#include "kernel/level/map.h"
#include "kernel/level/winograd.h"
#include "kernel/level/winograd_tiles.h"

struct weights_work {
    const struct convolution_shape *s;
    const struct winograd_sizes *n;
    int64_t together, out; /* samples in one sum; channels of dy_t, some of them zero */
    int64_t x_map, dy_map; /* a sample at one point: [size[0]][groups][in], [size[0] + 2][groups][out] */
    real *x_line, *dy_line, *x_points, *dy_points;
};

/* map_points: x_t of one sample. */
static void map_points(const struct weights_work *work, const real *x, real *to)
{
    const struct convolution_shape *s = work->s;
    for (int64_t h = 0; h < s->size[0]; h++)
        row_points(s, work->n, x + h * s->size[1] * s->in, work->x_line, to + h * work->n->groups * s->in,
                   (ptrdiff_t)(work->together * work->x_map));
}

/* gradient_points: dy_t of one sample, inside the rows of zeros that are there already. */
static void gradient_points(const struct weights_work *work, const real *dy, real *to)
{
    const struct convolution_shape *s = work->s;
    const int64_t groups = work->n->groups, width = s->out_size[1] * s->out;
    const ptrdiff_t apart = (ptrdiff_t)(work->together * work->dy_map);
    to += (WINOGRAD_TAPS - 1 - s->padding[0]) * groups * work->out;
    for (int64_t h = 0; h < s->out_size[0]; h++) {
        const real *row = dy + h * width;
        if (s->out_size[1] % WINOGRAD_PIXELS != 0) {
            memcpy(work->dy_line, row, (size_t)width * sizeof *row);
            row = work->dy_line;
        }
        for (int64_t g = 0; g < groups; g++, to += work->out) {
            const real *from = row + WINOGRAD_PIXELS * g * s->out;
#define POINTS(type, c) dy_points_##type(from + (c), (ptrdiff_t)s->out, to + (c), apart)
            PER_CHANNEL(s->out, POINTS)
#undef POINTS
        }
    }
}

/* sums_add: sums [panel][6][3][in][width] (+)= those of `count` samples. */
static void sums_add(const struct weights_work *work, int64_t count, bool add, real *sums)
{
    const struct convolution_shape *s = work->s;
    const ptrdiff_t dy_row = (ptrdiff_t)(work->n->groups * work->out);
    struct winograd_product p = {.members = s->in, .inner = s->size[0] * work->n->groups, .rows = count, .x_member = 1};
    p.x_step = (ptrdiff_t)s->in;
    p.x_row = (ptrdiff_t)work->x_map;
    p.u_step = (ptrdiff_t)work->out;
    p.u_row = (ptrdiff_t)work->dy_map;
    p.u_tap = -dy_row;
    for (int64_t first = 0; first < work->out;) {
        const int units = taps_units(work->out - first);
        const int64_t width = units * HALF;
        p.m_member = (ptrdiff_t)width;
        p.m_row = (ptrdiff_t)(s->in * width);
        for (int t = 0; t < WINOGRAD_POINTS; t++, sums += WINOGRAD_TAPS * p.m_row) {
            p.x = work->x_points + t * work->together * work->x_map;
            p.u = work->dy_points + t * work->together * work->dy_map + 2 * dy_row + first;
            p.m = sums;
            p.before = add ? sums : NULL;
            KERNEL(winograd_taps)(&p, units);
        }
        first += width;
    }
}

static void chunk_sum(const struct weights_work *work, int64_t first, int64_t end, const real *x, const real *dy,
                      real *sums)
{
    const struct convolution_shape *s = work->s;
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    for (int64_t b = first; b < end; b += work->together) {
        const int64_t count = end - b < work->together ? end - b : work->together;
        for (int64_t i = 0; i < count; i++) {
            map_points(work, x + (b + i) * x_sample, work->x_points + i * work->x_map);
            gradient_points(work, dy + (b + i) * y_sample, work->dy_points + i * work->dy_map);
        }
        sums_add(work, count, b > first, sums);
    }
}

/* weights_store: from the sums to dw [out][in][3][3]. */
static void weights_store(const struct convolution_shape *s, int64_t out, const real *sums, bool add, real *dw)
{
    for (int64_t first = 0; first < out;) {
        const int64_t width = taps_units(out - first) * HALF, step = WINOGRAD_TAPS * s->in * width;
        for (int64_t kh = 0; kh < WINOGRAD_TAPS; kh++) {
            for (int64_t c = 0; c < s->in; c++, sums += width) {
                for (int64_t n = 0; n < width && first + n < s->out; n++) {
                    real u[WINOGRAD_POINTS], taps[WINOGRAD_TAPS];
                    real *to = dw + (((first + n) * s->in + c) * WINOGRAD_TAPS + kh) * WINOGRAD_TAPS;
                    for (int t = 0; t < WINOGRAD_POINTS; t++)
                        u[t] = sums[t * step + n];
                    points_to_taps(u, taps);
                    for (int k = 0; k < WINOGRAD_TAPS; k++)
                        to[k] = taps[k] + (add ? to[k] : 0);
                }
            }
        }
        sums += (WINOGRAD_POINTS - 1) * step;
        first += width;
    }
}

/* work_of: a piece's memory, laid out and zeroed; see winograd_weights_scratch. */
static struct weights_work work_of(const struct convolution_shape *s, const struct winograd_sizes *n, char *own,
                                   size_t own_bytes)
{
    struct weights_work work = {.s = s, .n = n, .together = convolution_together(s)};
    work.out = (s->out + HALF - 1) / HALF * HALF;
    work.x_map = s->size[0] * n->groups * s->in;
    work.dy_map = (s->size[0] + WINOGRAD_TAPS - 1) * n->groups * work.out;
    memset(own, 0, own_bytes);
    work.x_line = (real *)(void *)own;
    own += bytes_rounded((size_t)n->line * sizeof(real));
    work.dy_line = (real *)(void *)own;
    own += bytes_rounded((size_t)(WINOGRAD_PIXELS * n->groups * s->out) * sizeof(real));
    work.x_points = (real *)(void *)own;
    own += bytes_rounded((size_t)(WINOGRAD_POINTS * work.together * work.x_map) * sizeof(real));
    work.dy_points = (real *)(void *)own;
    return work;
}

void KERNEL(winograd_weights)(const struct convolution_shape *s, const real *x, const real *dy, bool add, real *dw,
                              void *scratch, int threads)
{
    if (winograd_tiles_suit(s)) {
        KERNEL(winograd_tiles_weights)(s, x, dy, add, dw, scratch, threads);
        return;
    }
    const struct winograd_sizes n = winograd_sizes(s);
    const int64_t chunks = convolution_chunks(s);
    const int64_t out = (s->out + HALF - 1) / HALF * HALF, elements = WINOGRAD_POINTS * WINOGRAD_TAPS * s->in * out;
    const size_t sum_bytes = bytes_rounded((size_t)elements * sizeof(real));
    const size_t own_bytes = winograd_weights_piece(s, sizeof(real));
    const int pieces = convolution_pieces(s, threads, chunks);
    char *sums = scratch, *own = sums + (size_t)chunks * sum_bytes;
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        const struct weights_work work = work_of(s, &n, own + (size_t)piece * own_bytes, own_bytes);
        for (int64_t chunk = chunks * piece / pieces; chunk < chunks * (piece + 1) / pieces; chunk++)
            chunk_sum(&work, s->batch * chunk / chunks, s->batch * (chunk + 1) / chunks, x, dy,
                      (real *)(void *)(sums + (size_t)chunk * sum_bytes));
    }
    const real *total = chunks_sum(sums, chunks, elements, sum_bytes);
    weights_store(s, out, total, add, dw);
}
