/* convolution.c: convolutions as matrix products over a padded copy of one sample at a time (level/tile.h).
 *
 * forward   rows: the pixels of an output row; sum: taps x input channels; columns: output channels.
 * data      the same over dy, with turned weights. Where the stride is s, the pixels of dx fall into s x s phases, each of
 *           which sees its own taps, so that no multiplication by an inserted zero is done.
 *
 * The weights' pass is in convolution_weights.c. Where a kernel row is contiguous in x (one group, no dilation), its taps and channels are one loop. */
#include "kernel/level/map.h"
#include "kernel/level/tile.h"
#include "kernel/level/winograd.h"

void KERNEL(convolution_pack)(const struct convolution_shape *s, const void *weight, const void *scale,
                              const void *bias, void *packed)
{
    if (winograd_suits(s)) {
        KERNEL(winograd_pack)(s, weight, scale, bias, packed);
        return;
    }
    const real *w = weight, *factor = scale, *start = bias;
    const int64_t in = s->in / s->groups, out = s->out / s->groups, taps = s->kernel[0] * s->kernel[1];
    real *to = packed;
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < out;) {
            const int64_t width = tile_units(out - first) * HALF;
            const int64_t used = out - first < width ? out - first : width;
            for (int64_t n = 0; n < width; n++)
                to[n] = start && n < used ? start[g * out + first + n] : 0;
            real *rows = to + width;
            for (int64_t n = 0; n < width; n++) {
                const real *from = w + (g * out + first + n) * in * taps;
                const real by = n < used && factor ? factor[g * out + first + n] : 1;
                for (int64_t t = 0; t < taps; t++)
                    for (int64_t c = 0; c < in; c++)
                        rows[(t * in + c) * width + n] = n < used ? from[c * taps + t] * by : 0;
            }
            to = rows + taps * in * width;
            first += width;
        }
    }
}

/* offsets of the outer loop of one group: kernel rows, or single taps where those are not contiguous. */
static int64_t forward_offsets(const struct convolution_shape *s, const struct padded_map *map, ptrdiff_t *offset)
{
    int64_t n = 0;
    for (int64_t kh = 0; kh < s->kernel[0]; kh++)
        for (int64_t kw = 0; kw < (is_flat(s) ? 1 : s->kernel[1]); kw++)
            offset[n++] = (ptrdiff_t)((kh * s->dilation[0] * map->size[1] + kw * s->dilation[1]) * s->in);
    return n;
}

static void forward_sample(const struct convolution_shape *s, const struct padded_map *map, const real *x,
                           const real *w, const ptrdiff_t *offset, int64_t n_offset, real limit, real *y)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups, taps = s->kernel[0] * s->kernel[1];
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < out;) {
            const int units = tile_units(out - first);
            const int64_t width = units * HALF;
            struct tile tile = {.a_row = (ptrdiff_t)(s->stride[1] * s->in), .a_k = 1, .offset = offset};
            tile.outer = n_offset;
            tile.inner = taps / n_offset * in;
            tile.bias = w;
            tile.b = w + width;
            tile.b_k = (ptrdiff_t)width;
            tile.c_row = (ptrdiff_t)s->out;
            tile.run = s->out_size[1];
            tile.rows = s->out_size[0] * tile.run;
            tile.a_jump = (ptrdiff_t)((s->stride[0] * map->size[1] - s->stride[1] * tile.run) * s->in);
            tile.columns = out - first < width ? out - first : width;
            tile.limit = limit;
            tile.a = x + g * in;
            tile.c = y + g * out + first;
            KERNEL(tile_run)(&tile, units);
            w += (1 + taps * in) * width;
            first += width;
        }
    }
}

void KERNEL(convolution_forward)(const struct convolution_shape *shape, const void *x, const void *packed, double limit,
                                 void *y, void *scratch, int threads)
{
    if (winograd_suits(shape)) {
        KERNEL(winograd_run)(shape, x, packed, (real)limit, false, y, scratch, threads);
        return;
    }
    const struct convolution_shape rows = as_rows(shape), *s = &rows;
    const struct padded_map map = convolution_padded_input(s);
    ptrdiff_t *offset = scratch;
    char *maps = (char *)scratch + bytes_rounded((size_t)(s->kernel[0] * s->kernel[1]) * sizeof *offset);
    const int64_t n_offset = forward_offsets(s, &map, offset);
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        real *padded = map_zeroed(&map, s->in, maps + (size_t)piece * map_bytes(&map, s->in));
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++) {
            const real *sample = map_fill(&map, s->size, s->in, (const real *)x + b * x_sample, padded);
            forward_sample(s, &map, sample, packed, offset, n_offset, (real)limit, (real *)y + b * y_sample);
        }
    }
}

/* One axis of a phase of the data pass: pixels first, first + stride, … of dx, and the taps that they see. */
struct phase {
    int64_t first, pixels; /* of dx */
    int64_t source;        /* index in dy that tap offset 0 means for the first pixel */
    int64_t taps;
};

/* tap_seen: does the phase see this tap? Then dy's index is the source's plus *shift. */
static bool tap_seen(const struct convolution_shape *s, int axis, int64_t phase, int64_t tap, int64_t *shift)
{
    int64_t distance = phase - tap * s->dilation[axis];
    *shift = distance / s->stride[axis];
    return distance % s->stride[axis] == 0;
}

static struct phase phase_of(const struct convolution_shape *s, int axis, int64_t phase)
{
    const int64_t stride = s->stride[axis], padding = s->padding[axis];
    struct phase p = {0};
    p.first = ((phase - padding) % stride + stride) % stride;
    p.pixels = p.first < s->size[axis] ? (s->size[axis] - p.first + stride - 1) / stride : 0;
    p.source = (p.first + padding) / stride;
    for (int64_t tap = 0; tap < s->kernel[axis]; tap++) {
        int64_t shift;
        p.taps += tap_seen(s, axis, phase, tap, &shift);
    }
    return p;
}

/* pack_phase: the weights of one group and phase for all panels, taps in the order of dy's memory; returns the end. */
static real *pack_phase(const struct convolution_shape *s, int64_t g, int64_t row, int64_t column, const real *w,
                        real *to)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups, taps = s->kernel[0] * s->kernel[1];
    for (int64_t first = 0; first < in;) {
        const int64_t width = tile_units(in - first) * HALF;
        const int64_t used = in - first < width ? in - first : width;
        for (int64_t kh = s->kernel[0] - 1; kh >= 0; kh--) {
            for (int64_t kw = s->kernel[1] - 1; kw >= 0; kw--) {
                int64_t shift;
                if (!tap_seen(s, 0, row, kh, &shift) || !tap_seen(s, 1, column, kw, &shift))
                    continue;
                for (int64_t o = 0; o < out; o++, to += width) {
                    const real *from = w + ((g * out + o) * in + first) * taps + kh * s->kernel[1] + kw;
                    for (int64_t n = 0; n < width; n++)
                        to[n] = n < used ? from[n * taps] : 0;
                }
            }
        }
        first += width;
    }
    return to;
}

void KERNEL(convolution_pack_back)(const struct convolution_shape *shape, const void *weight, void *packed)
{
    if (winograd_suits(shape)) {
        KERNEL(winograd_pack_back)(shape, weight, packed);
        return;
    }
    const struct convolution_shape rows = as_rows(shape), *s = &rows;
    real *to = packed;
    for (int64_t row = 0; row < s->stride[0]; row++)
        for (int64_t column = 0; column < s->stride[1]; column++)
            for (int64_t g = 0; g < s->groups; g++)
                to = pack_phase(s, g, row, column, weight, to);
}

static int64_t data_offsets(const struct convolution_shape *s, const struct padded_map *map, int64_t row,
                            int64_t column, ptrdiff_t *offset)
{
    int64_t n = 0;
    for (int64_t kh = s->kernel[0] - 1; kh >= 0; kh--) {
        int64_t down, right;
        if (!tap_seen(s, 0, row, kh, &down))
            continue;
        for (int64_t kw = s->kernel[1] - 1; kw >= 0; kw--) {
            if (!tap_seen(s, 1, column, kw, &right))
                continue;
            offset[n++] = (ptrdiff_t)((down * map->size[1] + right) * s->out);
            if (is_flat(s))
                break;
        }
    }
    return n;
}

/* data_phase: one phase of one sample, all groups; returns the end of its packed weights. */
static const real *data_phase(const struct convolution_shape *s, const struct padded_map *map, int64_t row,
                              int64_t column, const real *dy, const real *w, const ptrdiff_t *offset, int64_t n_offset,
                              bool add, real *dx)
{
    const int64_t in = s->in / s->groups, out = s->out / s->groups;
    const struct phase down = phase_of(s, 0, row), right = phase_of(s, 1, column);
    const int64_t sums = down.taps * right.taps * out;
    for (int64_t g = 0; g < s->groups; g++) {
        for (int64_t first = 0; first < in;) {
            const int units = tile_units(in - first);
            const int64_t width = units * HALF;
            struct tile tile = {.a_row = (ptrdiff_t)s->out, .a_k = 1, .offset = offset, .limit = -1, .add = add};
            tile.outer = n_offset;
            tile.inner = n_offset > 0 ? sums / n_offset : 0;
            tile.b = w;
            tile.b_k = (ptrdiff_t)width;
            tile.c_row = (ptrdiff_t)(s->stride[1] * s->in);
            tile.run = right.pixels;
            tile.rows = down.pixels * right.pixels;
            tile.a_jump = (ptrdiff_t)((map->size[1] - right.pixels) * s->out);
            tile.c_jump = (ptrdiff_t)((s->stride[0] * s->size[1] - s->stride[1] * right.pixels) * s->in);
            tile.columns = in - first < width ? in - first : width;
            tile.a =
                dy + ((map->before[0] + down.source) * map->size[1] + map->before[1] + right.source) * s->out + g * out;
            tile.c = dx + (down.first * s->size[1] + right.first) * s->in + g * in + first;
            KERNEL(tile_run)(&tile, units);
            w += sums * width;
            first += width;
        }
    }
    return w;
}

void KERNEL(convolution_data)(const struct convolution_shape *shape, const void *dy, const void *packed, bool add,
                              void *dx, void *scratch, int threads)
{
    if (winograd_suits(shape)) {
        const struct convolution_shape back = winograd_back(shape);
        KERNEL(winograd_run)(&back, dy, packed, -1, add, dx, scratch, threads);
        return;
    }
    const struct convolution_shape rows = as_rows(shape), *s = &rows;
    const struct padded_map map = convolution_padded_gradient(s);
    ptrdiff_t *offsets = scratch;
    char *maps = (char *)scratch + bytes_rounded((size_t)(s->kernel[0] * s->kernel[1]) * sizeof *offsets);
    const int64_t x_sample = s->size[0] * s->size[1] * s->in, y_sample = s->out_size[0] * s->out_size[1] * s->out;
    const int64_t phases = s->stride[0] * s->stride[1];
    int64_t n = 0; /* the phases share the taps among themselves */
    for (int64_t p = 0; p < phases; p++)
        n += data_offsets(s, &map, p / s->stride[1], p % s->stride[1], offsets + n);
    const int pieces = convolution_pieces(s, threads, s->batch);
#pragma omp parallel for num_threads(pieces) if (pieces > 1) schedule(static, 1)
    for (int piece = 0; piece < pieces; piece++) {
        real *padded = map_zeroed(&map, s->out, maps + (size_t)piece * map_bytes(&map, s->out));
        for (int64_t b = s->batch * piece / pieces; b < s->batch * (piece + 1) / pieces; b++) {
            const real *sample = map_fill(&map, s->out_size, s->out, (const real *)dy + b * y_sample, padded);
            const real *w = packed;
            const ptrdiff_t *offset = offsets;
            for (int64_t p = 0; p < phases; p++) {
                const int64_t row = p / s->stride[1], column = p % s->stride[1];
                const int64_t seen = phase_of(s, 0, row).taps * phase_of(s, 1, column).taps;
                const int64_t n_offset = is_flat(s) && seen > 0 ? phase_of(s, 0, row).taps : seen;
                w = data_phase(s, &map, row, column, sample, w, offset, n_offset, add, (real *)dx + b * x_sample);
                offset += n_offset;
            }
        }
    }
}
