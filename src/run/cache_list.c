/* cache_list.c: what lies in the cache, and its removal. */
#include "run/cache.h"

#include "base/file.h"
#include "format/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct found {
    const char *key;
    int64_t bytes;
    double used; /* seconds ago */
    bool whole;
};

static const char *file_of(const struct cache *cache, const char *key, const char *ending)
{
    return arena_format(cache->arena, "%s/%s.%s", cache->folder, key, ending);
}

/* found_look: false: it is gone again. */
static bool found_look(const struct cache *cache, struct found *found)
{
    struct stat rows, about;
    const char *file = file_of(cache, found->key, "rows"), *description = file_of(cache, found->key, "json");
    if (!file || !description || stat(file, &rows) != 0)
        return false;
    found->bytes = (int64_t)rows.st_size;
    found->whole = stat(description, &about) == 0;
    /* A file's time can be a moment ahead of the clock's, which is the coarser one. */
    found->used = fmax(difftime(time(NULL), found->whole ? about.st_mtime : rows.st_mtime), 0);
    return true;
}

static int by_use(const void *a_, const void *b_)
{
    const struct found *a = a_, *b = b_;
    return a->used != b->used ? (a->used > b->used ? 1 : -1) : strcmp(a->key, b->key);
}

/* folder_walk: every entry, the last used first. A folder that is not there has none. */
static enum status folder_walk(const struct cache *cache, struct found **out, size_t *count)
{
    static const char ending[] = ".rows";
    size_t capacity = 64;
    struct found *all = arena_take(cache->arena, capacity, sizeof *all);
    DIR *folder = opendir(cache->folder);
    *count = 0;
    *out = all;
    if (!folder)
        return errno == ENOENT ? cache->ctx->error.status
                               : fail(cache->ctx, STATUS_IO, "%s: cannot be read: %s", cache->folder, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry && all; entry = readdir(folder)) {
        const size_t length = strlen(entry->d_name), end = sizeof ending - 1;
        if (length <= end || strcmp(entry->d_name + length - end, ending) != 0)
            continue;
        if (*count == capacity) {
            struct found *grown = arena_take(cache->arena, 2 * capacity, sizeof *grown);
            if (grown)
                memcpy(grown, all, capacity * sizeof *grown);
            all = grown;
            capacity *= 2;
        }
        struct found found = {.key = arena_format(cache->arena, "%.*s", (int)(length - end), entry->d_name)};
        if (all && found.key && found_look(cache, &found))
            all[(*count)++] = found;
    }
    closedir(folder);
    if (!all || cache->ctx->error.status != STATUS_OK)
        return cache->ctx->error.status;
    qsort(all, *count, sizeof *all, by_use);
    *out = all;
    return STATUS_OK;
}

static struct value *entry_value(const struct cache *cache, const struct found *found)
{
    static const char *const kept[] = {"teacher", "layer", "rows", "row", "type"};
    struct arena *arena = cache->arena;
    struct value *about = NULL, *map = value_set(arena, value_map(arena), "key", value_text(arena, found->key));
    if (found->whole && json_read(cache->ctx, arena, file_of(cache, found->key, "json"), &about) != STATUS_OK) {
        if (cache->ctx->error.status != STATUS_NO_MEMORY)
            error_clear(cache->ctx); /* one that is damaged is listed all the same, to be seen and removed */
        about = NULL;
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const struct value *value = value_get(about, kept[i]);
        map = value_set(arena, map, kept[i], value ? value_copy(arena, value) : value_null(arena));
    }
    map = value_set(arena, map, "bytes", value_integer(arena, found->bytes));
    map = value_set(arena, map, "whole", value_boolean(arena, found->whole));
    return value_set(arena, map, "used", value_real(arena, found->used));
}

enum status cache_list(const struct cache *cache, struct value **out)
{
    struct found *all;
    size_t count;
    RETURN_IF(folder_walk(cache, &all, &count));
    *out = value_list(cache->arena);
    for (size_t i = 0; i < count; i++)
        *out = value_append(cache->arena, *out, entry_value(cache, &all[i]));
    return cache->ctx->error.status;
}

/* entry_remove: false: somebody is writing it. */
static bool entry_remove(const struct cache *cache, const char *key)
{
    static const char *const endings[] = {"json", "progress", "rows"}; /* the description first: then it is not whole */
    const char *rows = file_of(cache, key, "rows");
    const int held = rows ? open(rows, O_RDWR | O_CLOEXEC) : -1;
    struct stat found;
    /* Without a name it is that of a writer who has left, and the next may be writing another under the same. */
    const bool ours =
        held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0 && fstat(held, &found) == 0 && found.st_nlink > 0;
    for (size_t i = 0; ours && i < sizeof endings / sizeof *endings; i++) {
        const char *file = file_of(cache, key, endings[i]);
        if (file)
            unlink(file);
    }
    if (held >= 0)
        close(held);
    return ours;
}

enum status cache_prune(const struct cache *cache, double unused, int64_t most, struct cache_pruned *removed)
{
    struct found *all;
    size_t count;
    int64_t left = 0;
    *removed = (struct cache_pruned){0, 0};
    RETURN_IF(folder_walk(cache, &all, &count));
    for (size_t i = 0; i < count; i++)
        left += all[i].bytes;
    for (size_t i = count; i-- > 0;) {
        if ((all[i].used < unused && left <= most) || !entry_remove(cache, all[i].key))
            continue;
        left -= all[i].bytes;
        removed->entries++;
        removed->bytes += all[i].bytes;
    }
    return cache->ctx->error.status;
}
