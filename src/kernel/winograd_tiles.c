/* winograd_tiles.c: see winograd_tiles.h; the loops are in level/. */
#include "kernel/winograd_tiles.h"

enum {
    CHANNELS_LEAST = 16, /* with fewer, the sums around the products take as long as these */
    ALIGNED_CHANNELS = 8,
    LINE_VALUES = 16,
    FORWARD_VALUES = 32768, /* of a block, at all points */
    FORWARD_TILES = 12,
    GRADIENT_TILES = 64, /* fewer, and the sums over them are read and written too often */
    CHUNK_TILES = 128
};

static int64_t round_up(int64_t n)
{
    return (n + ALIGNED_CHANNELS - 1) / ALIGNED_CHANNELS * ALIGNED_CHANNELS;
}

bool winograd_tiles_suit(const struct convolution_shape *s)
{
    if (s->in < CHANNELS_LEAST || s->out < CHANNELS_LEAST)
        return false;
    int64_t made = 1;
    for (int i = 0; i < 2; i++)
        made *= (s->out_size[i] + WINOGRAD_PIXELS - 1) / WINOGRAD_PIXELS * WINOGRAD_PIXELS;
    return 2 * made <= 3 * s->out_size[0] * s->out_size[1];
}

ptrdiff_t winograd_apart(int64_t values)
{
    return (ptrdiff_t)(((values + LINE_VALUES - 1) / LINE_VALUES | 1) * LINE_VALUES);
}

/* sizes_of: with a block of so many tiles. */
static struct tiles_sizes sizes_of(const struct convolution_shape *s, int64_t block)
{
    struct tiles_sizes n = {.down = (s->out_size[0] + WINOGRAD_PIXELS - 1) / WINOGRAD_PIXELS,
                            .across = (s->out_size[1] + WINOGRAD_PIXELS - 1) / WINOGRAD_PIXELS,
                            .wide = round_up(s->out),
                            .block = block};
    n.height = WINOGRAD_PIXELS * n.down + WINOGRAD_TAPS - 1;
    n.width = WINOGRAD_PIXELS * n.across + WINOGRAD_TAPS - 1;
    n.x_apart = winograd_apart(block * s->in);
    n.m_apart = winograd_apart(block * n.wide);
    return n;
}

struct tiles_sizes winograd_tiles_forward(const struct convolution_shape *s)
{
    const int64_t block = FORWARD_VALUES / (TILE_POINTS * (s->in + round_up(s->out)));
    return sizes_of(s, block < FORWARD_TILES ? FORWARD_TILES : block);
}

static int64_t tiles_of(const struct convolution_shape *s, int64_t samples)
{
    const struct tiles_sizes n = sizes_of(s, 1);
    return samples * n.down * n.across;
}

int64_t winograd_tiles_chunks(const struct convolution_shape *s)
{
    int64_t chunks = convolution_chunks(s), most = tiles_of(s, s->batch) / CHUNK_TILES;
    most = most < 2 ? 2 : most;
    chunks = chunks < most ? chunks : most;
    return chunks < s->batch ? chunks : s->batch;
}

struct tiles_sizes winograd_tiles_gradient(const struct convolution_shape *s)
{
    const int64_t chunks = winograd_tiles_chunks(s), tiles = tiles_of(s, (s->batch + chunks - 1) / chunks);
    const int64_t blocks = (tiles + GRADIENT_TILES - 1) / GRADIENT_TILES; /* as equal as possible */
    return sizes_of(s, (tiles + blocks - 1) / blocks);
}

size_t winograd_tiles_packed_bytes(const struct convolution_shape *s, size_t size)
{
    /* The bias, then u in panels of at least ALIGNED_CHANNELS / 2 columns, each winograd_apart at 36 points. */
    const int64_t panels = 2 * round_up(s->out) / ALIGNED_CHANNELS;
    const int64_t u = s->in * round_up(s->out) + 2 * LINE_VALUES * panels;
    return bytes_rounded((size_t)(round_up(s->out) + TILE_POINTS * u) * size);
}

static size_t points_bytes(ptrdiff_t apart, size_t size)
{
    return bytes_rounded((size_t)(TILE_POINTS * apart) * size);
}

size_t winograd_tiles_forward_piece(const struct convolution_shape *s, size_t size)
{
    const struct tiles_sizes n = winograd_tiles_forward(s);
    return bytes_rounded((size_t)(n.height * n.width * s->in) * size) + points_bytes(n.x_apart, size) +
           points_bytes(n.m_apart, size) + bytes_rounded((size_t)(WINOGRAD_PIXELS * WINOGRAD_PIXELS * s->out) * size);
}

size_t winograd_tiles_weights_piece(const struct convolution_shape *s, size_t size)
{
    const struct tiles_sizes n = winograd_tiles_gradient(s);
    return bytes_rounded((size_t)(n.height * n.width * s->in) * size) +
           bytes_rounded((size_t)(n.height * n.width * s->out) * size) + points_bytes(n.x_apart, size) +
           points_bytes(n.m_apart, size) + points_bytes(winograd_apart(s->in * n.wide), size);
}

size_t winograd_tiles_weights_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    return (size_t)threads * winograd_tiles_weights_piece(s, size) +
           (size_t)winograd_tiles_chunks(s) * bytes_rounded((size_t)(TILE_TAPS * s->in * round_up(s->out)) * size);
}
