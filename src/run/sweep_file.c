/* sweep_file.c: a sweep's folder: sweep.json and the runs' recipes. */
#include "run/sweep.h"

#include "base/file.h"
#include "format/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *sweep_json(struct arena *arena, const struct sweep *sweep)
{
    return folder_file(arena, &sweep->folder, "sweep.json");
}

const char *sweep_recipe(struct arena *arena, const struct sweep *sweep, const struct sweep_run *run)
{
    return folder_file(arena, &sweep->folder, "recipes/%s.yaml", run->name);
}

enum status sweep_write(struct context *ctx, struct arena *arena, const struct sweep *sweep, struct value **document)
{
    struct text text;
    *document = sweep_document(arena, sweep);
    if (!*document)
        return STATUS_NO_MEMORY;
    text_init(&text, ctx);
    json_write(*document, &text, 1);
    text_add(&text, "\n");
    enum status status =
        text.failed ? ctx->error.status : folder_put(ctx, sweep_json(arena, sweep), text.bytes, text.length);
    text_free(&text);
    return status;
}

/* --- reading --- */

static enum status file_wrong(const struct sweep *sweep, const char *expected)
{
    return fail(sweep->ctx, STATUS_BAD_INPUT,
                "%s/sweep.json: expected %s, as retort sweep writes it; --force replaces the sweep", sweep->folder.path,
                expected);
}

/* text_at: NULL where there is none. */
static const char *text_at(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value && value->kind == VALUE_TEXT ? value->text : NULL;
}

static enum status run_read(struct sweep *sweep, const struct value *entry, struct sweep_run *run)
{
    *run = (struct sweep_run){.name = text_at(entry, "name"),
                              .recipe = text_at(entry, "recipe"),
                              .set = value_get(entry, "set"),
                              .sha256 = text_at(entry, "recipe_sha256"),
                              .shared = value_get(entry, "shared")};
    bool whole = run->name && run->recipe && run->set && run->sha256 && run->shared && run->shared->kind == VALUE_LIST;
    for (size_t i = 0; whole && i < run->shared->count; i++)
        whole = run->shared->items[i]->kind == VALUE_TEXT && !strchr(run->shared->items[i]->text, '/');
    if (!whole || run->name[0] == '\0' || run->name[0] == '.' || strchr(run->name, '/'))
        return file_wrong(sweep, "name, recipe, set, recipe_sha256 and shared of each run");
    return STATUS_OK;
}

static enum status sweep_read(struct sweep *sweep)
{
    struct value *root = NULL;
    RETURN_IF(json_read(sweep->ctx, sweep->arena, sweep_json(sweep->arena, sweep), &root));
    const struct value *runs = value_get(root, "runs"), *forced = value_get(root, "forced");
    sweep->id = text_at(root, "id");
    sweep->forced = forced && forced->kind == VALUE_BOOLEAN && forced->boolean;
    if (!sweep->id || !runs || runs->kind != VALUE_LIST || runs->count == 0)
        return file_wrong(sweep, "an id and runs");
    sweep->runs = arena_take(sweep->arena, runs->count, sizeof *sweep->runs);
    if (!sweep->runs)
        return sweep->ctx->error.status;
    for (; sweep->count < runs->count; sweep->count++)
        RETURN_IF(run_read(sweep, runs->items[sweep->count], &sweep->runs[sweep->count]));
    return STATUS_OK;
}

/* recipe_check: the recipe that lies there is the one that the run was planned with. */
static enum status recipe_check(struct sweep *sweep, const struct sweep_run *run)
{
    struct context *ctx = sweep->ctx;
    const char *path = sweep_recipe(sweep->arena, sweep, run);
    unsigned char *bytes = NULL;
    size_t count;
    char sha256[65];
    if (!path)
        return ctx->error.status;
    RETURN_IF(file_read(ctx, path, 0, &bytes, &count));
    sha256_hex(bytes, count, sha256);
    memory_free(ctx, bytes);
    if (strcmp(sha256, run->sha256) == 0)
        return STATUS_OK;
    return fail(
        ctx, STATUS_BAD_INPUT,
        "%s: expected the recipe that the sweep began with, found a changed one; undo the change, or start a new sweep",
        path);
}

/* --- a new one --- */

static enum status sweep_begin(struct sweep *sweep)
{
    struct context *ctx = sweep->ctx;
    struct timespec now;
    struct value *document;
    clock_gettime(CLOCK_REALTIME, &now);
    sweep->id = arena_format(sweep->arena, "%lld.%09ld-%ld", (long long)now.tv_sec, now.tv_nsec, (long)getpid());
    const char *recipes = folder_file(sweep->arena, &sweep->folder, "recipes");
    if (!sweep->id || !recipes)
        return ctx->error.status;
    RETURN_IF(directory_make(ctx, recipes));
    for (size_t i = 0; i < sweep->count; i++)
        RETURN_IF(folder_put(ctx, sweep_recipe(sweep->arena, sweep, &sweep->runs[i]), sweep->runs[i].text,
                             strlen(sweep->runs[i].text)));
    return sweep_write(ctx, sweep->arena, sweep, &document);
}

/* sweep_same: are the planned runs those of the sweep that is there? */
static bool sweep_same(const struct sweep *a, const struct sweep *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->runs[i].name, b->runs[i].name) == 0 && strcmp(a->runs[i].sha256, b->runs[i].sha256) == 0;
    return same;
}

/* sweep_go_on: the same command again goes on with the sweep that it began: its id is then taken over. */
static enum status sweep_go_on(struct sweep *sweep)
{
    const char *path = sweep_json(sweep->arena, sweep);
    if (!path || !file_exists(path))
        return sweep->ctx->error.status;
    sweep->forced = sweep->options->force;
    if (sweep->forced)
        return STATUS_OK;
    struct sweep old = {.ctx = sweep->ctx, .arena = sweep->arena, .options = sweep->options, .folder = sweep->folder};
    RETURN_IF(sweep_read(&old));
    if (!sweep_same(sweep, &old))
        return fail(
            sweep->ctx, STATUS_BAD_INPUT,
            "%s: there is another sweep in it, of %zu runs; --resume %s goes on with it, --force replaces it, -o "
            "names another folder",
            sweep->folder.path, old.count, sweep->folder.path);
    sweep->id = old.id;
    sweep->forced = old.forced;
    return STATUS_OK;
}

static enum status sweep_start(struct sweep *sweep)
{
    const char *path = sweep->folder.path, *recipe = folder_file(sweep->arena, &sweep->folder, "recipe.yaml");
    RETURN_IF(sweep_plan(sweep));
    if (!recipe)
        return sweep->ctx->error.status;
    if (file_exists(recipe))
        return fail(sweep->ctx, STATUS_BAD_INPUT, "%s: there is a run in it; -o names another folder for the sweep",
                    path);
    RETURN_IF(directory_make(sweep->ctx, path));
    RETURN_IF(folder_hold(sweep->ctx, &sweep->folder));
    RETURN_IF(sweep_go_on(sweep));
    return sweep->id ? STATUS_OK : sweep_begin(sweep);
}

enum status sweep_open(struct sweep *sweep)
{
    struct context *ctx = sweep->ctx;
    sweep->folder = (struct folder){.path = arena_text(sweep->arena, sweep->options->folder)};
    const char *path = sweep->folder.path ? sweep_json(sweep->arena, sweep) : NULL;
    if (!path)
        return ctx->error.status;
    if (!sweep->options->resume) {
        RETURN_IF(sweep_start(sweep));
    } else {
        if (!file_exists(path))
            return fail(ctx, STATUS_IO,
                        "%s: expected a sweep's folder with sweep.json, found none; start one with retort sweep RECIPE "
                        "-o %s",
                        sweep->folder.path, sweep->folder.path);
        RETURN_IF(folder_hold(ctx, &sweep->folder));
        RETURN_IF(sweep_read(sweep));
    }
    for (size_t i = 0; i < sweep->count; i++)
        RETURN_IF(recipe_check(sweep, &sweep->runs[i]));
    return STATUS_OK;
}
