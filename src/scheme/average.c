/* average.c: a stage whose result is the moving average of what its subject goes through.
 *
 *     average = a average + (1 - a) subject     after each step, running statistics too
 *
 * a = decay, and with a ramp at most 1 - 1/(step + 1): until then the average is the mean of all steps so far.
 * Polyak, Juditsky 1992; Tarvainen, Valpola 2017, arXiv 1703.01780. */
#include "scheme/build.h"

enum status stage_follower(struct context *ctx, struct arena *arena, struct stage *stage, struct learner learner,
                           struct event event)
{
    const int follower = stage_learner(arena, stage, learner);
    if (follower < 0 || stage_event(arena, stage, event) < 0)
        return ctx->error.status;
    stage->subject = follower;
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
