/* average.c: a stage whose result is the moving average of what its subject goes through.
 *
 *     average = a average + (1 - a) subject     after each step, running statistics too
 *
 * a = decay, and with a ramp at most 1 - 1/(step + 1): until then the average is the mean of all steps so far.
 * Polyak, Juditsky 1992; Tarvainen, Valpola 2017, arXiv 1703.01780. */
#include "scheme/scheme.h"

#include <string.h>

/* grown: a copy of `count` items with room for one more, the first of them. */
static void *grown(struct arena *arena, const void *from, int count, size_t size)
{
    char *to = arena_take(arena, (size_t)count + 1, size);
    if (to && count)
        memcpy(to, from, (size_t)count * size);
    return to;
}

enum status stage_follower(struct context *ctx, struct arena *arena, struct stage *stage, struct learner learner,
                           struct event event)
{
    struct learner *learners = grown(arena, stage->learners, stage->n_learners, sizeof *learners);
    struct event *events = grown(arena, stage->events, stage->n_events, sizeof *events);
    if (!learners || !events)
        return ctx->error.status;
    learners[stage->n_learners] = learner;
    events[stage->n_events] = event;
    stage->learners = learners;
    stage->events = events;
    stage->subject = stage->n_learners++;
    stage->n_events++;
    return STATUS_OK;
}

enum status stage_average(struct context *ctx, struct arena *arena, struct stage *stage, struct network *average)
{
    const struct average *how = &stage->budget.average;
    const struct event event = {.when = EVENT_STEP,
                                .what = EVENT_AVERAGE,
                                .from = stage->subject,
                                .to = stage->n_learners,
                                .rate = how->decay,
                                .ramp = how->ramp};
    return stage_follower(ctx, arena, stage, (struct learner){.name = "average", .network = average}, event);
}
