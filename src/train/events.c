/* events.c: see events.h. */
#include "train/events.h"

#include "nn/network.h"

static struct parameters *parameters_of(const struct stage *stage, int learner)
{
    return stage->learners[learner].network->parameters;
}

void events_begin(const struct stage *stage)
{
    for (int i = 0; i < stage->n_events; i++)
        if (stage->events[i].what == EVENT_AVERAGE)
            parameters_copy(parameters_of(stage, stage->events[i].to), parameters_of(stage, stage->events[i].from));
}

/* event_rate: with a ramp the average is at first the mean of all values so far. */
static double event_rate(const struct event *event, int64_t step)
{
    double most = 1 - 1 / (double)(step + 1);
    return event->ramp && most < event->rate ? most : event->rate;
}

void events_run(const struct stage *stage, enum event_when when, int64_t step, const struct kernels *table)
{
    for (int i = 0; i < stage->n_events; i++) {
        const struct event *event = &stage->events[i];
        struct parameters *to = parameters_of(stage, event->to);
        const struct parameters *from = parameters_of(stage, event->from);
        if (event->when != when)
            continue;
        if (event->what == EVENT_COPY)
            parameters_copy(to, from);
        else
            parameters_average(to, from, event_rate(event, step), table);
    }
}
