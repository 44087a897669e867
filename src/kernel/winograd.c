/* winograd.c: see winograd.h; the loops are in level/. */
#include "kernel/winograd.h"

#include "kernel/winograd_tiles.h"

/* Fewer channels than this leave vectors empty, and the sums' additions weigh more than the multiplications saved. */
enum { CHANNELS_LEAST = 8, STRIP_VALUES = 12288, STRIP_LEAST = 7 };

bool winograd_suits(const struct convolution_shape *s)
{
    if (s->groups != 1 || s->in < CHANNELS_LEAST || s->out < CHANNELS_LEAST)
        return false;
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != WINOGRAD_TAPS || s->stride[i] != 1 || s->dilation[i] != 1 || s->padding[i] >= WINOGRAD_TAPS)
            return false;
    /* What the last group makes beyond the row is wasted: at most a third of all, or nothing is saved. */
    const int64_t made = WINOGRAD_PIXELS * winograd_groups(s->out_size[1]);
    return 2 * made <= 3 * s->out_size[1];
}

struct convolution_shape winograd_back(const struct convolution_shape *shape)
{
    struct convolution_shape s = *shape;
    s.in = shape->out;
    s.out = shape->in;
    for (int i = 0; i < 2; i++) {
        s.size[i] = shape->out_size[i];
        s.out_size[i] = shape->size[i];
        s.padding[i] = WINOGRAD_TAPS - 1 - shape->padding[i];
    }
    return s;
}

struct winograd_sizes winograd_sizes(const struct convolution_shape *s)
{
    struct winograd_sizes n = {.groups = winograd_groups(s->out_size[1])};
    n.line = (WINOGRAD_PIXELS * n.groups + WINOGRAD_TAPS - 1) * s->in;
    n.wide = channels_rounded(s->out);
    const int64_t row = WINOGRAD_POINTS * n.groups * (s->in + n.wide);
    n.strip = STRIP_VALUES / row;
    n.strip = n.strip < STRIP_LEAST ? STRIP_LEAST : n.strip;
    n.strip = n.strip > s->size[0] ? s->size[0] : n.strip;
    const int64_t strips = (s->size[0] + n.strip - 1) / n.strip; /* of rows as equal as possible */
    n.strip = (s->size[0] + strips - 1) / strips;
    return n;
}

static size_t packed_bytes(const struct convolution_shape *s, size_t size)
{
    if (winograd_tiles_suit(s))
        return winograd_tiles_packed_bytes(s, size);
    const int64_t rows = 1 + WINOGRAD_POINTS * WINOGRAD_TAPS * s->in; /* the first: the bias */
    return bytes_rounded((size_t)(rows * channels_rounded(s->out)) * size);
}

size_t winograd_packed_bytes(const struct convolution_shape *s, size_t size)
{
    const struct convolution_shape back = winograd_back(s);
    const size_t forth = packed_bytes(s, size), other = packed_bytes(&back, size);
    return forth > other ? forth : other;
}

size_t winograd_forward_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    if (winograd_tiles_suit(s))
        return (size_t)threads * winograd_tiles_forward_piece(s, size);
    const struct winograd_sizes n = winograd_sizes(s);
    const int64_t points = WINOGRAD_POINTS * n.strip * n.groups * s->in;
    const int64_t sums = WINOGRAD_POINTS * (n.strip + WINOGRAD_TAPS - 1) * n.groups * n.wide;
    const size_t maps =
        bytes_rounded((size_t)points * size) + bytes_rounded((size_t)(sums + s->out_size[1] * s->out) * size);
    return (size_t)threads * (bytes_rounded((size_t)n.line * size) + maps); /* with a row of x, and one of y */
}

size_t winograd_weights_piece(const struct convolution_shape *s, size_t size)
{
    const struct winograd_sizes n = winograd_sizes(s);
    const int64_t together = convolution_together(s), out = channels_rounded(s->out);
    const int64_t x_map = s->size[0] * n.groups * s->in, dy_map = (s->size[0] + WINOGRAD_TAPS - 1) * n.groups * out;
    const size_t x = bytes_rounded((size_t)(WINOGRAD_POINTS * together * x_map) * size);
    const size_t dy = bytes_rounded((size_t)(WINOGRAD_POINTS * together * dy_map) * size);
    const size_t lines =
        bytes_rounded((size_t)n.line * size) + bytes_rounded((size_t)(WINOGRAD_PIXELS * n.groups * s->out) * size);
    return lines + x + dy;
}

size_t winograd_weights_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    if (winograd_tiles_suit(s))
        return winograd_tiles_weights_scratch(s, size, threads);
    const int64_t elements = WINOGRAD_POINTS * WINOGRAD_TAPS * s->in * channels_rounded(s->out);
    return (size_t)threads * winograd_weights_piece(s, size) +
           (size_t)convolution_chunks(s) * bytes_rounded((size_t)elements * size);
}
