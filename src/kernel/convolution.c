/* convolution.c: sizes for convolutions and matrix products; the loops are in level/. */
#include "kernel/convolution.h"

#include "kernel/winograd.h"

enum { CHUNKS_MOST = 16, VALUES_TOGETHER = 8192 };
/* Partial weight gradients may take this much, but two are always there. */
static const int64_t chunk_bytes_most = (int64_t)4 << 20;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t convolution_out_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation)
{
    return floor_div(size + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1;
}

double convolution_macs(const struct convolution_shape *s)
{
    return (double)s->batch * (double)(s->out_size[0] * s->out_size[1]) * (double)(s->kernel[0] * s->kernel[1]) *
           (double)s->out * (double)s->in / (double)s->groups;
}

bool convolution_depthwise(const struct convolution_shape *s)
{
    return s->groups > 1 && s->groups == s->in && s->groups == s->out;
}

bool convolution_point(const struct convolution_shape *s)
{
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != 1 || s->stride[i] != 1 || s->padding[i] != 0)
            return false;
    return true;
}

/* The weights of all groups, with each group's outputs padded. */
static int64_t partial_elements(const struct convolution_shape *s)
{
    return s->kernel[0] * s->kernel[1] * s->in * channels_rounded(s->out / s->groups);
}

int64_t convolution_chunks(const struct convolution_shape *s)
{
    int64_t chunks = chunk_bytes_most / (partial_elements(s) * 4);
    chunks = chunks < 2 ? 2 : chunks > CHUNKS_MOST ? CHUNKS_MOST : chunks;
    return most(chunks < s->batch ? chunks : s->batch, 1);
}

int64_t convolution_together(const struct convolution_shape *s)
{
    const int64_t chunks = convolution_chunks(s), in_chunk = (s->batch + chunks - 1) / chunks;
    const int64_t together = most(VALUES_TOGETHER / (s->size[0] * s->size[1] * s->in), 1);
    return together < in_chunk ? together : in_chunk;
}

struct padded_map convolution_padded_input(const struct convolution_shape *s)
{
    struct padded_map map = {.plain = true};
    for (int i = 0; i < 2; i++) {
        map.before[i] = s->padding[i];
        map.size[i] = s->size[i] + 2 * s->padding[i];
        map.plain = map.plain && s->padding[i] == 0;
    }
    return map;
}

/* dx[h] sums dy[(h + padding - k dilation) / stride] over the k that divide; what lies outside dy is zero. */
struct padded_map convolution_padded_gradient(const struct convolution_shape *s)
{
    struct padded_map map = {.plain = true};
    for (int i = 0; i < 2; i++) {
        int64_t first = floor_div(s->padding[i] - (s->kernel[i] - 1) * s->dilation[i], s->stride[i]);
        int64_t last = (s->size[i] - 1 + s->padding[i]) / s->stride[i];
        map.before[i] = most(0, -first);
        map.size[i] = map.before[i] + most(s->out_size[i], last + 1);
        map.plain = map.plain && map.size[i] == s->out_size[i];
    }
    return map;
}

static size_t map_bytes(const struct padded_map *map, int64_t channels, size_t size)
{
    return map->plain ? 0 : bytes_rounded((size_t)(map->size[0] * map->size[1] * channels) * size);
}

size_t convolution_packed_bytes(const struct convolution_shape *s, size_t size)
{
    if (winograd_suits(s))
        return winograd_packed_bytes(s, size);
    int64_t taps = s->kernel[0] * s->kernel[1], in = s->in / s->groups, out = s->out / s->groups;
    int64_t forward = s->groups * (1 + taps * in) * channels_rounded(out); /* the first row of a panel is the bias */
    int64_t back = s->groups * taps * out * channels_rounded(in);
    return bytes_rounded((size_t)most(forward, back) * size);
}

static size_t offset_bytes(int64_t count)
{
    return bytes_rounded((size_t)count * sizeof(ptrdiff_t));
}

size_t convolution_forward_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    if (winograd_suits(s))
        return winograd_forward_scratch(s, size, threads);
    struct padded_map map = convolution_padded_input(s);
    return offset_bytes(s->kernel[0] * s->kernel[1]) + (size_t)threads * map_bytes(&map, s->in, size);
}

size_t convolution_data_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    if (winograd_suits(s)) {
        const struct convolution_shape back = winograd_back(s);
        return winograd_forward_scratch(&back, size, threads);
    }
    struct padded_map map = convolution_padded_gradient(s);
    return offset_bytes(s->kernel[0] * s->kernel[1]) + (size_t)threads * map_bytes(&map, s->out, size);
}

size_t convolution_weights_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    if (winograd_suits(s))
        return winograd_weights_scratch(s, size, threads);
    struct padded_map map = convolution_padded_input(s);
    int64_t padded_out = s->groups * channels_rounded(s->out / s->groups);
    const int64_t together = convolution_together(s);
    size_t gradient = bytes_rounded((size_t)(together * s->out_size[0] * s->out_size[1] * padded_out) * size);
    return offset_bytes(together * s->out_size[0]) +
           (size_t)threads * ((size_t)together * map_bytes(&map, s->in, size) + gradient) +
           (size_t)convolution_chunks(s) * bytes_rounded((size_t)partial_elements(s) * size);
}

size_t depthwise_packed_bytes(const struct convolution_shape *s, size_t size)
{
    return bytes_rounded((size_t)((1 + s->kernel[0] * s->kernel[1]) * s->in) * size);
}

size_t column_sum_scratch(int64_t columns, size_t size)
{
    return (size_t)COLUMN_SUM_CHUNKS * bytes_rounded((size_t)columns * size);
}

size_t product_packed_bytes(const struct product_shape *s, size_t size)
{
    return bytes_rounded((size_t)((1 + s->k) * channels_rounded(s->n)) * size);
}

size_t gram_packed_bytes(int64_t rows, int64_t sums, size_t size)
{
    const struct product_shape packed = {.n = rows, .k = sums < GRAM_SUMS ? sums : GRAM_SUMS};
    return product_packed_bytes(&packed, size);
}
