/* winograd_tiles.c: forward and data passes of kernel/winograd_tiles.h, a block of tiles at a time. */
#include "kernel/level/winograd_tiles.h"

#include "kernel/level/map.h"

/* panels_pack: u of all panels, 36 times [in][width] each; the taps of (c, o): weight + c * c_step + o * o_step. */
static void panels_pack(const struct convolution_shape *s, const real *weight, int64_t c_step, int64_t o_step,
                        bool turned, const real *scale, real *to)
{
    for (int64_t first = 0; first < s->out;) {
        const int64_t width = tile_units(s->out - first) * HALF, step = winograd_apart(s->in * width);
        const int64_t used = s->out - first < width ? s->out - first : width;
        for (int64_t c = 0; c < s->in; c++) {
            for (int64_t n = 0; n < width; n++) {
                real half[WINOGRAD_TAPS][WINOGRAD_POINTS] = {{0}};
                const real by = n >= used ? 0 : scale ? scale[first + n] : 1;
                const real *k = weight + (first + (n < used ? n : 0)) * o_step + c * c_step;
                for (int i = 0; i < WINOGRAD_TAPS; i++) {
                    const real *row = k + WINOGRAD_TAPS * (turned ? 2 - i : i);
                    taps_to_points(row[turned ? 2 : 0], row[1], row[turned ? 0 : 2], half[i]);
                }
                for (int j = 0; j < WINOGRAD_POINTS; j++) {
                    real u[WINOGRAD_POINTS];
                    taps_to_points(half[0][j], half[1][j], half[2][j], u);
                    for (int i = 0; i < WINOGRAD_POINTS; i++)
                        to[(WINOGRAD_POINTS * i + j) * step + c * width + n] = u[i] * by;
                }
            }
        }
        to += TILE_POINTS * step;
        first += width;
    }
}

void KERNEL(winograd_tiles_pack)(const struct convolution_shape *s, const real *weight, const real *scale,
                                 const real *bias, real *packed)
{
    const int64_t before = winograd_tiles_bias(s);
    for (int64_t o = 0; o < before; o++)
        packed[o] = bias && o < s->out ? bias[o] : 0;
    panels_pack(s, weight, TILE_TAPS, TILE_TAPS * s->in, false, scale, packed + before);
}

void KERNEL(winograd_tiles_pack_back)(const struct convolution_shape *back, const real *weight, real *packed)
{
    const int64_t before = winograd_tiles_bias(back);
    memset(packed, 0, (size_t)before * sizeof *packed);
    panels_pack(back, weight, TILE_TAPS * back->out, TILE_TAPS, true, NULL, packed + before);
}

/* A thread's memory: a strip of x, points [36][block][in], sums m [36][block][wide], a tile of y. */
struct tiles_work {
    const struct convolution_shape *s;
    struct tiles_sizes n;
    real *strip, *points, *m, *tile;
};

/* block_products: m of a block of tiles. */
static void block_products(const struct tiles_work *w, const real *u, int64_t tiles)
{
    static const ptrdiff_t origin[1] = {0};
    const struct convolution_shape *s = w->s;
    struct tile tile = {.a_row = (ptrdiff_t)s->in, .a_k = 1, .offset = origin, .outer = 1, .inner = s->in, .limit = -1};
    tile.c_row = (ptrdiff_t)w->n.wide;
    tile.rows = tile.run = tiles;
    for (int64_t first = 0; first < s->out; first += tile.columns) {
        const int units = tile_units(s->out - first);
        tile.columns = units * HALF;
        tile.b_k = (ptrdiff_t)tile.columns;
        for (int t = 0; t < TILE_POINTS; t++, u += winograd_apart(s->in * tile.columns)) {
            tile.a = w->points + t * w->n.x_apart;
            tile.b = u;
            tile.c = w->m + t * w->n.m_apart + first;
            KERNEL(tile_run)(&tile, units);
        }
    }
}

/* tile_pixels: rows x columns pixels of one tile, whose rows lie `below` apart in y. */
VECTOR_INLINE void tile_pixels(const struct tiles_work *w, const real *m, const real *bias, real limit, real *y,
                               ptrdiff_t below, int64_t rows, int64_t columns)
{
    const ptrdiff_t right = (ptrdiff_t)w->s->out, apart = w->n.m_apart;
#define PIXELS(type, c) y_tile_##type(m + (c), apart, bias + (c), limit, y + (c), right, below, rows, columns)
    PER_VECTOR(w->s->out, PIXELS)
#undef PIXELS
}

/* tile_added: y += the tile, which w->tile holds meanwhile, as vectors that lie over each other may not add twice. */
static void tile_added(const struct tiles_work *w, const real *m, const real *bias, real *y, ptrdiff_t below,
                       int64_t rows, int64_t columns)
{
    const int64_t width = columns * w->s->out;
    tile_pixels(w, m, bias, -1, w->tile, (ptrdiff_t)width, rows, columns);
    for (int64_t i = 0; i < rows; i++) {
        const real *from = w->tile + i * width;
        real *to = y + i * below;
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            to[j] += from[j];
    }
}

/* tile_put: tile `at` of a sample y. */
static void tile_put(const struct tiles_work *w, const real *m, const real *bias, real limit, bool add, int64_t at,
                     real *y)
{
    const struct convolution_shape *s = w->s;
    const int64_t top = WINOGRAD_PIXELS * (at / w->n.across), left = WINOGRAD_PIXELS * (at % w->n.across);
    const int64_t rows = s->out_size[0] - top < WINOGRAD_PIXELS ? s->out_size[0] - top : WINOGRAD_PIXELS;
    const int64_t columns = s->out_size[1] - left < WINOGRAD_PIXELS ? s->out_size[1] - left : WINOGRAD_PIXELS;
    const ptrdiff_t below = (ptrdiff_t)(s->out_size[1] * s->out);
    real *to = y + (top * s->out_size[1] + left) * s->out;
    if (add)
        tile_added(w, m, bias, to, below, rows, columns);
    else if (limit >= 0)
        tile_pixels(w, m, bias, limit, to, below, rows, columns);
    else if (rows == WINOGRAD_PIXELS && columns == WINOGRAD_PIXELS)
        tile_pixels(w, m, bias, -1, to, below, WINOGRAD_PIXELS, WINOGRAD_PIXELS);
    else
        tile_pixels(w, m, bias, -1, to, below, rows, columns);
}

static void samples_run(const struct tiles_work *w, int64_t samples, const real *x, const real *packed, real limit,
                        bool add, real *y)
{
    const struct convolution_shape *s = w->s;
    const int64_t each = w->n.down * w->n.across, all = samples * each;
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    for (int64_t first = 0; first < all; first += w->n.block) {
        const int64_t tiles = all - first < w->n.block ? all - first : w->n.block;
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t sample = (first + i) / each, at = (first + i) % each;
            x_tile_points(s, &w->n, x + sample * x_sample, at, w->strip, w->points + i * s->in);
        }
        block_products(w, packed + winograd_tiles_bias(s), tiles);
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t sample = (first + i) / each, at = (first + i) % each;
            tile_put(w, w->m + i * w->n.wide, packed, limit, add, at, y + sample * y_sample);
        }
    }
}

/* work_of: a piece's memory, laid out; see winograd_tiles_forward_piece. */
static struct tiles_work work_of(const struct convolution_shape *s, char *own)
{
    struct tiles_work w = {.s = s, .n = winograd_tiles_forward(s)};
    const size_t strip_size = bytes_rounded((size_t)(WINOGRAD_POINTS * w.n.width * s->in) * sizeof(real));
    memset(own, 0, strip_size);
    w.strip = (real *)(void *)own;
    w.points = (real *)(void *)(own += strip_size);
    w.m = (real *)(void *)(own += bytes_rounded((size_t)(TILE_POINTS * w.n.x_apart) * sizeof(real)));
    w.tile = (real *)(void *)(own + bytes_rounded((size_t)(TILE_POINTS * w.n.m_apart) * sizeof(real)));
    return w;
}

void KERNEL(winograd_tiles_run)(const struct convolution_shape *s, const real *x, const real *packed, real limit,
                                bool add, real *y, void *scratch, int threads)
{
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const size_t piece_bytes = winograd_tiles_forward_piece(s, sizeof(real));
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        const struct tiles_work w = work_of(s, (char *)scratch + (size_t)piece * piece_bytes);
        const int64_t begin = s->batch * piece / pieces, end = s->batch * (piece + 1) / pieces;
        samples_run(&w, end - begin, x + begin * x_sample, packed, limit, add, y + begin * y_sample);
    }
}
