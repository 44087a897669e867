/* convolution_weights.c: d loss / d weight of a convolution, and of its bias.
 *
 *     dw[o][c][kh][kw] = sum over samples and pixels of dy[h][w][o] * x[h * stride + kh * dilation][…][c]
 *
 * As a matrix product (level/tile.h): rows are taps of a kernel row x input channels, the sum runs over pixels, columns are
 * output channels. Each chunk of the batch has its own sums, added up at the end in the order of the chunks. */
#include "kernel/level/map.h"
#include "kernel/level/tile.h"

/* A thread's memory. */
struct weights_work {
    const ptrdiff_t *offset; /* of the rows of output pixels in x */
    real *padded_x, *padded_dy;
};

static int64_t padded_out(const struct convolution_shape *s)
{
    const int64_t out = s->out / s->groups;
    return (out + HALF - 1) / HALF * HALF;
}

/* dy_fill: each group's channels padded to whole half vectors; dy itself when they are already. */
static const real *dy_fill(const struct convolution_shape *s, const real *dy, real *padded)
{
    const int64_t out = s->out / s->groups, width = padded_out(s), pixels = s->out_size[0] * s->out_size[1];
    if (out == width)
        return dy;
    for (int64_t i = 0; i < pixels * s->groups; i++) {
        for (int64_t n = 0; n < out; n++)
            padded[i * width + n] = dy[i * out + n];
        for (int64_t n = out; n < width; n++)
            padded[i * width + n] = 0;
    }
    return padded;
}

/* sums: [groups][kh][kw][in / groups][padded_out] (+)= the sample's. */
static void weights_sample(const struct convolution_shape *s, const struct padded_map *map, const struct weights_work *work,
                           const real *x, const real *dy, bool add, real *sums)
{
    const int64_t in = s->in / s->groups, out = padded_out(s);
    const int64_t rows = is_flat(s) ? s->kernel[1] * in : in;
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t kh = 0; kh < s->kernel[0]; kh++) {
            for (int64_t kw = 0; kw < (is_flat(s) ? 1 : s->kernel[1]); kw++, sums += rows * out) {
                struct tile tile = {.a_row = 1, .offset = work->offset, .limit = -1, .add = add};
                tile.a = x + (kh * s->dilation[0] * map->size[1] + kw * s->dilation[1]) * s->in + g * in;
                tile.a_k = (ptrdiff_t)(s->stride[1] * s->in);
                tile.outer = s->out_size[0];
                tile.inner = s->out_size[1];
                tile.b_k = (ptrdiff_t)(s->groups * out);
                tile.c_row = (ptrdiff_t)out;
                tile.rows = rows;
                for (int64_t first = 0; first < out;) {
                    const int units = tile_units(out - first);
                    tile.b = dy + g * out + first;
                    tile.c = sums + first;
                    tile.columns = units * HALF;
                    KERNEL(tile_run)(&tile, units);
                    first += units * HALF;
                }
            }
        }
    }
}

/* From the order of the sums to dw [O,C/g,kh,kw]. */
static void weights_store(const struct convolution_shape *s, const real *sums, bool add, real *dw)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups, width = padded_out(s);
    const int64_t taps = s->kernel[0] * s->kernel[1];
    for (int64_t o = 0; o < s->out; o++) {
        const real *from = sums + o / out * taps * in * width + o % out;
        real *to = dw + o * in * taps;
        for (int64_t c = 0; c < in; c++)
            for (int64_t t = 0; t < taps; t++)
                to[c * taps + t] = from[(t * in + c) * width] + (add ? to[c * taps + t] : 0);
    }
}

void KERNEL(convolution_weights)(const struct convolution_shape *shape, const void *x, const void *dy, bool add, void *dw,
                                 void *scratch, int threads)
{
    const struct convolution_shape as_row = as_rows(shape), *s = &as_row;
    const struct padded_map map = convolution_padded_input(s);
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const int64_t elements = s->kernel[0] * s->kernel[1] * s->in * padded_out(s);
    const int64_t chunks = convolution_chunks(shape);
    const size_t x_bytes = map_bytes(&map, s->in), sum_bytes = bytes_rounded((size_t)elements * sizeof(real));
    const size_t dy_bytes = bytes_rounded((size_t)(y_sample / s->out * s->groups * padded_out(s)) * sizeof(real));
    const int pieces = convolution_pieces(s, threads, chunks);
    ptrdiff_t *offset = scratch;
    char *sums = (char *)scratch + bytes_rounded((size_t)s->out_size[0] * sizeof *offset);
    char *maps = sums + (size_t)chunks * sum_bytes;
    for (int64_t h = 0; h < s->out_size[0]; h++)
        offset[h] = (ptrdiff_t)(h * s->stride[0] * map.size[1] * s->in);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        char *own = maps + (size_t)piece * (x_bytes + dy_bytes);
        const struct weights_work work = {offset, map_zeroed(&map, s->in, own), (real *)(void *)(own + x_bytes)};
        for (int64_t chunk = chunks * piece / pieces; chunk < chunks * (piece + 1) / pieces; chunk++) {
            real *sum = (real *)(void *)(sums + (size_t)chunk * sum_bytes);
            const int64_t first = s->batch * chunk / chunks;
            for (int64_t b = first; b < s->batch * (chunk + 1) / chunks; b++) {
                const real *sample = map_fill(&map, s->size, s->in, (const real *)x + b * x_sample, work.padded_x);
                const real *gradient = dy_fill(s, (const real *)dy + b * y_sample, work.padded_dy);
                weights_sample(s, &map, &work, sample, gradient, b > first, sum);
            }
        }
    }
    real *total = (real *)(void *)sums;
    for (int64_t chunk = 1; chunk < chunks; chunk++) {
        const real *more = (const real *)(const void *)(sums + (size_t)chunk * sum_bytes);
#pragma omp simd
        for (int64_t i = 0; i < elements; i++)
            total[i] += more[i];
    }
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
