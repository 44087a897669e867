/* cosine.c: half a cosine from 1 to 0. Loshchilov, Hutter 2017, arXiv 1608.03983. */
#include "train/schedule/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

static double cosine_factor(const struct schedule_point *point, const void *options)
{
    (void)options;
    return 0.5 * (1 + cos(PI * (double)point->step / (double)point->steps));
}

static const struct option_spec cosine_options[] = {SCHEDULE_WARMUP_OPTION};

extern const struct schedule schedule_cosine;
const struct schedule schedule_cosine = {
    .name = "cosine",
    .summary = "half a cosine from the rate to 0",
    .formula = "(1 + cos(pi t / N)) / 2",
    .options = cosine_options,
    .n_options = 1,
    .options_size = sizeof(struct schedule_common),
    .factor = cosine_factor,
};
