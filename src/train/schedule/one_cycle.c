/* one_cycle.c: up along a cosine from rate / start to the rate, then down along a cosine to rate / (start * end).
 * Smith, Topin 2018, arXiv 1708.07120; in two phases with the defaults of PyTorch's OneCycleLR, the momentum left alone. */
#include "train/schedule/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

struct one_cycle_options {
    struct schedule_common common;
    double peak, start, end;
};

static double between(double from, double to, double part)
{
    return to + (from - to) / 2 * (1 + cos(PI * part));
}

static double one_cycle_factor(const struct schedule_point *point, const void *options)
{
    const struct one_cycle_options *o = options;
    double low = 1 / o->start, last = low / o->end;
    double up = o->peak * (double)point->steps - 1, down = (double)point->steps - 1 - up, t = (double)point->step;
    if (t <= up)
        return up > 0 ? between(low, 1, t / up) : 1;
    return between(1, last, down > 0 ? (t - up) / down : 1);
}

static const struct option_spec one_cycle_options[] = {
    SCHEDULE_WARMUP_OPTION,
    {.name = "peak",
     .type = OPTION_REAL,
     .offset = offsetof(struct one_cycle_options, peak),
     .initial = "0.3",
     .help = "the fraction of the steps at which the rate is highest",
     .min = 0,
     .max = 1},
    {.name = "start",
     .type = OPTION_REAL,
     .offset = offsetof(struct one_cycle_options, start),
     .initial = "25",
     .help = "the first rate is the rate divided by this",
     .min = 1,
     .max = 1e9},
    {.name = "end",
     .type = OPTION_REAL,
     .offset = offsetof(struct one_cycle_options, end),
     .initial = "1e4",
     .help = "the last rate is the first divided by this",
     .min = 1,
     .max = 1e12},
};

extern const struct schedule schedule_one_cycle;
const struct schedule schedule_one_cycle = {
    .name = "one-cycle",
    .summary = "up along a cosine, then down to almost 0",
    .formula = "from 1/start up to 1 at peak*N, then down to 1/(start*end), each along half a cosine",
    .options = one_cycle_options,
    .n_options = sizeof one_cycle_options / sizeof *one_cycle_options,
    .options_size = sizeof(struct one_cycle_options),
    .factor = one_cycle_factor,
};
