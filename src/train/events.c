/* events.c: see events.h. */
#include "train/events.h"

#include "nn/network.h"

#include <string.h>

static struct parameters *parameters_of(const struct stage *stage, int learner)
{
    return stage->learners[learner].network->parameters;
}

/* assemble: entries that do not fit are the maker's mistake, and keep their values. */
static void assemble(const struct stage_graph *built, const struct event *event)
{
    struct parameters *to = parameters_of(built->stage, event->to);
    for (int i = 0; i < event->n_pieces; i++) {
        const struct piece *piece = &event->pieces[i];
        const struct parameters *from =
            piece->learner >= 0 ? parameters_of(built->stage, piece->learner) : built->own[piece->term].parameters;
        const int at = parameters_find(to, piece->to), source = parameters_find(from, piece->from);
        if (at >= 0 && source >= 0 && to->entries[at].elements == from->entries[source].elements)
            memcpy(parameters_value(to, at), parameters_value(from, source),
                   (size_t)to->entries[at].elements * element_size(to->element));
    }
    parameters_touch(to);
}

/* event_rate: with a ramp the average is at first the mean of all values so far. */
static double event_rate(const struct event *event, int64_t step)
{
    double most = 1 - 1 / (double)(step + 1);
    return event->ramp && most < event->rate ? most : event->rate;
}

void events_begin(const struct stage_graph *built)
{
    const struct stage *stage = built->stage;
    for (int i = 0; i < stage->n_events; i++)
        if (stage->events[i].what == EVENT_ASSEMBLE)
            assemble(built, &stage->events[i]);
        else if (stage->events[i].what != EVENT_WEIGH)
            parameters_copy(parameters_of(stage, stage->events[i].to), parameters_of(stage, stage->events[i].from));
}

/* due: is it the event's turn after `count` times? */
static bool due(const struct event *event, enum event_when when, int64_t count)
{
    return event->when == when && (event->every <= 1 || count % event->every == 0);
}

void events_run(const struct stage_graph *built, enum event_when when, int64_t index, const struct kernels *table)
{
    const struct stage *stage = built->stage;
    for (int i = 0; i < stage->n_events; i++) {
        const struct event *event = &stage->events[i];
        if (!due(event, when, index + 1) || event->what == EVENT_WEIGH)
            continue;
        if (event->what == EVENT_ASSEMBLE) {
            assemble(built, event);
            continue;
        }
        struct parameters *to = parameters_of(stage, event->to);
        const struct parameters *from = parameters_of(stage, event->from);
        if (event->what == EVENT_COPY)
            parameters_copy(to, from);
        else
            parameters_average(to, from, event_rate(event, index), table);
    }
}
