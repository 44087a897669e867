/* normalise_pool.c: batch norm, its limit (relu) and a 2x2 maximum of stride 2 in one: the normalised map is never
 * written, neither forward nor backward. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"
#include "kernel/level/pieces.h"

#define PIECES_NORM
#if VECTOR_BYTES >= 64
#define PIECE_WIDTH w64
#include "kernel/level/pool_pieces.h"
#endif
#if VECTOR_BYTES >= 32
#define PIECE_WIDTH w32
#include "kernel/level/pool_pieces.h"
#endif
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

/* Loops over one row of windows are made once for each limit. */
#define FOR_LIMIT(CALL)                                                                                                \
    switch (m->norm.limit) {                                                                                           \
    case LIMIT_NONE:                                                                                                   \
        CALL(LIMIT_NONE);                                                                                              \
        break;                                                                                                         \
    case LIMIT_LOW:                                                                                                    \
        CALL(LIMIT_LOW);                                                                                               \
        break;                                                                                                         \
    case LIMIT_BOTH:                                                                                                   \
        CALL(LIMIT_BOTH);                                                                                              \
        break;                                                                                                         \
    }

VECTOR_INLINE void row_apply(enum limit limit, const struct windows *m, const real *x, real *y)
{
    int64_t channels = m->channels, down = m->width * channels;
#define FORWARD(suffix, c) norm_forward_##suffix(limit, &m->norm, c, x + (c), channels, down, m->out_width, y + (c))
    PIECES(channels, FORWARD)
}

VECTOR_INLINE void row_sums(enum limit limit, const struct windows *m, const real *x, const real *dy, double *sums)
{
    int64_t channels = m->channels, down = m->width * channels;
#define SUMS(suffix, c)                                                                                                \
    norm_sums_##suffix(limit, &m->norm, c, x + (c), channels, down, m->out_width, dy + (c), sums, sums + channels)
    PIECES(channels, SUMS)
}

VECTOR_INLINE void row_gradient(enum limit limit, const struct windows *m, const real *x, const real *dy, real *dx)
{
    int64_t channels = m->channels, down = m->width * channels;
#define BACKWARD(suffix, c)                                                                                            \
    norm_backward_##suffix(limit, &m->norm, c, x + (c), channels, down, m->out_width, dy + (c), dx + (c))
    PIECES(channels, BACKWARD)
}

static void rows_apply(const struct windows *m, int64_t row, real *y)
{
#define APPLY(limit) row_apply(limit, m, m->norm.x + x_of(m, row), y)
    FOR_LIMIT(APPLY)
}

void KERNEL(norm_pool_apply)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                             const void *coefficients, double low, double high, void *y, int threads)
{
    struct windows m = windows_of(samples, height, width, channels, x, coefficients, low, high);
    int64_t rows = samples * m.out_height, row_size = m.out_width * channels;
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * row_size > NORM_THREAD_WORK / 4)
    for (int64_t row = 0; row < rows; row++)
        rows_apply(&m, row, (real *)y + row * row_size);
}

/* sums_rows: rows of windows [from, to) into sums [2, channels]. */
static void sums_rows(const struct windows *m, int64_t from, int64_t to, double *sums)
{
    memset(sums, 0, 2 * (size_t)m->channels * sizeof(double));
    for (int64_t row = from; row < to; row++) {
        const real *dy = m->norm.dy + row * m->out_width * m->channels;
#define ROW_SUMS(limit) row_sums(limit, m, m->norm.x + x_of(m, row), dy, sums)
        FOR_LIMIT(ROW_SUMS)
    }
}

void KERNEL(norm_pool_sums)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                            const void *dy, const void *coefficients, double low, double high, double *sums,
                            void *scratch, int threads)
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

static void rows_gradient(const struct windows *m, int64_t row, const real *dy, real *dx)
{
    int64_t start = x_of(m, row), down = m->width * m->channels, channels = m->channels;
    const real *x = m->norm.x + start;
    dx += start;
#define GRADIENT(limit) row_gradient(limit, m, x, dy, dx)
    FOR_LIMIT(GRADIENT)
    if (m->width % 2 == 1) {
        rest(&m->norm, 1, x + down - channels, dx + down - channels);
        rest(&m->norm, 1, x + 2 * down - channels, dx + 2 * down - channels);
    }
    if (m->height % 2 == 1 && row % m->out_height == m->out_height - 1)
        rest(&m->norm, m->width, x + 2 * down, dx + 2 * down);
}

void KERNEL(norm_pool_gradient)(int64_t samples, int64_t height, int64_t width, int64_t channels, const void *x,
                                const void *dy_, const void *coefficients, double low, double high, void *dx, bool add,
                                int threads)
{
    struct windows m = windows_of(samples, height, width, channels, x, coefficients, low, high);
    const real *dy = dy_;
    m.norm.add = add;
    int64_t rows = samples * m.out_height;
    (void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1 && rows * width * channels > NORM_THREAD_WORK / 2)
    for (int64_t row = 0; row < rows; row++)
        rows_gradient(&m, row, dy + row * m.out_width * channels, dx);
}
