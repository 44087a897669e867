/* extreme.c: largest and smallest over axes, and their gradient. */
#include "kernel/level/level.h"

#include <math.h>

enum { EXTREME_LANES = 16, THREAD_WORK = 200000 };

/* extreme_of: NaN, once met, stays. */
static inline real extreme_of(bool largest, real a, real b)
{
    return (largest ? b > a : b < a) || b != b ? b : a;
}

/* extreme_run: of x [n] and `start`, in lanes. */
static real extreme_run(bool largest, real start, const real *x, int64_t n)
{
    real lane[EXTREME_LANES];
    int64_t whole = n - n % EXTREME_LANES;
    for (int l = 0; l < EXTREME_LANES; l++)
        lane[l] = start;
    for (int64_t i = 0; i < whole; i += EXTREME_LANES) {
#pragma omp simd
        for (int l = 0; l < EXTREME_LANES; l++)
            lane[l] = extreme_of(largest, lane[l], x[i + l]);
    }
    for (int64_t i = whole; i < n; i++)
        start = extreme_of(largest, start, x[i]);
    for (int l = 0; l < EXTREME_LANES; l++)
        start = extreme_of(largest, start, lane[l]);
    return start;
}

static int64_t inner_size(int rank, const int64_t *dim)
{
    int64_t size = 1;
    for (int i = 1; i < rank; i++)
        size *= dim[i];
    return size;
}

static void extreme_part(bool largest, const real *x, int rank, const int64_t *dim, const int64_t *stride, real *out)
{
    if (rank == 0) {
        *out = extreme_of(largest, *out, *x);
    } else if (rank == 1 && stride[0] == 0) {
        *out = extreme_run(largest, *out, x, dim[0]);
    } else if (rank == 1) {
#pragma omp simd
        for (int64_t i = 0; i < dim[0]; i++)
            out[i] = extreme_of(largest, out[i], x[i]);
    } else {
        int64_t inner = inner_size(rank, dim);
        for (int64_t i = 0; i < dim[0]; i++)
            extreme_part(largest, x + i * inner, rank - 1, dim + 1, stride + 1, out + i * stride[0]);
    }
}

void KERNEL(extreme_axes)(bool largest, const void *x_, int rank, const int64_t *dim, const int64_t *stride,
                          int64_t outputs, void *out_, int threads)
{
    const real *x = x_;
    real *out = out_;
    for (int64_t o = 0; o < outputs; o++)
        out[o] = (real)(largest ? -INFINITY : INFINITY);
    (void)threads;
    if (rank < 2 || stride[0] == 0) {
        extreme_part(largest, x, rank, dim, stride, out);
        return;
    }
    int64_t inner = inner_size(rank, dim);
#pragma omp parallel for num_threads(threads) if (threads > 1 && dim[0] * inner > THREAD_WORK)
    for (int64_t i = 0; i < dim[0]; i++)
        extreme_part(largest, x + i * inner, rank - 1, dim + 1, stride + 1, out + i * stride[0]);
}

/* What the gradient reads and makes; the walk through the axes moves the pointers. */
struct ties {
    const real *x, *y, *d_out;
    double *counts;
    real *dx;
};

static void count_part(struct ties t, int rank, const int64_t *dim, const int64_t *stride)
{
    if (rank == 0) {
        *t.counts += *t.x == *t.y;
        return;
    }
    int64_t inner = inner_size(rank, dim);
    for (int64_t i = 0; i < dim[0]; i++, t.x += inner, t.y += stride[0], t.counts += stride[0])
        if (rank == 1)
            *t.counts += *t.x == *t.y;
        else
            count_part(t, rank - 1, dim + 1, stride + 1);
}

static void share_part(struct ties t, int rank, const int64_t *dim, const int64_t *stride, bool add)
{
    int64_t steps = rank == 0 ? 1 : dim[0], inner = inner_size(rank, dim), step = rank == 0 ? 0 : stride[0];
    for (int64_t i = 0; i < steps; i++, t.x += inner, t.y += step, t.d_out += step, t.counts += step, t.dx += inner)
        if (rank > 1) {
            share_part(t, rank - 1, dim + 1, stride + 1, add);
        } else {
            real share = *t.x == *t.y ? (real)((double)*t.d_out / *t.counts) : 0;
            *t.dx = share + (add ? *t.dx : 0);
        }
}

void KERNEL(extreme_axes_backward)(const void *x, const void *y, const void *d_out, int rank, const int64_t *dim,
                                   const int64_t *stride, int64_t outputs, double *counts, void *dx, bool add)
{
    for (int64_t o = 0; o < outputs; o++)
        counts[o] = 0;
    struct ties t = {x, y, d_out, counts, dx};
    count_part(t, rank, dim, stride);
    share_part(t, rank, dim, stride, add);
}
