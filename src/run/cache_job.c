/* cache_job.c: `retort cache`. */
#include "run/cache.h"
#include "run/run.h"

enum status run_cache_list(struct context *ctx, struct arena *arena, struct value **result)
{
    struct cache cache;
    struct value *entries = NULL;
    int64_t bytes = 0;
    RETURN_IF(cache_open(ctx, arena, NULL, &cache));
    RETURN_IF(cache_list(&cache, &entries));
    for (size_t i = 0; i < entries->count; i++)
        bytes += value_get(entries->items[i], "bytes")->integer;
    struct value *map = value_set(arena, value_map(arena), "folder", value_text(arena, cache.folder));
    map = value_set(arena, map, "bytes", value_integer(arena, bytes));
    *result = value_set(arena, map, "entries", entries);
    return *result ? STATUS_OK : ctx->error.status;
}

enum status run_cache_prune(struct context *ctx, struct arena *arena, double unused, int64_t most,
                            struct value **result)
{
    struct cache cache;
    struct cache_pruned removed;
    RETURN_IF(cache_open(ctx, arena, NULL, &cache));
    RETURN_IF(cache_prune(&cache, unused, most, &removed));
    struct value *map = value_set(arena, value_map(arena), "folder", value_text(arena, cache.folder));
    map = value_set(arena, map, "removed", value_integer(arena, removed.entries));
    *result = value_set(arena, map, "bytes", value_integer(arena, removed.bytes));
    return *result ? STATUS_OK : ctx->error.status;
}
