/* normalise_sums.c: batch norm's sums over maps [rows, channels]: moments of x, and what its gradient needs of dz.
 *
 * One pass over memory. Sums run in the lanes of a block and are added up in double; moments are taken about a sampled
 * mean, so that a large mean costs no digits and a constant channel has variance 0. */
#include "kernel/level/level.h"

#include "kernel/level/vector.h"

#include "kernel/level/normalise.h"

typedef double vector_double __attribute__((vector_size(VECTOR_LANES * 8)));
typedef double vector_double_memory __attribute__((vector_size(VECTOR_LANES * 8), aligned(8), may_alias));

/* Sums are pairs: of d and of d (x - mean), where d is x - mean for moments and dz for the gradient. They lie as
 * doubles [2, n], the second n behind the first, n channels or elements of a line. */
enum sums { SUMS_MOMENTS, SUMS_GRADIENT };

VECTOR_INLINE void sums_add(double *to, vector lanes)
{
    *(vector_double_memory *)to += __builtin_convertvector(lanes, vector_double);
}

/* sums_group: `width` vectors of each line, from element `at` of the line on. */
VECTOR_INLINE void sums_group(enum sums what, enum limit limit, int width, const struct norm *n, int64_t lines,
                              const real *x, const real *dy, int64_t at, double *first, double *second)
{
    vector a[CHANNELS_GROUP], b[CHANNELS_GROUP], mean[CHANNELS_GROUP], scale[CHANNELS_GROUP], shift[CHANNELS_GROUP];
    int64_t length = n->line.length;
    real low = n->low, high = n->high;
#pragma GCC unroll 4
    for (int i = 0; i < width; i++) {
        a[i] = b[i] = (vector){0};
        mean[i] = vector_load(n->mean + at + i * VECTOR_LANES);
        if (limit != LIMIT_NONE) {
            scale[i] = vector_load(n->scale + at + i * VECTOR_LANES);
            shift[i] = vector_load(n->shift + at + i * VECTOR_LANES);
        }
    }
    for (int64_t line = 0; line < lines; line++) {
#pragma GCC unroll 4
        for (int i = 0; i < width; i++) {
            vector apart = vector_load(x + line * length + at + i * VECTOR_LANES) - mean[i];
            vector d = apart;
            if (what == SUMS_GRADIENT)
                d = vector_load(dy + line * length + at + i * VECTOR_LANES);
            if (limit != LIMIT_NONE)
                d = vector_where(limit_inside(limit, apart * scale[i] + shift[i], low, high), d);
            a[i] += d;
            b[i] += d * apart;
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < width; i++) {
        sums_add(first + at + i * VECTOR_LANES, a[i]);
        sums_add(second + at + i * VECTOR_LANES, b[i]);
    }
}

/* sums_scalar: one element, i of a line, for lanes and rows that fill no vector. */
VECTOR_INLINE void sums_scalar(enum sums what, enum limit limit, const struct norm *n, int64_t i, real x,
                               const real *dy, double *first, double *second)
{
    real apart = x - n->mean[i];
    real d = what == SUMS_GRADIENT ? *dy : apart;
    if (limit != LIMIT_NONE) {
        real z = apart * n->scale[i] + n->shift[i];
        d = z > n->low && z < n->high ? d : 0;
    }
    first[i] += (double)d;
    second[i] += (double)d * (double)apart;
}

/* sums_block: lines from row `row` on. */
VECTOR_INLINE void sums_block(enum sums what, enum limit limit, const struct norm *n, int64_t row, int64_t lines,
                              double *first, double *second)
{
    const real *x = n->x + row * n->channels, *dy = what == SUMS_GRADIENT ? n->dy + row * n->channels : x;
    int64_t v = 0, length = n->line.length;
    if (n->line.vectors % CHANNELS_GROUP != 0 && n->line.vectors % 3 == 0)
        for (; v < n->line.vectors; v += 3)
            sums_group(what, limit, 3, n, lines, x, dy, v * VECTOR_LANES, first, second);
    for (; v + CHANNELS_GROUP <= n->line.vectors; v += CHANNELS_GROUP)
        sums_group(what, limit, CHANNELS_GROUP, n, lines, x, dy, v * VECTOR_LANES, first, second);
    for (; v < n->line.vectors; v++)
        sums_group(what, limit, 1, n, lines, x, dy, v * VECTOR_LANES, first, second);
    for (int64_t line = 0; line < lines; line++)
        for (int64_t i = v * VECTOR_LANES; i < length; i++)
            sums_scalar(what, limit, n, i, x[line * length + i], dy + line * length + i, first, second);
}

/* sums_segment: rows [from, to) into sums [2, channels]. */
VECTOR_INLINE void sums_segment(enum sums what, enum limit limit, const struct norm *n, int64_t from, int64_t to,
                                double *sums)
{
    double lanes[2 * CHANNELS_LINE_MAX]; /* where a line holds several rows */
    int64_t channels = n->channels, length = n->line.length;
    double *first = n->line.rows > 1 ? lanes : sums, *second = first + length;
    memset(first, 0, 2 * (size_t)length * sizeof(double));
    int64_t row = from;
    while (to - row >= n->line.rows) {
        int64_t lines = (to - row) / n->line.rows;
        if (lines > n->line.block)
            lines = n->line.block;
        sums_block(what, limit, n, row, lines, first, second);
        row += lines * n->line.rows;
    }
    const real *x = n->x + row * channels, *dy = what == SUMS_GRADIENT ? n->dy + row * channels : x;
    for (int64_t i = 0; i < (to - row) * channels; i++)
        sums_scalar(what, limit, n, i, x[i], dy + i, first, second); /* less than a line */
    if (first == sums)
        return;
    for (int64_t c = 0; c < channels; c++) {
        sums[c] = sums[channels + c] = 0;
        for (int64_t i = c; i < length; i += channels) {
            sums[c] += first[i];
            sums[channels + c] += second[i];
        }
    }
}

/* sums_all: parts [NORM_SEGMENTS, 2, channels]; the first ends as the sum of all. */
static void sums_all(enum sums what, const struct norm *n, double *parts, int threads)
{
    int64_t channels = n->channels, each = segment_rows(&n->line, n->rows, channels, NORM_SEGMENTS);
    int64_t segments = (n->rows + each - 1) / each;
    (void)threads; /* unused without OpenMP */
    memset(parts, 0, 2 * (size_t)channels * sizeof(double));
#pragma omp parallel for num_threads(threads) if (threads > 1 && n->rows * channels > NORM_THREAD_WORK)
    for (int64_t i = 0; i < segments; i++) {
        int64_t from = i * each, to = n->rows - from < each ? n->rows : from + each;
        double *part = parts + i * 2 * channels;
        if (what == SUMS_MOMENTS)
            sums_segment(SUMS_MOMENTS, LIMIT_NONE, n, from, to, part);
        else if (n->limit == LIMIT_NONE)
            sums_segment(SUMS_GRADIENT, LIMIT_NONE, n, from, to, part);
        else if (n->limit == LIMIT_LOW)
            sums_segment(SUMS_GRADIENT, LIMIT_LOW, n, from, to, part);
        else
            sums_segment(SUMS_GRADIENT, LIMIT_BOTH, n, from, to, part);
    }
    for (int64_t i = 1; i < segments; i++)
        for (int64_t c = 0; c < 2 * channels; c++)
            parts[c] += parts[i * 2 * channels + c];
}

/* sample_mean: the mean of at most 64 rows spread over all. Differences to the first row are averaged, so a constant
 * comes out exactly. sum [channels] is scratch. */
static void sample_mean(int64_t rows, int64_t channels, const real *x, double *sum, real *mean)
{
    int64_t step = rows / 64 + 1, count = (rows + step - 1) / step;
    memset(sum, 0, (size_t)channels * sizeof(double));
    for (int64_t r = 0; r < rows; r += step)
        for (int64_t c = 0; c < channels; c++)
            sum[c] += (double)(x[r * channels + c] - x[c]);
    for (int64_t c = 0; c < channels; c++)
        mean[c] = x[c] + (real)(sum[c] / (double)count);
}

void KERNEL(norm_moments)(int64_t rows, int64_t channels, const void *x, double *mean, double *variance, void *scratch,
                          int threads)
{
    struct norm n = {.rows = rows, .channels = channels, .line = line_of(channels), .x = x};
    double *parts = scratch;
    real *sampled = (real *)(parts + 2 * NORM_SEGMENTS * channels), buffer[CHANNELS_LINE_MAX];
    sample_mean(rows, channels, x, mean, sampled);
    n.mean = line_coefficients(&n.line, channels, 1, sampled, buffer);
    sums_all(SUMS_MOMENTS, &n, parts, threads);
    for (int64_t c = 0; c < channels; c++) {
        double apart = parts[c] / (double)rows, square = parts[channels + c] / (double)rows - apart * apart;
        mean[c] = (double)sampled[c] + apart;
        variance[c] = square < 0 ? 0 : square; /* keeps NaN */
    }
}

void KERNEL(norm_sums)(int64_t rows, int64_t channels, const void *x, const void *dy, const void *coefficients,
                       double low, double high, double *sums, void *scratch, int threads)
{
    real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX];
    struct norm n = norm_of(rows, channels, x, coefficients, low, high, buffer);
    n.dy = dy;
    sums_all(SUMS_GRADIENT, &n, scratch, threads);
    memcpy(sums, scratch, 2 * (size_t)channels * sizeof(double));
}
