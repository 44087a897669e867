/* folder.c: see folder.h. */
#include "run/folder.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define NEW_RECORD "record.new.sqlite" /* of a run that --force began over an older one */

const char *folder_file(struct arena *arena, const struct folder *folder, const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return arena_format(arena, "%s/%s", folder->path, name);
}

/* time_now: by the local clock; empty where it cannot be told. */
static const char *time_now(const char *format, char words[32])
{
    time_t now = time(NULL);
    struct tm local;
    words[0] = '\0';
    if (localtime_r(&now, &local))
        strftime(words, 32, format, &local);
    return words;
}

const char *folder_default(struct arena *arena, const char *name)
{
    char stamp[32];
    return arena_format(arena, "runs/%s-%s", name, time_now("%Y%m%d-%H%M%S", stamp));
}

/* directory_empty: removes the files of a folder of ours (checkpoints); what is not there is fine. */
static void directory_empty(struct arena *arena, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *file = entry->d_name[0] == '.' ? NULL : arena_format(arena, "%s/%s", path, entry->d_name);
        if (file)
            unlink(file);
    }
    closedir(directory);
}

/* record_remove: with its rollback journal, which would be played back into the next record of that name. */
static void record_remove(struct arena *arena, const char *path)
{
    const char *journal = arena_format(arena, "%s-journal", path);
    if (journal)
        unlink(journal);
    unlink(path);
}

enum status folder_put(struct context *ctx, const char *path, const void *bytes, size_t count)
{
    struct file_writer *writer = path ? file_writer_new(ctx, path) : NULL;
    if (!writer)
        return ctx->error.status;
    if (file_write(writer, bytes, count) != STATUS_OK) {
        file_discard(writer);
        return ctx->error.status;
    }
    return file_commit(writer);
}

/* folder_hold: two processes in one folder would write each other's checkpoints. The lock ends with the process, however that
 * ends; where the file system has no locks, the run goes on without. */
enum status folder_hold(struct context *ctx, struct folder *folder)
{
    folder->lock = opendir(folder->path);
    if (folder->lock && flock(dirfd(folder->lock), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fail(ctx, STATUS_IO,
                    "%s: another process is at work in this folder; wait for its end or stop it, or name another "
                    "folder with -o",
                    folder->path);
    return STATUS_OK;
}

/* folder_begin: the record, then the recipe, with which the run is there. */
static enum status folder_begin(struct context *ctx, const struct plan *plan, const struct run_options *options,
                                const char *recipe, struct folder *folder)
{
    char started[32];
    struct record_run run = {.started = time_now("%Y-%m-%d %H:%M:%S", started), .recipe_sha256 = plan->sha256};
    RETURN_IF(record_open(ctx, folder->record_path, RECORD_CREATE, &folder->record));
    RETURN_IF(record_run(ctx, folder->record, &run));
    RETURN_IF(record_note(ctx, folder->record, "command", options->student_only ? "train" : "distill"));
    if (options->sweep)
        RETURN_IF(record_note(ctx, folder->record, "sweep", options->sweep));
    RETURN_IF(record_note(ctx, folder->record, "recipe_sha256", plan->sha256));
    RETURN_IF(record_flush(ctx, folder->record));
    directory_empty(plan->arena, folder_file(plan->arena, folder, "checkpoints"));
    return folder_put(ctx, recipe, plan->text, strlen(plan->text));
}

enum status folder_create(struct context *ctx, const struct plan *plan, const char *path,
                          const struct run_options *options, struct folder *folder)
{
    struct arena *arena = plan->arena;
    *folder = (struct folder){.path = arena_text(arena, path)};
    const char *recipe = folder_file(arena, folder, "recipe.yaml");
    if (!folder->path || !recipe)
        return ctx->error.status;
    RETURN_IF(directory_make(ctx, path));
    RETURN_IF(folder_hold(ctx, folder)); /* from here on nobody else begins or finishes a run in it */
    bool there = file_exists(recipe);
    if (there && !options->force)
        return fail(
            ctx, STATUS_BAD_INPUT,
            "%s: there is a run in it; --resume %s goes on with it, --force replaces it, -o names another folder", path,
            path);
    RETURN_IF(directory_make(ctx, folder_file(arena, folder, "models")));
    RETURN_IF(directory_make(ctx, folder_file(arena, folder, "checkpoints")));
    folder->record_path = folder_file(arena, folder, "%s", there ? NEW_RECORD : "record.sqlite");
    if (!folder->record_path)
        return ctx->error.status;
    record_remove(arena, folder->record_path);
    if (folder_begin(ctx, plan, options, recipe, folder) == STATUS_OK)
        return STATUS_OK;
    folder_close(ctx, folder); /* what was there before is a run as it was */
    record_remove(arena, folder->record_path);
    return ctx->error.status;
}

enum status folder_resume(struct context *ctx, struct arena *arena, const char *path, struct folder *folder)
{
    *folder = (struct folder){.path = arena_text(arena, path)};
    const char *recipe = folder_file(arena, folder, "recipe.yaml"), *fresh = folder_file(arena, folder, NEW_RECORD);
    const char *result = folder_file(arena, folder, "result.json");
    if (!folder->path || !recipe || !fresh || !result)
        return ctx->error.status;
    if (!file_exists(recipe))
        return fail(
            ctx, STATUS_IO,
            "%s: expected a run's folder with recipe.yaml, found none; start one with retort distill RECIPE -o %s",
            path, path);
    RETURN_IF(folder_hold(ctx, folder));
    folder->finished = file_exists(result) && !file_exists(fresh);
    folder->record_path = file_exists(fresh) ? fresh : folder_file(arena, folder, "record.sqlite");
    if (folder->finished)
        return STATUS_OK;
    RETURN_IF(directory_make(ctx, folder_file(arena, folder, "checkpoints")));
    return record_open(ctx, folder->record_path, RECORD_RESUME, &folder->record);
}

/* sweep_of: the id of the sweep that a record is of; NULL: of none, or it cannot be read, which is no error here. */
static const char *sweep_of(struct context *ctx, struct arena *arena, struct record *record)
{
    const char *sweep = NULL;
    if (record_note_read(ctx, arena, record, "sweep", &sweep) != STATUS_OK)
        error_clear(ctx);
    return sweep;
}

bool folder_begun(struct context *ctx, struct arena *arena, const char *path, const char *sweep, const char *sha256)
{
    struct folder folder = {.path = path};
    unsigned char *bytes = NULL;
    size_t count = 0;
    char found[65] = "";
    const char *recipe = folder_file(arena, &folder, "recipe.yaml"), *fresh = folder_file(arena, &folder, NEW_RECORD);
    const char *record = fresh && file_exists(fresh) ? fresh : folder_file(arena, &folder, "record.sqlite");
    if (!recipe || !record || !file_exists(recipe) || !file_exists(record))
        return false;
    if (file_read(ctx, recipe, 0, &bytes, &count) == STATUS_OK)
        sha256_hex(bytes, count, found);
    memory_free(ctx, bytes);
    const char *of = NULL;
    if (strcmp(found, sha256) == 0 && record_open(ctx, record, RECORD_READ, &folder.record) == STATUS_OK)
        of = sweep_of(ctx, arena, folder.record);
    folder_close(ctx, &folder);
    error_clear(ctx); /* what cannot be read was not begun: folder_create then says what is wrong with it */
    return of && strcmp(of, sweep) == 0;
}

enum status folder_open_shared(struct context *ctx, struct arena *arena, const char *path, const char *sweep,
                               struct folder *folder)
{
    *folder = (struct folder){.path = path};
    folder->record_path = path ? folder_file(arena, folder, "record.sqlite") : NULL;
    const char *models = path ? folder_file(arena, folder, "models") : NULL;
    const char *checkpoints = path ? folder_file(arena, folder, "checkpoints") : NULL;
    if (!folder->record_path || !models || !checkpoints)
        return ctx->error.status;
    RETURN_IF(directory_make(ctx, models));
    RETURN_IF(directory_make(ctx, checkpoints));
    RETURN_IF(record_open(ctx, folder->record_path, RECORD_RESUME, &folder->record));
    const char *of = sweep_of(ctx, arena, folder->record);
    if (of && strcmp(of, sweep) == 0)
        return STATUS_OK;
    folder_close(ctx, folder);
    record_remove(arena, folder->record_path);
    directory_empty(arena, checkpoints);
    RETURN_IF(record_open(ctx, folder->record_path, RECORD_CREATE, &folder->record));
    return record_note(ctx, folder->record, "sweep", sweep);
}

enum status folder_finish(struct context *ctx, struct arena *arena, struct folder *folder)
{
    const char *place = folder_file(arena, folder, "record.sqlite"),
               *checkpoints = folder_file(arena, folder, "checkpoints");
    struct record *record = folder->record;
    folder->record = NULL;
    RETURN_IF(record_close(ctx, record));
    if (strcmp(folder->record_path, place) != 0 && rename(folder->record_path, place) != 0)
        return fail(ctx, STATUS_IO, "%s: cannot take its place: %s", folder->record_path, strerror(errno));
    directory_empty(arena, checkpoints);
    rmdir(checkpoints);
    return STATUS_OK;
}

void folder_close(struct context *ctx, struct folder *folder)
{
    record_close(ctx, folder->record);
    folder->record = NULL;
    if (folder->lock)
        closedir(folder->lock);
    folder->lock = NULL;
}
