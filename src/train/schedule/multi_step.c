/* multi_step.c: times a factor at each of the named epochs: PyTorch's MultiStepLR, stepped once an epoch. */
#include "train/schedule/schedule.h"

#include <math.h>

struct multi_step_options {
    struct schedule_common common;
    struct option_reals milestones;
    double factor;
};

static double multi_step_factor(const struct schedule_point *point, const void *options)
{
    const struct multi_step_options *o = options;
    int passed = 0;
    for (size_t i = 0; i < o->milestones.count; i++)
        passed += point->step >= schedule_steps(point, o->milestones.values[i]);
    return pow(o->factor, passed);
}

static const struct option_spec multi_step_options[] = {
    SCHEDULE_WARMUP_OPTION,
    {.name = "milestones",
     .type = OPTION_REALS,
     .offset = offsetof(struct multi_step_options, milestones),
     .help = "the epochs after which the rate changes, in any order",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_REQUIRED},
    {.name = "factor",
     .type = OPTION_REAL,
     .offset = offsetof(struct multi_step_options, factor),
     .initial = "0.1",
     .help = "what the rate is multiplied by at each of them",
     .min = 0,
     .max = 1e3,
     .flags = OPTION_ABOVE_MIN},
};

extern const struct schedule schedule_multi_step;
const struct schedule schedule_multi_step = {
    .name = "multi-step",
    .summary = "the rate is multiplied by a factor at each of the named epochs",
    .formula = "factor^(how many milestones the epoch has reached)",
    .options = multi_step_options,
    .n_options = sizeof multi_step_options / sizeof *multi_step_options,
    .options_size = sizeof(struct multi_step_options),
    .factor = multi_step_factor,
};
