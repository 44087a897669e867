/* curve.h: a series of the record as a curve to draw. */
#ifndef REPORT_CURVE_H
#define REPORT_CURVE_H

#include "record/record.h"
#include "report/run.h"

enum { CURVE_POINTS_MAX = 300 };

/* curve_thin: x [count], y [count] (ordered by x; NaN: left out) as at most CURVE_POINTS_MAX points. Longer series
 * become means of neighbours, smoothed; short ones stay as they are. *out lies in the arena. */
enum status curve_thin(struct arena *arena, const int64_t *x, const double *y, size_t count, struct curve *out);

/* curve_read: the series (stage, split, name), thinned; over epochs or steps. No such series: count 0. */
enum status curve_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                       const char *split, const char *name, bool over_epochs, struct curve *out);

#endif
