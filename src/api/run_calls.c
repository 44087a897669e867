/* run_calls.c: see run_calls.h. */
#include "api/run_calls.h"

#include "report/report.h"

void listener_forward(void *user, const struct run_progress *from)
{
    const struct listener *listener = user;
    struct retort_progress progress = {.stage = from->stage,
                                       .step = from->step,
                                       .steps = from->steps,
                                       .epoch = from->epoch,
                                       .epochs = from->epochs,
                                       .loss = from->loss,
                                       .samples_per_second = from->samples_per_second,
                                       .seconds_left = from->seconds_left,
                                       .validation_accuracy = from->validation_accuracy,
                                       .epoch_end = from->epoch_end,
                                       .finished = from->finished,
                                       .stages_done = from->stages_done,
                                       .stages = from->stages};
    pthread_mutex_lock(&listener->context->lock);
    listener->progress(listener->user, &progress);
    pthread_mutex_unlock(&listener->context->lock);
}

enum status report_make(struct context *ctx, const char *folder)
{
    enum status status = report_write(ctx, &folder, 1, NULL);
    if (status != STATUS_OK && ctx->error.status != STATUS_NO_MEMORY) {
        struct error first = ctx->error;
        error_clear(ctx);
        fail(ctx, first.status, "the run is complete, but its report is not: %.1500s. To make it: retort report %.400s",
             first.message, folder);
    }
    return status;
}
