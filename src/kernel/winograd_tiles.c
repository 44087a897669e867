/* winograd_tiles.c: see winograd_tiles.h; the loops are in level/. */
#include "kernel/winograd_tiles.h"

enum {
    CHANNELS_LEAST = 16, /* with fewer, the sums around the products take as long as these; a vector has at most 16 */
    FORWARD_VALUES = 32768, /* of a block, at all points: it stays in the second cache; half or twice do not matter */
    FORWARD_TILES = 12,     /* rows of a product: two blocks of 6, or three of 4 */
    GRADIENT_TILES = 64,    /* with half as many the sums are read and written too often: 2 to 3% */
    CHUNK_TILES = 128,      /* with half as many, making taps of each chunk's sums costs 1 to 8% */
    LINE_VALUES = 16
};

bool winograd_tiles_suit(const struct convolution_shape *s)
{
    if (s->in < CHANNELS_LEAST || s->out < CHANNELS_LEAST)
        return false;
    int64_t made = 1;
    for (int i = 0; i < 2; i++)
        made *= WINOGRAD_PIXELS * winograd_groups(s->out_size[i]);
    return 2 * made <= 3 * s->out_size[0] * s->out_size[1];
}

ptrdiff_t winograd_apart(int64_t values)
{
    return (ptrdiff_t)(((values + LINE_VALUES - 1) / LINE_VALUES | 1) * LINE_VALUES);
}

/* sizes_of: with a block of so many tiles. */
static struct tiles_sizes sizes_of(const struct convolution_shape *s, int64_t block)
{
    struct tiles_sizes n = {.down = winograd_groups(s->out_size[0]),
                            .across = winograd_groups(s->out_size[1]),
                            .wide = channels_rounded(s->out),
                            .block = block};
    n.width = WINOGRAD_PIXELS * n.across + WINOGRAD_TAPS - 1;
    n.x_apart = winograd_apart(block * s->in);
    n.m_apart = winograd_apart(block * n.wide);
    return n;
}

struct tiles_sizes winograd_tiles_forward(const struct convolution_shape *s)
{
    const int64_t block = FORWARD_VALUES / (TILE_POINTS * (s->in + channels_rounded(s->out)));
    return sizes_of(s, block < FORWARD_TILES ? FORWARD_TILES : block);
}

static int64_t tiles_of(const struct convolution_shape *s, int64_t samples)
{
    return samples * winograd_groups(s->out_size[0]) * winograd_groups(s->out_size[1]);
}

int64_t winograd_tiles_chunks(const struct convolution_shape *s)
{
    const int64_t chunks = convolution_chunks(s), full = tiles_of(s, s->batch) / CHUNK_TILES,
                  most = full < 2 ? 2 : full;
    return chunks < most ? chunks : most;
}

struct tiles_sizes winograd_tiles_gradient(const struct convolution_shape *s)
{
    const int64_t chunks = winograd_tiles_chunks(s), tiles = tiles_of(s, (s->batch + chunks - 1) / chunks);
    const int64_t blocks = (tiles + GRADIENT_TILES - 1) / GRADIENT_TILES; /* as equal as possible */
    return sizes_of(s, (tiles + blocks - 1) / blocks);
}

int64_t winograd_tiles_bias(const struct convolution_shape *s)
{
    return (s->out + LINE_VALUES - 1) / LINE_VALUES * LINE_VALUES;
}

size_t winograd_tiles_packed_bytes(const struct convolution_shape *s, size_t size)
{
    /* u in panels, each winograd_apart at 36 points: at most one for every four of the columns, rounded up. */
    const int64_t wide = channels_rounded(s->out), u = s->in * wide + 2 * LINE_VALUES * (wide / 4);
    return bytes_rounded((size_t)(winograd_tiles_bias(s) + TILE_POINTS * u) * size);
}

static size_t points_bytes(ptrdiff_t apart, size_t size)
{
    return bytes_rounded((size_t)(TILE_POINTS * apart) * size);
}

size_t winograd_tiles_forward_piece(const struct convolution_shape *s, size_t size)
{
    const struct tiles_sizes n = winograd_tiles_forward(s);
    return bytes_rounded((size_t)(WINOGRAD_POINTS * n.width * s->in) * size) + points_bytes(n.x_apart, size) +
           points_bytes(n.m_apart, size) + bytes_rounded((size_t)(WINOGRAD_PIXELS * WINOGRAD_PIXELS * s->out) * size);
}

size_t winograd_tiles_weights_piece(const struct convolution_shape *s, size_t size)
{
    const struct tiles_sizes n = winograd_tiles_gradient(s);
    return bytes_rounded((size_t)(WINOGRAD_POINTS * n.width * s->in) * size) +
           bytes_rounded((size_t)(WINOGRAD_PIXELS * n.width * s->out) * size) + points_bytes(n.x_apart, size) +
           points_bytes(n.m_apart, size) + points_bytes(winograd_apart(s->in * n.wide), size);
}

size_t winograd_tiles_weights_scratch(const struct convolution_shape *s, size_t size, int threads)
{
    return (size_t)threads * winograd_tiles_weights_piece(s, size) +
           (size_t)winograd_tiles_chunks(s) *
               bytes_rounded((size_t)(TILE_TAPS * s->in * channels_rounded(s->out)) * size);
}
