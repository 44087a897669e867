/* convolution_weights.c: d loss / d weight of a convolution, and of its bias.
 *
 *     dw[o][c][kh][kw] = sum over samples and pixels of dy[h][w][o] * x[h * stride + kh * dilation][…][c]
 *
 * As a matrix product (level/tile.h): rows are taps of a kernel row x input channels, the sum runs over pixels, columns are
 * output channels. Each chunk of the batch has its own sums, added up at the end in the order of the chunks. */
#include "kernel/level/map.h"
#include "kernel/level/tile.h"
#include "kernel/level/winograd.h"

static int64_t padded_out(const struct convolution_shape *s)
{
    const int64_t out = s->out / s->groups;
    return (out + HALF - 1) / HALF * HALF;
}

/* dy_masked: a panel of one vector that is wider than its channels, whose lanes can be masked instead of copied. */
static bool dy_masked(const struct convolution_shape *s)
{
    const int64_t out = s->out / s->groups;
    return LANES_MASKED && out > HALF && out < LANES;
}

/* Does a panel of dy pay for a copy in which it lies together? It must be copied where it is wider than its channels and lanes cannot
 * be masked. */
static bool dy_copied(const struct convolution_shape *s)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups;
    if (out % HALF != 0 && !dy_masked(s))
        return true;
    return tile_units(out) * HALF < out && s->kernel[0] * s->kernel[1] * in >= 64;
}

/* panel_row: `used` values, and zeros up to `width`. */
static inline void panel_row(const real *from, int64_t used, int64_t width, real *to)
{
    int64_t n = 0;
#if LANES_MASKED
    for (; n + LANES <= width; n += LANES)
        vector_store(to + n, vector_load_first(from + n, first_lanes(used, n)));
#endif
    for (; n + HALF <= used; n += HALF)
        memcpy(to + n, from + n, HALF * sizeof *to);
    for (; n < width; n++)
        to[n] = n < used ? from[n] : 0;
}

/* dy_fill: dy [pixels][out] as panels one after the other, each [pixels][its width]; or dy itself. */
static const real *dy_fill(const struct convolution_shape *s, const real *dy, int64_t pixels, real *panels)
{
    const int64_t out = s->out / s->groups;
    if (!dy_copied(s))
        return dy;
    real *to = panels;
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < out;) {
            const int64_t width = tile_units(out - first) * HALF;
            const int64_t used = out - first < width ? out - first : width;
            for (int64_t i = 0; i < pixels; i++, to += width)
                panel_row(dy + i * s->out + g * out + first, used, width, to);
            first += width;
        }
    }
    return panels;
}

/* weights_sum: sums [groups][panels][kh][kw][in / groups][panel's width] (+)= those of some samples, whose rows of output pixels
 * start at offset [rows] in x. */
static void weights_sum(const struct convolution_shape *s, const struct padded_map *map, const ptrdiff_t *offset,
                        int64_t rows, const real *x, const real *dy, bool add, real *sums)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups;
    const bool copied = dy_copied(s);
    /* Kernel rows follow each other as runs; where a row's taps are not contiguous, each tap is by itself. */
    const int64_t parts = is_flat(s) ? 1 : s->kernel[0] * s->kernel[1];
    struct tile tile = {.a_row = 1, .offset = offset, .limit = -1, .add = add};
    tile.a_k = (ptrdiff_t)(s->stride[1] * s->in);
    tile.outer = rows;
    tile.inner = s->out_size[1];
    tile.run = is_flat(s) ? s->kernel[1] * in : in;
    tile.rows = is_flat(s) ? s->kernel[0] * tile.run : in;
    tile.a_jump = is_flat(s) ? (ptrdiff_t)(s->dilation[0] * map->size[1] * s->in - tile.run) : 0;
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < out;) {
            const int units = tile_units(out - first);
            const int64_t width = units * HALF;
            tile.b = dy + (copied ? rows * s->out_size[1] * (g * padded_out(s) + first) : g * out + first);
            tile.b_k = (ptrdiff_t)(copied ? width : s->out);
            tile.b_columns = !copied && dy_masked(s) ? out : 0;
            tile.c_row = (ptrdiff_t)width;
            tile.columns = width;
            for (int64_t part = 0; part < parts; part++, sums += tile.rows * width) {
                const int64_t kh = part / s->kernel[1], kw = part % s->kernel[1];
                tile.a = x + (kh * s->dilation[0] * map->size[1] + kw * s->dilation[1]) * s->in + g * in;
                tile.c = sums;
                KERNEL(tile_run)(&tile, units);
            }
            first += width;
        }
    }
}

/* From the order of the sums to dw [O,C/g,kh,kw]. */
static void weights_store(const struct convolution_shape *s, const real *sums, bool add, real *dw)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups, taps = s->kernel[0] * s->kernel[1];
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < out;) {
            const int64_t width = tile_units(out - first) * HALF;
            const int64_t used = out - first < width ? out - first : width;
            for (int64_t n = 0; n < used; n++) {
                real *to = dw + (g * out + first + n) * in * taps;
                for (int64_t c = 0; c < in; c++)
                    for (int64_t t = 0; t < taps; t++)
                        to[c * taps + t] = sums[(t * in + c) * width + n] + (add ? to[c * taps + t] : 0);
            }
            sums += taps * in * width;
            first += width;
        }
    }
}

/* What one chunk of the batch is summed with. */
struct weights_work {
    const struct convolution_shape *s;
    const struct padded_map *map;
    const ptrdiff_t *offset; /* [together * out_size[0]] */
    int64_t together;        /* samples in one sum */
    char *padded_x;          /* `together` padded maps, already with their zeros */
    real *padded_dy;
};

static void weights_chunk(const struct weights_work *work, int64_t first, int64_t end, const real *x, const real *dy,
                          real *sums)
{
    const struct convolution_shape *s = work->s;
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, pixels = s->out_size[0] * s->out_size[1];
    const size_t x_bytes = map_bytes(work->map, s->in);
    for (int64_t b = first; b < end; b += work->together) {
        const int64_t count = end - b < work->together ? end - b : work->together;
        const real *maps = NULL; /* of plain maps: x itself, where they lie as far apart */
        for (int64_t i = 0; i < count; i++) {
            real *padded = (real *)(void *)(work->padded_x + (size_t)i * x_bytes);
            const real *map = map_fill(work->map, s->size, s->in, x + (b + i) * x_sample, padded);
            maps = i == 0 ? map : maps;
        }
        const real *gradient = dy_fill(s, dy + b * pixels * s->out, count * pixels, work->padded_dy);
        weights_sum(s, work->map, work->offset, count * s->out_size[0], maps, gradient, b > first, sums);
    }
}

void KERNEL(convolution_weights)(const struct convolution_shape *shape, const void *x, const void *dy, bool add,
                                 void *dw, void *scratch, int threads)
{
    if (winograd_suits(shape)) {
        KERNEL(winograd_weights)(shape, x, dy, add, dw, scratch, threads);
        return;
    }
    const struct convolution_shape as_row = as_rows(shape), *s = &as_row;
    const struct padded_map map = convolution_padded_input(s);
    const int64_t pixels = s->out_size[0] * s->out_size[1], chunks = convolution_chunks(shape);
    const int64_t elements = s->kernel[0] * s->kernel[1] * s->in * padded_out(s),
                  together = convolution_together(shape);
    const size_t x_bytes = map_bytes(&map, s->in), sum_bytes = bytes_rounded((size_t)elements * sizeof(real));
    const size_t dy_bytes = bytes_rounded((size_t)(together * pixels * s->groups * padded_out(s)) * sizeof(real));
    const size_t own_bytes = (size_t)together * x_bytes + dy_bytes;
    const int64_t x_step = map.plain ? s->size[0] * s->size[1] * s->in : (int64_t)(x_bytes / sizeof(real));
    const int pieces = convolution_pieces(s, threads, chunks);
    ptrdiff_t *offset = scratch;
    char *sums = (char *)scratch + bytes_rounded((size_t)(together * s->out_size[0]) * sizeof *offset);
    char *own = sums + (size_t)chunks * sum_bytes;
    for (int64_t i = 0; i < together * s->out_size[0]; i++)
        offset[i] = (ptrdiff_t)(i / s->out_size[0] * x_step + i % s->out_size[0] * s->stride[0] * map.size[1] * s->in);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        char *padded = own + (size_t)piece * own_bytes;
        for (int64_t i = 0; i < together; i++)
            map_zeroed(&map, s->in, padded + (size_t)i * x_bytes);
        struct weights_work work = {s,        &map,   offset,
                                    together, padded, (real *)(void *)(padded + (size_t)together * x_bytes)};
        for (int64_t chunk = chunks * piece / pieces; chunk < chunks * (piece + 1) / pieces; chunk++)
            weights_chunk(&work, s->batch * chunk / chunks, s->batch * (chunk + 1) / chunks, x, dy,
                          (real *)(void *)(sums + (size_t)chunk * sum_bytes));
    }
    const real *total = chunks_sum(sums, chunks, elements, sum_bytes);
    weights_store(s, total, add, dw);
}

void KERNEL(column_sum)(int64_t rows, int64_t columns, const void *x, bool add, void *out, void *scratch, int threads)
{
    const size_t sum_bytes = bytes_rounded((size_t)columns * sizeof(real));
    const int64_t chunks = rows < COLUMN_SUM_CHUNKS ? 1 : COLUMN_SUM_CHUNKS;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * columns > 200000) schedule(static)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        real *sum = (real *)(void *)((char *)scratch + (size_t)chunk * sum_bytes);
        memset(sum, 0, (size_t)columns * sizeof *sum);
        const int64_t end = rows * (chunk + 1) / chunks;
        int64_t r = rows * chunk / chunks;
        for (; r + 4 <= end; r += 4) { /* four rows a pass over the sums */
            const real *row = (const real *)x + r * columns;
#pragma omp simd
            for (int64_t c = 0; c < columns; c++)
                sum[c] += (row[c] + row[columns + c]) + (row[2 * columns + c] + row[3 * columns + c]);
        }
        for (; r < end; r++)
            for (int64_t c = 0; c < columns; c++)
                sum[c] += ((const real *)x)[r * columns + c];
    }
    real *to = out;
    for (int64_t c = 0; c < columns; c++) {
        real total = add ? to[c] : 0;
        for (int64_t chunk = 0; chunk < chunks; chunk++)
            total += ((const real *)(const void *)((const char *)scratch + (size_t)chunk * sum_bytes))[c];
        to[c] = total;
    }
}
