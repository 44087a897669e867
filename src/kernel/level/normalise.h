/* normalise.h: what the files of batch norm's kernels share. Include after level.h and vector.h. */
#ifndef KERNEL_LEVEL_NORMALISE_H
#define KERNEL_LEVEL_NORMALISE_H

#include "kernel/normalise.h"

#include "kernel/level/channels.h"
#include "kernel/level/limit.h"

#include <string.h>

enum { NORM_THREAD_WORK = 50000 /* elements below which a second thread costs more than it saves */ };

struct norm {
    int64_t rows, channels;
    struct line line;
    const real *x, *dy;
    real *out;
    const real *mean, *scale, *shift, *slope, *offset; /* each of a line's length */
    real low, high;
    enum limit limit;
    bool add;
};

/* norm_of: coefficients repeated to a line in `buffer`, where the line holds several rows. */
static inline struct norm norm_of(int64_t rows, int64_t channels, const real *x, const real *coefficients, double low,
                                  double high, real buffer[NORM_COEFFICIENTS * CHANNELS_LINE_MAX])
{
    struct norm n = {.rows = rows, .channels = channels, .line = line_of(channels), .x = x};
    n.low = (real)low;
    n.high = (real)high;
    n.limit = limit_of(n.low, n.high);
    const real *at = line_coefficients(&n.line, channels, NORM_COEFFICIENTS, coefficients, buffer);
    n.mean = at + NORM_MEAN * n.line.length;
    n.scale = at + NORM_SCALE * n.line.length;
    n.shift = at + NORM_SHIFT * n.line.length;
    n.slope = at + NORM_SLOPE * n.line.length;
    n.offset = at + NORM_OFFSET * n.line.length;
    return n;
}

#endif
