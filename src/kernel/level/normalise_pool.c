/* normalise_pool.c: batch norm, its limit (relu) and a 2x2 maximum of stride 2 in one: the normalised map is never written,
 * neither forward nor backward. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"
#include "kernel/level/pieces.h"

#define PIECES_NORM
#define PIECE_WIDTH w64
#include "kernel/level/pool_pieces.h"
#define PIECE_WIDTH w32
#include "kernel/level/pool_pieces.h"
#define PIECE_WIDTH w16
#include "kernel/level/pool_pieces.h"
#define PIECE_WIDTH w1
#include "kernel/level/pool_pieces.h"

/* A map as rows of windows: row r covers two rows of x. */
struct windows {
    struct norm norm; /* coefficients [channels] */
    int64_t samples, height, width, channels, out_height, out_width;
};

static struct windows windows_of(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                                 const void *coefficients, double low, double high)
{
    struct windows m = {{0}, samples, height, width, channels, height / 2, width / 2};
    const real *at = coefficients;
    m.norm.channels = channels;
    m.norm.x = x;
    m.norm.mean = at + NORM_MEAN * channels;
    m.norm.scale = at + NORM_SCALE * channels;
    m.norm.shift = at + NORM_SHIFT * channels;
    m.norm.slope = at + NORM_SLOPE * channels;
    m.norm.offset = at + NORM_OFFSET * channels;
    m.norm.low = (real)low;
    m.norm.high = (real)high;
    m.norm.limit = limit_of(m.norm.low, m.norm.high);
    return m;
}

/* x_of: where the windows of a row start in x. */
static int64_t x_of(const struct windows *m, int64_t row)
{
    return (row / m->out_height * m->height + row % m->out_height * 2) * m->width * m->channels;
}

void KERNEL(norm_pool_apply)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                             const void *coefficients, double low, double high, void *y, int threads)
{
    struct windows m = windows_of(samples, height, width, channels, x, coefficients, low, high);
    int64_t rows = samples * m.out_height, down = width * channels;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * down > NORM_THREAD_WORK)
    for (int64_t row = 0; row < rows; row++) {
        const real *from = m.norm.x + x_of(&m, row);
        real *to = (real *)y + row * m.out_width * channels;
        for (int64_t j = 0; j < m.out_width; j++, from += 2 * channels, to += channels) {
#define FORWARD(suffix, c) norm_forward_##suffix(&m.norm, c, from + (c), channels, down, to + (c))
            PIECES(channels, FORWARD)
        }
    }
}

/* sums_rows: rows of windows [from, to) of a block of channels into sums [2, channels]. */
static void sums_rows(const struct windows *m, int64_t from, int64_t to, double *sums)
{
    enum { BLOCK = 256 };
    int64_t channels = m->channels, down = m->width * channels;
    memset(sums, 0, 2 * (size_t)channels * sizeof(double));
    for (int64_t at = 0; at < channels; at += BLOCK) {
        int64_t n = channels - at < BLOCK ? channels - at : BLOCK;
        for (int64_t row = from; row < to; row++) {
            real lanes[2 * BLOCK] = {0}; /* of one row of windows */
            const real *x = m->norm.x + x_of(m, row) + at, *dy = m->norm.dy + row * m->out_width * channels + at;
            for (int64_t j = 0; j < m->out_width; j++, x += 2 * channels, dy += channels) {
#define SUMS(suffix, c)                                                                                                \
    norm_sums_##suffix(&m->norm, at + (c), x + (c), channels, down, dy + (c), lanes + (c), lanes + BLOCK + (c))
                PIECES(n, SUMS)
            }
            for (int64_t c = 0; c < n; c++) {
                sums[at + c] += (double)lanes[c];
                sums[channels + at + c] += (double)lanes[BLOCK + c];
            }
        }
    }
}

void KERNEL(norm_pool_sums)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x, const void *dy,
                            const void *coefficients, double low, double high, double *sums, void *scratch, int threads)
{
    struct windows m = windows_of(samples, height, width, channels, x, coefficients, low, high);
    m.norm.dy = dy;
    double *parts = scratch;
    int64_t rows = samples * m.out_height, each = (rows + NORM_SEGMENTS - 1) / NORM_SEGMENTS;
    int64_t segments = rows > 0 ? (rows + each - 1) / each : 0;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * width * channels > NORM_THREAD_WORK)
    for (int64_t i = 0; i < segments; i++)
        sums_rows(&m, i * each, rows - i * each < each ? rows : (i + 1) * each, parts + i * 2 * channels);
    memset(sums, 0, 2 * (size_t)channels * sizeof(double));
    for (int64_t i = 0; i < segments; i++)
        for (int64_t c = 0; c < 2 * channels; c++)
            sums[c] += parts[i * 2 * channels + c];
}

/* rest: the gradient where no window lies: the last column and row of odd maps. */
static void rest(const struct norm *n, int64_t pixels, const real *x, real *dx)
{
    for (int64_t i = 0; i < pixels; i++) {
        for (int64_t c = 0; c < n->channels; c++) {
            int64_t at = i * n->channels + c;
            real d = (x[at] - n->mean[c]) * n->slope[c] + n->offset[c];
            dx[at] = n->add ? dx[at] + d : d;
        }
    }
}

void KERNEL(norm_pool_gradient)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                                const void *dy_, const void *coefficients, double low, double high, void *dx, bool add,
                                int threads)
{
    struct windows m = windows_of(samples, height, width, channels, x, coefficients, low, high);
    const real *dy = dy_;
    m.norm.add = add;
    int64_t rows = samples * m.out_height, down = width * channels;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * down > NORM_THREAD_WORK)
    for (int64_t row = 0; row < rows; row++) {
        int64_t start = x_of(&m, row);
        const real *from = m.norm.x + start, *d = dy + row * m.out_width * channels;
        real *to = (real *)dx + start;
        for (int64_t j = 0; j < m.out_width; j++, from += 2 * channels, to += 2 * channels, d += channels) {
#define BACKWARD(suffix, c) norm_backward_##suffix(&m.norm, c, from + (c), channels, down, d + (c), to + (c))
            PIECES(channels, BACKWARD)
        }
        if (width % 2 == 1) {
            rest(&m.norm, 1, from, to);
            rest(&m.norm, 1, from + down, to + down);
        }
        if (height % 2 == 1 && row % m.out_height == m.out_height - 1)
            rest(&m.norm, width, m.norm.x + start + 2 * down, (real *)dx + start + 2 * down);
    }
}
