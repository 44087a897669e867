/* chart.h: what the page's script draws, as one JSON document, and the library that draws it. */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/text.h"
#include "base/value.h"
#include "report/run.h"

/* chart_curves: {"stages": [{"label","role","loss":[[step,loss],…],"accuracy":[[epoch,percent],…]},…]}. NULL: no memory. */
struct value *chart_curves(struct arena *arena, const struct report_run *run);

/* chart_pair: appends one row {"label","alone","distilled","gain","low","high","summary"} (percent and percentage
 * points; undefined: null) to the list; `summary` rows stand out (a mean). Passes NULL on. */
struct value *chart_pair(struct arena *arena, struct value *rows, const char *label, double alone, double distilled,
                         const struct report_figure *gain, bool summary);

/* chart_library: Chart.js from `path`, NULL when there is no such file or it cannot stand inside <script>.
 * *source is the caller's (memory_free). */
enum status chart_library(struct context *ctx, const char *path, char **source);

#endif
