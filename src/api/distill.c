/* distill.c: retort_distill and retort_train. */
#include "api/run_calls.h"

#include "base/file.h"

#include <limits.h>

struct retort_distill_params retort_distill_defaults(void)
{
    return (struct retort_distill_params){0};
}

struct retort_distill_params retort_train_defaults(void)
{
    return retort_distill_defaults();
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

static enum retort_status distill(struct retort_context *context, const struct retort_distill_params *params,
                                  bool student_only, struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct listener listener = {context, params->progress, params->user};
    struct run_options options = {.recipe = params->recipe,
                                  .sets = params->sets,
                                  .n_sets = (int)params->set_count,
                                  .folder = params->folder,
                                  .resume = params->resume,
                                  .force = params->force,
                                  .student_only = student_only,
                                  .profile = params->profile,
                                  .jobs = params->jobs,
                                  .version = retort_version(),
                                  .progress = params->progress != NULL ? listener_forward : NULL,
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
