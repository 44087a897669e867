/* schedule.h: the course of the rate over a stage. One file train/schedule/NAME.c and one line in schedules.def. */
#ifndef TRAIN_SCHEDULE_SCHEDULE_H
#define TRAIN_SCHEDULE_SCHEDULE_H

#include "base/option.h"

/* Where a stage is: step of steps (evaluated at 0 … steps-1). */
struct schedule_point {
    int64_t step, steps;
    int64_t epoch_steps; /* steps in an epoch */
};

/* Every schedule's options begin with this. */
struct schedule_common {
    double
        warmup; /* epochs of linear warm-up: the factor (step+1)/(warm-up's steps); the schedule then runs over the steps that are left */
};

struct schedule {
    const char *name, *summary, *formula;
    const struct option_spec *options;
    size_t n_options, options_size;
    /* factor: of the optimiser's rate, at step of steps (what warm-up left). */
    double (*factor)(const struct schedule_point *point, const void *options);
};

extern const struct schedule *const schedule_table[];
extern const size_t schedule_table_count;
extern const struct schedule schedule_cosine; /* of cycles; its options are struct schedule_common */

/* schedule_steps: whole steps in so many epochs. */
int64_t schedule_steps(const struct schedule_point *point, double epochs);
/* schedule_factor: with warm-up. */
double schedule_factor(const struct schedule *schedule, const struct schedule_point *point, const void *options);

#define SCHEDULE_WARMUP_OPTION                                                                                         \
    {                                                                                                                  \
        .name = "warmup", .type = OPTION_REAL, .offset = offsetof(struct schedule_common, warmup), .initial = "0",     \
        .help = "epochs of linear warm-up before it", .min = 0, .max = 1e6                                             \
    }

#endif
