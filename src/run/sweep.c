/* sweep.c: carries out the runs of a sweep, one after another or side by side. */
#include "run/sweep.h"

#include "base/thread.h"
#include "run/share.h"

#include <stdio.h>
#include <string.h>

/* Who hears of one run's progress, under the run's name. */
struct sweep_listener {
    const struct sweep_options *options;
    const char *run;
};

static void progress_named(void *user, const struct run_progress *progress)
{
    const struct sweep_listener *listener = user;
    char stage[256];
    struct run_progress named = *progress;
    snprintf(stage, sizeof stage, "%s/%s", listener->run, progress->stage);
    named.stage = stage;
    listener->options->progress(listener->options->user, &named);
}

/* run_options_of: begun already by this sweep: goes on; else it is new. */
static enum status run_options_of(struct context *ctx, struct arena *arena, struct sweep *sweep,
                                  const struct sweep_run *run, struct run_options *options)
{
    const struct sweep_options *asked = sweep->options;
    const char *folder = folder_file(arena, &sweep->folder, "runs/%s", run->name);
    if (!folder)
        return ctx->error.status;
    bool begun = folder_begun(ctx, arena, folder, sweep->id, run->sha256);
    /* 0: the run decides by the size of its students. */
    int jobs = asked->jobs > 1 ? (ctx->threads > asked->jobs ? ctx->threads / asked->jobs : 1) : 0;
    *options = (struct run_options){.recipe = begun ? NULL : sweep_recipe(arena, sweep, run),
                                    .folder = folder,
                                    .resume = begun,
                                    .force = !begun && sweep->forced,
                                    .jobs = jobs,
                                    .share = sweep->share,
                                    .sweep = sweep->id,
                                    .version = asked->version};
    return begun || options->recipe ? STATUS_OK : ctx->error.status;
}

static enum status run_carry_out(struct context *ctx, struct arena *arena, struct sweep *sweep,
                                 const struct sweep_run *run, struct value **result)
{
    struct sweep_listener listener = {sweep->options, run->name};
    struct run_options options;
    const char *folder = NULL;
    RETURN_IF(run_options_of(ctx, arena, sweep, run, &options));
    options.progress = sweep->options->progress ? progress_named : NULL;
    options.user = &listener;
    RETURN_IF(run_distill(ctx, arena, &options, &folder, result));
    return sweep->options->done ? sweep->options->done(ctx, sweep->options->user, folder) : STATUS_OK;
}

/* run_note: what came of the run. */
static enum status run_note(struct context *ctx, struct arena *arena, struct sweep *sweep, struct sweep_run *run,
                            const struct error *error, const struct value *result)
{
    struct value *document;
    pthread_mutex_lock(&sweep->lock);
    run->state = error->status == STATUS_OK ? SWEEP_DONE : SWEEP_FAILED;
    run->error = error->status == STATUS_OK ? NULL : arena_text(sweep->arena, error->message);
    run->figures = error->status == STATUS_OK ? sweep_figures(sweep->arena, result) : NULL;
    enum status status = sweep_write(ctx, arena, sweep, &document);
    pthread_mutex_unlock(&sweep->lock);
    return status;
}

/* run_piece: piece i of the work: run i. Its failure is its own; an interruption is everybody's. */
static enum status run_piece(struct context *ctx, void *user, int i)
{
    struct sweep *sweep = user;
    struct sweep_run *run = &sweep->runs[i];
    struct context own;
    struct value *result = NULL;
    if (context_cancelled(ctx))
        return fail(ctx, STATUS_CANCELLED, "interrupted");
    context_child(ctx, &own);
    struct arena *arena = arena_new(&own);
    if (!arena)
        return context_adopt_error(ctx, &own);
    enum status status = run_carry_out(&own, arena, sweep, run, &result);
    if (status == STATUS_CANCELLED)
        fail(ctx, status, "%s", own.error.message);
    else
        status = run_note(ctx, arena, sweep, run, &own.error, result);
    if (run->state == SWEEP_FAILED)
        log_line(ctx, LOG_WARNING, "%s failed: %s; the others go on", run->name, own.error.message);
    arena_free(arena);
    return status;
}

/* shares_add: the stages that the runs have, so that those of several are known before the first begins. */
static enum status shares_add(struct sweep *sweep)
{
    const char *folder = folder_file(sweep->arena, &sweep->folder, "shared");
    sweep->share = folder ? share_new(sweep->ctx, sweep->arena, folder, sweep->id) : NULL;
    if (!sweep->share)
        return sweep->ctx->error.status;
    for (size_t i = 0; i < sweep->count; i++)
        for (size_t k = 0; k < sweep->runs[i].shared->count; k++)
            RETURN_IF(share_add(sweep->share, sweep->runs[i].shared->items[k]->text, sweep->runs[i].sha256));
    return STATUS_OK;
}

enum status run_sweep(struct context *ctx, struct arena *arena, const struct sweep_options *options,
                      struct value **result)
{
    enum status status = STATUS_OK;
    struct sweep sweep = {.ctx = ctx, .arena = arena, .options = options};
    *result = NULL;
    pthread_mutex_init(&sweep.lock, NULL);
    TRY(sweep_open(&sweep));
    TRY(shares_add(&sweep));
    status = jobs_run(ctx, options->jobs, (int)sweep.count, run_piece, &sweep);
    if (status == STATUS_CANCELLED) {
        error_clear(ctx);
        TRY(fail(ctx, status, "interrupted; everything is saved. Go on with: retort sweep --resume %s",
                 options->folder));
    }
    TRY(status);
    TRY(sweep_write(ctx, arena, &sweep, result));
cleanup:
    share_free(sweep.share);
    folder_close(ctx, &sweep.folder);
    pthread_mutex_destroy(&sweep.lock);
    return status;
}
