/* sweep.c: retort_sweep. */
#include "api/run_calls.h"

#include "base/file.h"
#include "report/report.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

struct retort_sweep_params retort_sweep_defaults(void)
{
    return (struct retort_sweep_params){0};
}

static enum status params_check(struct context *ctx, const struct retort_sweep_params *params)
{
    if (params->recipe_count > INT_MAX || params->set_count > INT_MAX)
        return fail(ctx, STATUS_BAD_INPUT, "too many recipes or values to set");
    if (params->resume && (params->recipe_count > 0 || params->set_count > 0))
        return fail(ctx, STATUS_BAD_INPUT, "a sweep is resumed with its own recipes; expected none, found %s",
                    params->recipe_count > 0 ? params->recipes[0] : params->sets[0]);
    if (params->resume && params->force)
        return fail(ctx, STATUS_BAD_INPUT, "expected resume or force, found both");
    if (!params->resume && params->recipe_count == 0)
        return fail(ctx, STATUS_BAD_INPUT, "expected at least one recipe, found none");
    return needs(ctx, "a folder for the sweep", params->folder);
}

/* page_is_new: made after the run's result. */
static bool page_is_new(struct context *ctx, const char *folder)
{
    struct stat page, result;
    char *page_path = path_join(ctx, folder, "report.html"), *result_path = path_join(ctx, folder, "result.json");
    bool both =
        page_path != NULL && result_path != NULL && stat(page_path, &page) == 0 && stat(result_path, &result) == 0;
    memory_free(ctx, page_path);
    memory_free(ctx, result_path);
    return both && (page.st_mtim.tv_sec > result.st_mtim.tv_sec ||
                    (page.st_mtim.tv_sec == result.st_mtim.tv_sec && page.st_mtim.tv_nsec >= result.st_mtim.tv_nsec));
}

static enum status run_done(struct context *ctx, void *user, const char *folder)
{
    (void)user;
    return page_is_new(ctx, folder) ? ctx->error.status : report_make(ctx, folder);
}

/* --- the page that compares --- */

static double number_at(const struct value *run, const char *path)
{
    const struct value *value = value_path(run, path);
    return value != NULL && (value->kind == VALUE_REAL || value->kind == VALUE_INTEGER) ? value->real : -INFINITY;
}

/* comes_before: by gain, then by accuracy; what has none, last. */
static bool comes_before(const struct value *a, const struct value *b)
{
    double gain_a = number_at(a, "gain.mean"), gain_b = number_at(b, "gain.mean");
    return gain_a != gain_b ? gain_a > gain_b : number_at(a, "distilled.mean") > number_at(b, "distilled.mean");
}

const struct value **sweep_by_gain(struct arena *arena, const struct value *runs)
{
    const struct value **sorted = arena_take(arena, runs->count, sizeof *sorted);
    for (size_t i = 0; sorted != NULL && i < runs->count; i++) {
        size_t at = i;
        for (; at > 0 && comes_before(runs->items[i], sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = runs->items[i];
    }
    return sorted;
}

/* failures_note: which runs the page cannot show; NULL: none, or no memory. */
static const char *failures_note(struct arena *arena, const struct value *runs)
{
    const char *note = NULL;
    for (size_t i = 0; i < runs->count; i++)
        if (strcmp(value_get(runs->items[i], "state")->text, "failed") == 0)
            note = arena_format(arena, "%s %s: %s.", note != NULL ? note : "Failed, and so not in the table:",
                                value_get(runs->items[i], "name")->text, value_get(runs->items[i], "error")->text);
    return note;
}

/* page_make: of the runs that came to an end; *page: NULL where none did. */
static enum status page_make(struct retort_result *result, const char **page)
{
    struct context *ctx = &result->ctx;
    const struct value *runs = value_get(result->root, "runs"), **sorted = sweep_by_gain(result->arena, runs);
    const char **folders = arena_take(result->arena, runs->count, sizeof *folders);
    int count = 0;
    *page = NULL;
    if (sorted == NULL || folders == NULL)
        return ctx->error.status;
    for (size_t i = 0; i < runs->count; i++)
        if (strcmp(value_get(sorted[i], "state")->text, "done") == 0)
            folders[count++] =
                arena_format(result->arena, "%s/%s", result->folder, value_get(sorted[i], "folder")->text);
    if (count == 0 || ctx->error.status != STATUS_OK)
        return ctx->error.status;
    *page = arena_format(result->arena, "%s/report.html", result->folder);
    const char *note = failures_note(result->arena, runs);
    return *page != NULL ? report_write_noted(ctx, folders, count, *page, note) : ctx->error.status;
}

static enum status sweep_finish(struct retort_result *result)
{
    const char *page = NULL;
    enum status status = page_make(result, &page);
    if (status != STATUS_OK && result->ctx.error.status != STATUS_NO_MEMORY) {
        struct error first = result->ctx.error;
        error_clear(&result->ctx);
        return fail(&result->ctx, first.status,
                    "the runs are complete, but the page that compares them is not: %.1500s", first.message);
    }
    RETURN_IF(status);
    struct value *path = page != NULL ? value_text(result->arena, page) : value_null(result->arena);
    return value_set(result->arena, result->root, "report", path) != NULL ? STATUS_OK : result->ctx.error.status;
}

/* recipe_blamed: the recipe that the message is about; NULL: none. */
static const char *recipe_blamed(const struct retort_sweep_params *params, const char *message)
{
    for (size_t i = 0; i < params->recipe_count; i++) {
        size_t length = strlen(params->recipes[i]);
        if (strncmp(message, params->recipes[i], length) == 0 && message[length] == ':')
            return params->recipes[i];
    }
    return NULL;
}

enum retort_status retort_sweep(struct retort_context *context, const struct retort_sweep_params *params,
                                struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct listener listener = {context, params->progress, params->user};
    struct sweep_options options = {.recipes = params->recipes,
                                    .n_recipes = (int)params->recipe_count,
                                    .sets = params->sets,
                                    .n_sets = (int)params->set_count,
                                    .folder = params->folder,
                                    .resume = params->resume,
                                    .force = params->force,
                                    .jobs = params->jobs > 0 ? params->jobs : 1,
                                    .version = retort_version(),
                                    .progress = params->progress != NULL ? listener_forward : NULL,
                                    .done = run_done,
                                    .user = &listener};
    enum status status = params_check(ctx, params);
    if (status == STATUS_OK)
        status = run_sweep(ctx, result->arena, &options, &result->root);
    result->folder = params->folder != NULL ? arena_text(result->arena, params->folder) : NULL;
    if (status == STATUS_OK)
        status = sweep_finish(result);
    result->view = view_sweep;
    result->rows = "runs";
    return call_end(context, result, status, recipe_blamed(params, ctx->error.message), out);
}
