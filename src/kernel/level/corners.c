/* corners.c: cosines between the ways from each point to all others, from the squared distances between points. */
#include "kernel/level/sum_lanes.h"
#include "kernel/rows.h"

#include <math.h>

/* ways_of: 1 / distance; 0 where the two points are one. */
static void ways_of(const real *q, int64_t count, real *ways)
{
    for (int64_t i = 0; i < count; i++)
        ways[i] = (double)q[i] < CORNER_LEAST ? 0 : (real)(1 / sqrt((double)q[i]));
}

void KERNEL(corner_cosines)(const void *q_, int64_t n, void *ways_, void *y_, int threads)
{
    const real *q = q_;
    real *ways = ways_, *y = y_;
    ways_of(q, n * n, ways);
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > 64)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            const real *other = q + j * n, *from = q + i * n, *way = ways + i * n;
            real *row = y + (i * n + j) * n;
            const real far = from[j], half = way[j] / 2;
#pragma omp simd
            for (int64_t k = 0; k < n; k++)
                row[k] = (far + from[k] - other[k]) * half * way[k];
        }
    (void)threads;
}

/* row_gradient: what one row of cosines, at corner i to j and all others, gives to the distances from i (`from`) and from
 * j (`other`). way: from i; `first`: that to j. Returns what is for the distance of i and j. */
static real row_gradient(const real *y, const real *dy, const real *way, real first, int64_t n, real *from, real *other)
{
    real lane[SUM_LANES] = {0};
    const real square = first * first;
    for (int64_t k0 = 0; k0 < n; k0 += SUM_LANES) {
        const int64_t lanes = n - k0 < SUM_LANES ? n - k0 : SUM_LANES;
#pragma omp simd
        for (int64_t l = 0; l < lanes; l++) {
            const real half = dy[k0 + l] / 2, second = way[k0 + l];
            const real both = half * first * second, along = half * y[k0 + l];
            lane[l] += both - along * square;
            from[k0 + l] += both - along * second * second;
            other[k0 + l] -= both;
        }
    }
    return lanes_sum(lane);
}

void KERNEL(corner_cosines_backward)(const void *q_, const void *y_, const void *dy_, int64_t n, void *ways_,
                                     void *parts_, void *dq_, bool add, int threads)
{
    const real *q = q_, *y = y_, *dy = dy_;
    real *ways = ways_, *parts = parts_, *dq = dq_;
    ways_of(q, n * n, ways);
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > 64)
    for (int64_t part = 0; part < CORNER_PARTS; part++) {
        real *sums = parts + part * n * n;
        for (int64_t at = 0; at < n * n; at++)
            sums[at] = 0;
        for (int64_t i = n * part / CORNER_PARTS; i < n * (part + 1) / CORNER_PARTS; i++)
            for (int64_t j = 0; j < n; j++) {
                const int64_t at = i * n + j;
                if (ways[at] > 0) {
                    const real own =
                        row_gradient(y + at * n, dy + at * n, ways + i * n, ways[at], n, sums + i * n, sums + j * n);
                    sums[at] += own;
                }
            }
    }
    for (int64_t at = 0; at < n * n; at++) {
        real sum = add ? dq[at] : 0;
        for (int64_t part = 0; part < CORNER_PARTS; part++)
            sum += parts[part * n * n + at];
        dq[at] = sum;
    }
    (void)threads;
}
