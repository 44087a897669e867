/* jobs.c: the jobs that take a moment: eval, predict, record, inspect, loss, report. */
#include "api/call.h"

#include "base/file.h"
#include "report/report.h"
#include "run/run.h"

#include <limits.h>

/* --- eval, predict and record --- */

struct retort_eval_params retort_eval_defaults(void)
{
    return (struct retort_eval_params){.split = "test"};
}

struct retort_predict_params retort_predict_defaults(void)
{
    return (struct retort_predict_params){.of = retort_eval_defaults()};
}

static enum status eval_check(struct context *ctx, const struct retort_eval_params *params)
{
    if (params->model_count < 1 || params->model_count > INT_MAX)
        return fail(ctx, STATUS_BAD_INPUT, "expected a model file, found none");
    return needs(ctx, "data", params->data);
}

static struct run_evaluation evaluation_of(const struct retort_eval_params *params)
{
    return (struct run_evaluation){.models = params->models,
                                   .n_models = (int)params->model_count,
                                   .mean_logit = params->combine == RETORT_MEAN_LOGIT,
                                   .data = params->data,
                                   .split = params->split,
                                   .early_exit = params->early_exit,
                                   .threshold = params->threshold};
}

enum retort_status retort_eval(struct retort_context *context, const struct retort_eval_params *params,
                               struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct run_evaluation asked = evaluation_of(params);
    enum status status = eval_check(&result->ctx, params);
    if (status == STATUS_OK)
        status = needs(&result->ctx, "a split", params->split);
    if (status == STATUS_OK)
        status = run_evaluate(&result->ctx, result->arena, &asked, &result->root);
    result->view = view_eval;
    return call_end(context, result, status, params->data, out);
}

enum retort_status retort_predict(struct retort_context *context, const struct retort_predict_params *params,
                                  struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct run_evaluation asked = evaluation_of(&params->of);
    enum status status = eval_check(&result->ctx, &params->of);
    if (status == STATUS_OK)
        status = needs(&result->ctx, "a split", params->of.split);
    if (status == STATUS_OK)
        status = needs(&result->ctx, "a file to write", params->out);
    if (status == STATUS_OK)
        status = run_predict(&result->ctx, result->arena, &asked, params->out, &result->root);
    result->view = view_fields;
    return call_end(context, result, status, params->of.data, out);
}

struct retort_record_params retort_record_defaults(void)
{
    return (struct retort_record_params){0};
}

static enum status record_check(struct context *ctx, const struct retort_record_params *params)
{
    RETURN_IF(eval_check(ctx, &params->of));
    RETURN_IF(needs(ctx, "a file to write", params->out));
    if (params->of.split != NULL)
        return fail(ctx, STATUS_BAD_INPUT, "every sample of the training files is recorded: expected no split");
    if (params->of.early_exit)
        return fail(ctx, STATUS_BAD_INPUT, "the logits of the whole model are recorded: expected no early exit");
    if (params->top < 0 || params->layer_count > INT_MAX)
        return fail(ctx, STATUS_BAD_INPUT, "top: expected 0 or more classes, found %lld", (long long)params->top);
    return STATUS_OK;
}

enum retort_status retort_record(struct retort_context *context, const struct retort_record_params *params,
                                 struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct run_recording asked = {.of = evaluation_of(&params->of),
                                  .out = params->out,
                                  .probabilities = params->probabilities,
                                  .top = params->top,
                                  .layers = params->layers,
                                  .n_layers = (int)params->layer_count};
    enum status status = record_check(&result->ctx, params);
    if (status == STATUS_OK)
        status = run_record(&result->ctx, result->arena, &asked, &result->root);
    result->view = view_fields;
    return call_end(context, result, status, params->of.data, out);
}

/* --- inspect --- */

struct retort_inspect_params retort_inspect_defaults(void)
{
    return (struct retort_inspect_params){.network = "student"};
}

enum retort_status retort_inspect(struct retort_context *context, const struct retort_inspect_params *params,
                                  struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct run_inspection asked = {.path = params->path,
                                   .which = params->network,
                                   .plan = params->plan,
                                   .batch = params->batch,
                                   .sets = params->sets,
                                   .n_sets = (int)params->set_count};
    enum status status = needs(ctx, "a model file or a recipe", params->path);
    if (status == STATUS_OK)
        status = needs(ctx, "student or teacher", params->network);
    if (status == STATUS_OK && (params->batch < 0 || params->batch > 65536))
        status = fail(ctx, STATUS_BAD_INPUT, "batch: expected 1 to 65536, or 0 for the recipe's, found %lld",
                      (long long)params->batch);
    if (status == STATUS_OK)
        status = run_inspect(ctx, result->arena, &asked, &result->root);
    result->view = params->plan ? view_plan : view_inspect;
    result->rows = params->plan ? "steps" : "layers";
    /* A model's mistakes are the file's, a recipe's are the user's. */
    bool recipe = params->path != NULL && !run_inspects_model(params->path);
    return call_end(context, result, status, recipe ? params->path : NULL, out);
}

/* --- loss --- */

struct retort_loss_params retort_loss_defaults(void)
{
    return (struct retort_loss_params){0};
}

enum retort_status retort_loss(struct retort_context *context, const struct retort_loss_params *params,
                               struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct run_loss asked = {.method = params->method,
                             .student = params->student,
                             .teacher = params->teacher,
                             .n_student = (int)params->student_count,
                             .n_teacher = (int)params->teacher_count,
                             .labels = params->labels,
                             .sets = params->sets,
                             .own = params->own,
                             .n_sets = (int)params->set_count,
                             .n_own = (int)params->own_count,
                             .gradients = params->gradients};
    enum status status = needs(&result->ctx, "a method", params->method);
    if (status == STATUS_OK)
        status = run_loss(&result->ctx, result->arena, &asked, &result->root);
    result->view = view_fields;
    enum retort_status ended = call_end(context, result, status, NULL, out);
    /* The arrays are arguments of the call: what does not fit in them is the caller's mistake. */
    return ended == RETORT_BAD_FILE || ended == RETORT_UNSUPPORTED ? RETORT_USAGE : ended;
}

/* --- report --- */

struct retort_report_params retort_report_defaults(void)
{
    return (struct retort_report_params){0};
}

static enum status report_check(struct context *ctx, const struct retort_report_params *params)
{
    if (params->folder_count < 1 || params->folder_count > INT_MAX)
        return fail(ctx, STATUS_BAD_INPUT, "expected the folder of a run, found none");
    if (params->folder_count > 1 && params->out == NULL)
        return fail(ctx, STATUS_BAD_INPUT, "a page that compares %zu runs needs a file to be written to, found none",
                    params->folder_count);
    return STATUS_OK;
}

enum retort_status retort_report(struct retort_context *context, const struct retort_report_params *params,
                                 struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct arena *arena = result->arena;
    enum status status = report_check(ctx, params);
    if (status == STATUS_OK)
        status = report_write(ctx, params->folders, (int)params->folder_count, params->out);
    if (status == STATUS_OK) {
        char *path =
            params->out != NULL ? memory_text(ctx, params->out) : path_join(ctx, params->folders[0], "report.html");
        if (path != NULL)
            result->root = value_set(arena, value_map(arena), "report", value_text(arena, path));
        memory_free(ctx, path);
        status = ctx->error.status;
    }
    result->view = view_fields;
    return call_end(context, result, status, NULL, out);
}
