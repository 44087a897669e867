/* cache.c: see cache.h. Listing and pruning: cache_list.c. */
#include "run/cache.h"

#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "format/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SAVE_SECONDS 10.0
#define WHAT_TO_DO "make room, let XDG_CACHE_HOME name another folder, or set distill.cache: false"
enum { KEY_DIGITS = 32, HALVES_AT_ONCE = 4096 };

const char *cache_folder(struct arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/')
        return arena_format(arena, "%s/retort", cache);
    return home && home[0] == '/' ? arena_format(arena, "%s/.cache/retort", home) : NULL;
}

enum status cache_open(struct context *ctx, struct arena *arena, const char *otherwise, struct cache *out)
{
    const char *folder = cache_folder(arena);
    if (!folder && ctx->error.status != STATUS_OK)
        return ctx->error.status;
    if (folder && otherwise && directory_make(ctx, folder) == STATUS_IO) {
        log_line(ctx, LOG_WARNING, "%s; what is recorded goes to %s", ctx->error.message, otherwise);
        error_clear(ctx);
        folder = NULL;
    }
    if (!folder)
        folder = otherwise;
    if (!folder)
        return fail(ctx, STATUS_IO, "no place for the cache: neither XDG_CACHE_HOME nor HOME is set; set one of them");
    *out = (struct cache){ctx, arena, folder};
    return directory_make(ctx, folder);
}

int64_t cache_entry_bytes(const struct cache_entry *entry)
{
    return entry->rows * shape_elements(&entry->row) * (int64_t)(entry->half ? 2 : element_size(entry->element));
}

static const char *type_text(const struct cache_entry *entry)
{
    return entry->half ? "float16" : entry->element == ELEMENT_F64 ? "float64" : "float32";
}

/* path_of: of the entry's file with that ending; of the arena. */
static const char *path_of(const struct cache *cache, const struct cache_entry *entry, const char *ending)
{
    char hash[65];
    struct text text;
    text_init(&text, cache->ctx);
    json_write(entry->on, &text, 0);
    text_add(&text, type_text(entry));
    if (!text.failed)
        sha256_hex(text.bytes, text.length, hash);
    const char *path =
        text.failed ? NULL : arena_format(cache->arena, "%s/%.*s.%s", cache->folder, KEY_DIGITS, hash, ending);
    text_free(&text);
    return path;
}

/* used: the time of the last use is that of the description's file. */
static void use_note(const char *about)
{
    utimensat(AT_FDCWD, about, NULL, 0); /* a cache that cannot be written can be read all the same */
}

struct store *cache_store(const struct cache *cache, const struct cache_entry *entry)
{
    const char *about = path_of(cache, entry, "json"), *rows = path_of(cache, entry, "rows");
    if (!about || !rows || !file_exists(about))
        return NULL;
    struct store *store =
        store_open(cache->ctx, entry->layer, rows, entry->element, entry->half, entry->rows, entry->row);
    if (store)
        use_note(about);
    else if (cache->ctx->error.status != STATUS_NO_MEMORY)
        error_clear(cache->ctx); /* damaged: whoever writes the entry makes it again */
    return store;
}

/* --- writing --- */

struct cache_writer {
    const struct cache *cache;
    struct cache_entry entry;
    const char *rows, *about, *progress;
    int file;            /* held; -1: the entry is whole */
    int64_t done, saved; /* rows in the file, and safely on disk */
    double when;         /* of the last save */
};

static enum status writer_fail(const struct cache_writer *writer, const char *path, const char *what)
{
    return fail(writer->cache->ctx, STATUS_IO, "%s: cannot be %s: %s; " WHAT_TO_DO, path, what, strerror(errno));
}

static void writer_free(struct cache_writer *writer)
{
    if (writer->file >= 0)
        close(writer->file); /* and let go of */
    memory_free(writer->cache->ctx, writer);
}

/* is_at: is the open file still the one at that path? Who prunes may have removed it while it was waited for. */
static bool is_at(int file, const char *path)
{
    struct stat held, there;
    return fstat(file, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

/* rows_hold: opens the file of rows and holds it; waits for whoever writes it. */
static enum status rows_hold(struct cache_writer *writer)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    struct context *ctx = writer->cache->ctx;
    for (;;) {
        if (writer->file < 0)
            writer->file = open(writer->rows, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (writer->file < 0)
            return writer_fail(writer, writer->rows, "opened");
        const bool held = flock(writer->file, LOCK_EX | LOCK_NB) == 0;
        if (held && is_at(writer->file, writer->rows))
            return STATUS_OK;
        if (!held && errno != EWOULDBLOCK && errno != EINTR)
            return writer_fail(writer, writer->rows, "locked");
        if (context_cancelled(ctx))
            return fail(ctx, STATUS_CANCELLED, "interrupted while another run records the same outputs");
        if (held) {
            close(writer->file);
            writer->file = -1;
        } else {
            nanosleep(&pause, NULL);
        }
    }
}

/* rows_there: what an interrupted writer left, as far as it is known to be on disk. */
static int64_t rows_there(const struct cache_writer *writer, int64_t multiple)
{
    struct stat found;
    long long rows = 0;
    const int64_t row = cache_entry_bytes(&writer->entry) / (writer->entry.rows > 0 ? writer->entry.rows : 1);
    FILE *file = fopen(writer->progress, "r");
    if (file && fscanf(file, "%lld", &rows) != 1)
        rows = 0;
    if (file)
        fclose(file);
    if (rows < 0 || rows > writer->entry.rows || fstat(writer->file, &found) != 0 || found.st_size < rows * row)
        rows = 0;
    return rows == writer->entry.rows ? rows : rows / multiple * multiple;
}

/* rows_whole: has the file the size that the entry says? */
static bool rows_whole(const struct cache_writer *writer)
{
    struct stat found;
    return fstat(writer->file, &found) == 0 && found.st_size == cache_entry_bytes(&writer->entry);
}

static enum status writer_open(struct cache_writer *writer, int64_t multiple)
{
    const int64_t row = cache_entry_bytes(&writer->entry) / (writer->entry.rows > 0 ? writer->entry.rows : 1);
    RETURN_IF(rows_hold(writer));
    if (file_exists(writer->about) && rows_whole(writer)) { /* the one that was waited for has finished it */
        close(writer->file);
        writer->file = -1;
        writer->done = writer->saved = writer->entry.rows;
        return STATUS_OK;
    }
    if (unlink(writer->about) == 0) /* it is damaged, and nobody knows where */
        unlink(writer->progress);
    writer->done = writer->saved = rows_there(writer, multiple);
    if (ftruncate(writer->file, (off_t)(writer->done * row)) != 0 ||
        lseek(writer->file, (off_t)(writer->done * row), SEEK_SET) < 0)
        return writer_fail(writer, writer->rows, "written");
    return STATUS_OK;
}

struct cache_writer *cache_writer_new(const struct cache *cache, const struct cache_entry *entry, int64_t multiple,
                                      int64_t *done)
{
    struct cache_writer *writer = memory_new(cache->ctx, 1, sizeof *writer);
    if (!writer)
        return NULL;
    *writer = (struct cache_writer){.cache = cache,
                                    .entry = *entry,
                                    .rows = path_of(cache, entry, "rows"),
                                    .about = path_of(cache, entry, "json"),
                                    .progress = path_of(cache, entry, "progress"),
                                    .file = -1,
                                    .when = clock_seconds()};
    if (writer->rows && writer->about && writer->progress && writer_open(writer, multiple) == STATUS_OK) {
        *done = writer->done;
        return writer;
    }
    writer_free(writer);
    return NULL;
}

static enum status bytes_write(struct cache_writer *writer, const void *bytes, size_t count)
{
    size_t at = 0;
    while (at < count) {
        const ssize_t put = write(writer->file, (const char *)bytes + at, count - at);
        if (put < 0 && errno != EINTR)
            return writer_fail(writer, writer->rows, "written");
        at += put > 0 ? (size_t)put : 0;
    }
    return STATUS_OK;
}

/* halves_write: values [count] of the entry's element type. */
static enum status halves_write(struct cache_writer *writer, const void *values, int64_t count)
{
    const bool wide = writer->entry.element == ELEMENT_F64;
    uint16_t halves[HALVES_AT_ONCE];
    for (int64_t i = 0; i < count; i += HALVES_AT_ONCE) {
        const int64_t n = count - i < HALVES_AT_ONCE ? count - i : HALVES_AT_ONCE;
        for (int64_t j = 0; j < n; j++)
            halves[j] = half_from(wide ? (float)((const double *)values)[i + j] : ((const float *)values)[i + j]);
        RETURN_IF(bytes_write(writer, halves, (size_t)n * sizeof *halves));
    }
    return STATUS_OK;
}

/* beside_write: a small file beside the rows, whole or not at all. */
static enum status beside_write(const struct cache_writer *writer, const char *path, const char *bytes, size_t count)
{
    struct context *ctx = writer->cache->ctx;
    struct file_writer *file = file_writer_new(ctx, path);
    enum status status = file ? file_write(file, bytes, count) : ctx->error.status;
    if (file && status == STATUS_OK)
        status = file_commit(file);
    else
        file_discard(file);
    if (status != STATUS_IO)
        return status;
    const struct error error = ctx->error;
    error_clear(ctx);
    return fail(ctx, STATUS_IO, "%s; " WHAT_TO_DO, error.message);
}

/* writer_save: what was written is on disk, and it is noted that it is. */
static enum status writer_save(struct cache_writer *writer)
{
    char text[32];
    writer->when = clock_seconds();
    if (writer->saved == writer->done)
        return STATUS_OK;
    if (fdatasync(writer->file) != 0)
        return writer_fail(writer, writer->rows, "written");
    const int length = snprintf(text, sizeof text, "%lld\n", (long long)writer->done);
    RETURN_IF(beside_write(writer, writer->progress, text, (size_t)length));
    writer->saved = writer->done;
    return STATUS_OK;
}

enum status cache_writer_rows(struct cache_writer *writer, int64_t first, int64_t count, const void *values)
{
    const int64_t elements = shape_elements(&writer->entry.row);
    const int64_t skip =
        first < writer->done ? writer->done - first : 0; /* of another layer's pass, which began earlier */
    if (skip >= count)
        return STATUS_OK;
    const char *from = (const char *)values + (size_t)(skip * elements) * element_size(writer->entry.element);
    const int64_t rows = count - skip;
    RETURN_IF(writer->entry.half
                  ? halves_write(writer, from, rows * elements)
                  : bytes_write(writer, from, (size_t)(rows * elements) * element_size(writer->entry.element)));
    writer->done += rows;
    return clock_seconds() - writer->when > SAVE_SECONDS ? writer_save(writer) : STATUS_OK;
}

static enum status about_write(const struct cache_writer *writer)
{
    const struct cache_entry *entry = &writer->entry;
    struct context *ctx = writer->cache->ctx;
    struct arena *arena = writer->cache->arena;
    struct text text;
    struct value *row = value_list(arena);
    for (int i = 0; i < entry->row.rank; i++)
        row = value_append(arena, row, value_integer(arena, entry->row.dim[i]));
    struct value *map = value_set(arena, value_map(arena), "format", value_integer(arena, 1));
    map = value_set(arena, map, "teacher", value_text(arena, entry->teacher));
    map = value_set(arena, map, "layer", value_text(arena, entry->layer));
    map = value_set(arena, map, "rows", value_integer(arena, entry->rows));
    map = value_set(arena, map, "row", row);
    map = value_set(arena, map, "type", value_text(arena, type_text(entry)));
    map = value_set(arena, map, "bytes", value_integer(arena, cache_entry_bytes(entry)));
    map = value_set(arena, map, "on", value_copy(arena, entry->on));
    if (!map)
        return ctx->error.status;
    text_init(&text, ctx);
    json_write(map, &text, 1);
    const enum status status =
        text.failed ? ctx->error.status : beside_write(writer, writer->about, text.bytes, text.length);
    text_free(&text);
    return status;
}

enum status cache_writer_finish(struct cache_writer *writer)
{
    if (!writer)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (writer->file >= 0) {
        status = fdatasync(writer->file) == 0 ? about_write(writer) : writer_fail(writer, writer->rows, "written");
        if (status == STATUS_OK)
            unlink(writer->progress);
    }
    writer_free(writer);
    return status;
}

void cache_writer_leave(struct cache_writer *writer)
{
    if (!writer)
        return;
    struct context *ctx = writer->cache->ctx;
    const struct error first = ctx->error;
    if (writer->file >= 0 && writer->done > 0)
        writer_save(writer); /* best effort: what is not noted is done again */
    else if (writer->file >= 0) {
        unlink(writer->progress);
        unlink(writer->rows);
    }
    ctx->error = first;
    writer_free(writer);
}
