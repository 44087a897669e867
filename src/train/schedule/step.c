/* step.c: times a factor every so many epochs: PyTorch's StepLR, stepped once an epoch. */
#include "train/schedule/schedule.h"

#include <math.h>

struct step_options {
    struct schedule_common common;
    double every, factor;
};

static double step_factor(const struct schedule_point *point, const void *options)
{
    const struct step_options *o = options;
    int64_t length = schedule_steps(point, o->every);
    return pow(o->factor, (double)(length > 0 ? point->step / length : point->step));
}

static const struct option_spec step_options[] = {
    SCHEDULE_WARMUP_OPTION,
    {.name = "every",
     .type = OPTION_REAL,
     .offset = offsetof(struct step_options, every),
     .help = "epochs from one change of the rate to the next",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_REQUIRED | OPTION_ABOVE_MIN},
    {.name = "factor",
     .type = OPTION_REAL,
     .offset = offsetof(struct step_options, factor),
     .initial = "0.1",
     .help = "what the rate is multiplied by each time",
     .min = 0,
     .max = 1e3,
     .flags = OPTION_ABOVE_MIN},
};

extern const struct schedule schedule_step;
const struct schedule schedule_step = {
    .name = "step",
    .summary = "the rate is multiplied by a factor every so many epochs",
    .formula = "factor^floor(epoch / every)",
    .options = step_options,
    .n_options = sizeof step_options / sizeof *step_options,
    .options_size = sizeof(struct step_options),
    .factor = step_factor,
};
