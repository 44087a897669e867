/* distill.c: retort_distill and retort_train. */
#include "api/call.h"

#include "base/file.h"
#include "report/report.h"
#include "run/run.h"

#include <limits.h>

struct retort_distill_params retort_distill_defaults(void)
{
    return (struct retort_distill_params){0};
}

struct retort_distill_params retort_train_defaults(void)
{
    return retort_distill_defaults();
}

struct listener {
    struct retort_context *context;
    const struct retort_distill_params *params;
};

static void progress_forward(void *user, const struct run_progress *from)
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
    listener->params->progress(listener->params->user, &progress);
    pthread_mutex_unlock(&listener->context->lock);
}

static enum status params_check(struct context *ctx, const struct retort_distill_params *params)
{
    if (params->resume && params->recipe != NULL)
        return fail(ctx, STATUS_BAD_INPUT, "a run is resumed with its own recipe; expected no recipe, found %s",
                    params->recipe);
    if (params->resume && params->force)
        return fail(ctx, STATUS_BAD_INPUT, "expected resume or force, found both");
    if (params->resume && params->set_count > 0)
        return fail(ctx, STATUS_BAD_INPUT, "a run is resumed with its own recipe; expected no --set, found %s",
                    params->sets[0]);
    if (params->set_count > INT_MAX)
        return fail(ctx, STATUS_BAD_INPUT, "too many values to set");
    if (params->resume)
        return needs(ctx, "the folder of a run", params->folder);
    return needs(ctx, "a recipe", params->recipe);
}

/* report_make: the run stands, also where its page cannot be made. */
static enum status report_make(struct context *ctx, const char *folder)
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

static enum retort_status distill(struct retort_context *context, const struct retort_distill_params *params,
                                  bool student_only, struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct listener listener = {context, params};
    struct run_options options = {.recipe = params->recipe,
                                  .sets = params->sets,
                                  .n_sets = (int)params->set_count,
                                  .folder = params->folder,
                                  .resume = params->resume,
                                  .force = params->force,
                                  .student_only = student_only,
                                  .profile = params->profile,
                                  .jobs = params->jobs > 0 ? params->jobs : ctx->threads,
                                  .version = retort_version(),
                                  .progress = params->progress != NULL ? progress_forward : NULL,
                                  .user = &listener};
    char *recipe = NULL;
    enum status status = params_check(ctx, params);
    if (status == STATUS_OK && params->resume)
        recipe = path_join(ctx, params->folder, "recipe.yaml");
    if (status == STATUS_OK)
        status = run_distill(ctx, result->arena, &options, &result->folder, &result->root);
    if (status == STATUS_OK)
        status = report_make(ctx, result->folder);
    result->view = view_run;
    result->rows = "stages";
    struct context own = *ctx;
    enum retort_status ended = call_end(context, result, status, recipe != NULL ? recipe : params->recipe, out);
    memory_free(&own, recipe);
    return ended;
}

enum retort_status retort_distill(struct retort_context *context, const struct retort_distill_params *params,
                                  struct retort_result **result)
{
    return distill(context, params, false, result);
}

enum retort_status retort_train(struct retort_context *context, const struct retort_distill_params *params,
                                struct retort_result **result)
{
    return distill(context, params, true, result);
}
