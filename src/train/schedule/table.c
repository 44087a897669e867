/* table.c: every schedule, and the warm-up that all share. */
#include "train/schedule/schedule.h"

#define SCHEDULE(name) extern const struct schedule schedule_##name;
#include "train/schedule/schedules.def"
#undef SCHEDULE

const struct schedule *const schedule_table[] = {
#define SCHEDULE(name) &schedule_##name,
#include "train/schedule/schedules.def"
#undef SCHEDULE
};
const size_t schedule_table_count = sizeof schedule_table / sizeof *schedule_table;

int64_t schedule_steps(const struct schedule_point *point, double epochs)
{
    return (int64_t)(epochs * (double)point->epoch_steps + 0.5);
}

double schedule_factor(const struct schedule *schedule, const struct schedule_point *point, const void *options)
{
    const struct schedule_common *common = options;
    int64_t warm = schedule_steps(point, common->warmup);
    if (warm > point->steps)
        warm = point->steps;
    if (point->step < warm)
        return (double)(point->step + 1) / (double)warm;
    struct schedule_point rest = {point->step - warm, point->steps - warm, point->epoch_steps};
    return schedule->factor(&rest, options);
}
