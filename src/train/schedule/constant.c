/* constant.c: factor 1. */
#include "train/schedule/schedule.h"

static double constant_factor(const struct schedule_point *point, const void *options)
{
    (void)point;
    (void)options;
    return 1;
}

static const struct option_spec constant_options[] = {SCHEDULE_WARMUP_OPTION};

extern const struct schedule schedule_constant;
const struct schedule schedule_constant = {
    .name = "constant",
    .summary = "the rate stays as it is",
    .formula = "1",
    .options = constant_options,
    .n_options = 1,
    .options_size = sizeof(struct schedule_common),
    .factor = constant_factor,
};
