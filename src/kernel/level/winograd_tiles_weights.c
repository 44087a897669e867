/* winograd_tiles_weights.c: the weights' gradient of kernel/winograd_tiles.h: 36 products of x_st and dy_st, summed over the
 * tiles of a chunk of the batch. Each chunk's sums go back to taps, which are added in the order of the chunks. */
#include "kernel/level/winograd_tiles.h"

#include "kernel/level/map.h"

/* A thread's memory: strips of x and dy, points [36][block][in] and [36][block][wide], sums [36][in][wide]. */
struct weights_work {
    const struct convolution_shape *s;
    struct tiles_sizes n;
    ptrdiff_t sums_apart;
    real *x_strip, *dy_strip, *x_points, *dy_points, *sums;
};

/* dy_tile_points: as x_tile_points. */
static void dy_tile_points(const struct weights_work *w, const real *dy, int64_t at, real *to)
{
    const struct convolution_shape *s = w->s;
    const int64_t across = at % w->n.across, top = WINOGRAD_PIXELS * (at / w->n.across);
    const real *from = w->dy_strip + WINOGRAD_PIXELS * across * s->out;
    const ptrdiff_t right = (ptrdiff_t)s->out, below = (ptrdiff_t)(w->n.width * s->out);
    if (across == 0)
        strip_fill(dy, s->out_size, s->out, top, 0, WINOGRAD_PIXELS, w->n.width, w->dy_strip);
#define POINTS(type, c)                                                                                                \
    tile_to_points(WINOGRAD_PIXELS, dy_line_##type, from + (c), right, below, to + (c), w->n.m_apart)
    PER_VECTOR(s->out, POINTS)
#undef POINTS
}

/* sums_add: sums (+)= those of a block of tiles. */
static void sums_add(const struct weights_work *w, int64_t tiles, bool add)
{
    static const ptrdiff_t origin[1] = {0};
    const struct convolution_shape *s = w->s;
    struct tile tile = {.a_row = 1, .a_k = (ptrdiff_t)s->in, .offset = origin, .outer = 1, .inner = tiles, .limit = -1};
    tile.rows = tile.run = s->in;
    tile.c_row = tile.b_k = (ptrdiff_t)w->n.wide;
    tile.add = add;
    for (int t = 0; t < TILE_POINTS; t++) {
        for (int64_t first = 0; first < s->out; first += tile.columns) {
            const int units = tile_units(s->out - first);
            tile.columns = units * HALF;
            tile.a = w->x_points + t * w->n.x_apart;
            tile.b = w->dy_points + t * w->n.m_apart + first;
            tile.c = w->sums + t * w->sums_apart + first;
            KERNEL(tile_run)(&tile, units);
        }
    }
}

/* taps_make: [36][in][wide] to [9][in][wide]. */
static void taps_make(const struct weights_work *w, real *to)
{
    const int64_t values = w->s->in * w->n.wide; /* with columns that are no channel: never read after */
#pragma omp simd
    for (int64_t v = 0; v < values; v++) {
        real half[WINOGRAD_TAPS][WINOGRAD_POINTS];
        for (int j = 0; j < WINOGRAD_POINTS; j++) {
            real u[WINOGRAD_POINTS], taps[WINOGRAD_TAPS];
            for (int i = 0; i < WINOGRAD_POINTS; i++)
                u[i] = w->sums[(WINOGRAD_POINTS * i + j) * w->sums_apart + v];
            points_to_taps(u, taps);
            for (int i = 0; i < WINOGRAD_TAPS; i++)
                half[i][j] = taps[i];
        }
        for (int i = 0; i < WINOGRAD_TAPS; i++) {
            real taps[WINOGRAD_TAPS];
            points_to_taps(half[i], taps);
            for (int j = 0; j < WINOGRAD_TAPS; j++)
                to[(WINOGRAD_TAPS * i + j) * values + v] = taps[j];
        }
    }
}

static void chunk_sum(const struct weights_work *w, int64_t samples, const real *x, const real *dy, real *taps)
{
    const struct convolution_shape *s = w->s;
    const int64_t each = w->n.down * w->n.across, all = samples * each;
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    for (int64_t first = 0; first < all; first += w->n.block) {
        const int64_t tiles = all - first < w->n.block ? all - first : w->n.block;
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t sample = (first + i) / each, at = (first + i) % each;
            x_tile_points(s, &w->n, x + sample * x_sample, at, w->x_strip, w->x_points + i * s->in);
            dy_tile_points(w, dy + sample * y_sample, at, w->dy_points + i * w->n.wide);
        }
        sums_add(w, tiles, first > 0);
    }
    taps_make(w, taps);
}

/* work_of: a piece's memory, laid out, with zeros where they are read; see winograd_tiles_weights_piece. */
static struct weights_work work_of(const struct convolution_shape *s, char *own)
{
    struct weights_work w = {.s = s, .n = winograd_tiles_gradient(s)};
    const size_t x_size = bytes_rounded((size_t)(WINOGRAD_POINTS * w.n.width * s->in) * sizeof(real));
    const size_t dy_size = bytes_rounded((size_t)(WINOGRAD_PIXELS * w.n.width * s->out) * sizeof(real));
    const size_t points_size = bytes_rounded((size_t)(TILE_POINTS * w.n.m_apart) * sizeof(real));
    w.sums_apart = winograd_apart(s->in * w.n.wide);
    memset(own, 0, x_size + dy_size + points_size);
    w.x_strip = (real *)(void *)own;
    w.dy_strip = (real *)(void *)(own += x_size);
    w.dy_points = (real *)(void *)(own += dy_size);
    w.x_points = (real *)(void *)(own += points_size);
    w.sums = (real *)(void *)(own + bytes_rounded((size_t)(TILE_POINTS * w.n.x_apart) * sizeof(real)));
    return w;
}

/* taps_store: from [9][in][wide] to dw [out][in][3][3]. */
static void taps_store(const struct convolution_shape *s, int64_t wide, const real *taps, bool add, real *dw)
{
    for (int64_t o = 0; o < s->out; o++) {
        for (int64_t c = 0; c < s->in; c++, dw += TILE_TAPS) {
            for (int64_t t = 0; t < TILE_TAPS; t++)
                dw[t] = taps[(t * s->in + c) * wide + o] + (add ? dw[t] : 0);
        }
    }
}

void KERNEL(winograd_tiles_weights)(const struct convolution_shape *s, const real *x, const real *dy, bool add,
                                    real *dw, void *scratch, int threads)
{
    const struct tiles_sizes n = winograd_tiles_gradient(s);
    const int64_t chunks = winograd_tiles_chunks(s), values = TILE_TAPS * s->in * n.wide;
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const size_t taps_bytes = bytes_rounded((size_t)values * sizeof(real));
    const size_t own_bytes = winograd_tiles_weights_piece(s, sizeof(real));
    const int pieces = convolution_pieces(s, threads, chunks);
    char *taps = scratch, *own = taps + (size_t)chunks * taps_bytes;
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        const struct weights_work w = work_of(s, own + (size_t)piece * own_bytes);
        for (int64_t chunk = chunks * piece / pieces; chunk < chunks * (piece + 1) / pieces; chunk++) {
            const int64_t begin = s->batch * chunk / chunks, end = s->batch * (chunk + 1) / chunks;
            chunk_sum(&w, end - begin, x + begin * x_sample, dy + begin * y_sample,
                      (real *)(void *)(taps + (size_t)chunk * taps_bytes));
        }
    }
    const real *total = chunks_sum(taps, chunks, values, taps_bytes);
    taps_store(s, n.wide, total, add, dw);
}
