/* sweep_result.c: sweep.json out of what is known of the runs. */
#include "run/sweep.h"

#include <string.h>

static const char *const states[] = {
#define X(name, text) [SWEEP_##name] = text,
    SWEEP_STATE_LIST(X)
#undef X
};

static struct value *copy_of(struct arena *arena, const struct value *map, const char *path)
{
    const struct value *found = value_path(map, path);
    return found ? value_copy(arena, found) : value_null(arena);
}

/* stage_of: the first stage of a role; NULL: none. */
static const struct value *stage_of(const struct value *result, const char *role)
{
    const struct value *stages = value_get(result, "stages");
    for (size_t i = 0; stages && i < stages->count; i++) {
        const struct value *is = value_get(stages->items[i], "role");
        if (is && is->kind == VALUE_TEXT && strcmp(is->text, role) == 0)
            return stages->items[i];
    }
    return NULL;
}

/* parts_of: the named parts of a map. */
static struct value *parts_of(struct arena *arena, const struct value *map, const char *const *keys)
{
    struct value *parts = value_map(arena);
    for (; *keys; keys++)
        parts = value_set(arena, parts, *keys, copy_of(arena, map, *keys));
    return parts;
}

struct value *sweep_figures(struct arena *arena, const struct value *result)
{
    static const char *const side[] = {"mean", "std", NULL}, *const gain[] = {"mean", "low", "high", "level", NULL};
    const struct value *student = stage_of(result, "distilled"), *teacher = stage_of(result, "teacher");
    struct value *map = value_map(arena);
    map = value_set(arena, map, "teacher", copy_of(arena, teacher, "test.accuracy"));
    map = value_set(arena, map, "alone", parts_of(arena, value_path(result, "comparison.alone"), side));
    map = value_set(arena, map, "distilled", parts_of(arena, value_path(result, "comparison.distilled"), side));
    map = value_set(arena, map, "gain", parts_of(arena, value_path(result, "comparison.gain"), gain));
    map = value_set(arena, map, "verdict", copy_of(arena, result, "comparison.verdict"));
    map = value_set(arena, map, "parameters", copy_of(arena, student, "parameters"));
    map = value_set(arena, map, "macs", copy_of(arena, student, "macs"));
    return value_set(arena, map, "seconds", copy_of(arena, result, "seconds"));
}

static struct value *run_entry(struct arena *arena, const struct sweep_run *run)
{
    const char *folder = arena_format(arena, "runs/%s", run->name);
    struct value *entry = value_set(arena, value_map(arena), "name", value_text(arena, run->name));
    entry = value_set(arena, entry, "recipe", value_text(arena, run->recipe));
    entry = value_set(arena, entry, "set", value_copy(arena, run->set));
    entry = value_set(arena, entry, "folder", folder ? value_text(arena, folder) : NULL);
    entry = value_set(arena, entry, "recipe_sha256", value_text(arena, run->sha256));
    entry = value_set(arena, entry, "state", value_text(arena, states[run->state]));
    entry = value_set(arena, entry, "error", run->error ? value_text(arena, run->error) : value_null(arena));
    /* Each entry has the same keys, so that runs are rows of a table. */
    const struct value *figures = run->figures ? run->figures : sweep_figures(arena, NULL);
    entry = figures ? value_merge(arena, entry, figures) : NULL;
    return value_set(arena, entry, "shared", value_copy(arena, run->shared));
}

struct value *sweep_document(struct arena *arena, const struct sweep *sweep)
{
    struct value *runs = value_list(arena),
                 *document = value_set(arena, value_map(arena), "format", value_integer(arena, 1));
    double seconds = 0;
    int64_t failed = 0;
    for (size_t i = 0; i < sweep->count; i++) {
        const struct value *took = value_get(sweep->runs[i].figures, "seconds");
        seconds += took && took->kind != VALUE_NULL ? took->real : 0;
        failed += sweep->runs[i].state == SWEEP_FAILED;
        runs = value_append(arena, runs, run_entry(arena, &sweep->runs[i]));
    }
    const char *version = sweep->options->version;
    document = value_set(arena, document, "version", value_text(arena, version ? version : ""));
    document = value_set(arena, document, "id", value_text(arena, sweep->id));
    document = value_set(arena, document, "forced", value_boolean(arena, sweep->forced));
    document = value_set(arena, document, "seconds", value_real(arena, seconds));
    document = value_set(arena, document, "failed", value_integer(arena, failed));
    return value_set(arena, document, "runs", runs);
}
