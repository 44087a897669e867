/* curve.c: thousands of steps become a few hundred points.
 *
 * A mean over equal pieces keeps the level of a noisy loss, which taking every n-th point would not. The means are then
 * smoothed over their neighbours, as many to the left as to the right, so that the steep start is not bent. */
#include "report/curve.h"

#include <math.h>

enum { SMOOTHING_REACH = 3 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* smooth: from y [count] to out [count]. */
static void smooth(const double *y, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t reach = smaller(SMOOTHING_REACH, smaller(i, count - 1 - i));
        double sum = 0;
        for (size_t j = i - reach; j <= i + reach; j++)
            sum += y[j];
        out[i] = sum / (double)(2 * reach + 1);
    }
}

enum status curve_thin(struct arena *arena, const int64_t *x, const double *y, size_t count, struct curve *out)
{
    *out = (struct curve){0};
    size_t pieces = smaller(count, CURVE_POINTS_MAX);
    double *at = arena_take(arena, pieces, sizeof *at);
    double *mean = arena_take(arena, pieces, sizeof *mean);
    double *smoothed = arena_take(arena, pieces, sizeof *smoothed);
    if (at == NULL || mean == NULL || smoothed == NULL)
        return STATUS_NO_MEMORY;
    size_t points = 0;
    for (size_t piece = 0; piece < pieces; piece++) {
        double sum_x = 0, sum_y = 0, finite = 0;
        for (size_t i = count * piece / pieces; i < count * (piece + 1) / pieces; i++) {
            if (!isfinite(y[i]))
                continue;
            sum_x += (double)x[i];
            sum_y += y[i];
            finite += 1;
        }
        if (finite == 0)
            continue;
        at[points] = sum_x / finite;
        mean[points++] = sum_y / finite;
    }
    *out = (struct curve){.count = points, .x = at, .y = mean};
    if (count > CURVE_POINTS_MAX && points > 0) {
        smooth(mean, points, smoothed);
        out->y = smoothed;
    }
    return STATUS_OK;
}

enum status curve_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                       const char *split, const char *name, bool over_epochs, struct curve *out)
{
    struct record_series series = {0};
    RETURN_IF(record_series_read(ctx, arena, record, stage, split, name, &series));
    return curve_thin(arena, over_epochs ? series.epochs : series.steps, series.values, series.count, out);
}
