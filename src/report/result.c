/* result.c: result.json, checked key by key. */
#include "report/result.h"

#include "base/file.h"
#include "base/statistics.h"
#include "format/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RESULT_FORMAT = 1, PATH_SIZE = 96 };

/* result.json being read: every key is looked up by its whole path, which messages then name. */
struct result {
    struct context *ctx;
    struct arena *arena;
    const char *file;
    const struct value *root;
};

struct figure_place {
    const char *key;
    size_t offset;
};

static const struct figure_place stage_figures[] = {
    {"seed", offsetof(struct report_stage, seed)},
    {"parameters", offsetof(struct report_stage, parameters)},
    {"macs", offsetof(struct report_stage, macs)},
    {"epochs", offsetof(struct report_stage, epochs)},
    {"steps", offsetof(struct report_stage, steps)},
    {"seconds", offsetof(struct report_stage, seconds)},
    {"samples_per_second", offsetof(struct report_stage, samples_per_second)},
    {"validation.accuracy", offsetof(struct report_stage, validation_accuracy)},
    {"validation.loss", offsetof(struct report_stage, validation_loss)},
    {"test.accuracy", offsetof(struct report_stage, accuracy)},
    {"test.top5", offsetof(struct report_stage, top5)},
    {"test.loss", offsetof(struct report_stage, loss)},
    {"test.ece", offsetof(struct report_stage, ece)},
    {"fidelity", offsetof(struct report_stage, fidelity)},
    {"early_exit.threshold", offsetof(struct report_stage, exits.threshold)},
    {"early_exit.accuracy", offsetof(struct report_stage, exits.accuracy)},
    {"early_exit.macs", offsetof(struct report_stage, exits.macs)},
    {"early_exit.saved", offsetof(struct report_stage, exits.saved)},
    {"early_exit.plain_macs", offsetof(struct report_stage, exits.plain)},
};

static const struct figure_place exit_figures[] = {
    {"macs", offsetof(struct report_exit, macs)},
    {"accuracy", offsetof(struct report_exit, accuracy)},
    {"loss", offsetof(struct report_exit, loss)},
};

static const struct figure_place side_figures[] = {
    {"mean", offsetof(struct report_figure, mean)},
    {"std", offsetof(struct report_figure, std)},
    {"low", offsetof(struct report_figure, low)},
    {"high", offsetof(struct report_figure, high)},
};

/* Null counts as absent everywhere: it is how an undefined figure is written. */
static const struct value *result_get(const struct result *result, const char *path)
{
    const struct value *value = value_path(result->root, path);
    return value != NULL && value->kind == VALUE_NULL ? NULL : value;
}

static enum status result_wrong(const struct result *result, const char *path, const char *expected)
{
    char found[VALUE_FOUND_SIZE];
    return fail(result->ctx, STATUS_BAD_INPUT, "%s: \"%s\": expected %s, found %s", result->file, path, expected,
                value_found(value_path(result->root, path), found));
}

static enum status result_number(const struct result *result, const char *path, double *out)
{
    const struct value *value = result_get(result, path);
    *out = NAN;
    if (value == NULL)
        return STATUS_OK;
    if (value->kind != VALUE_INTEGER && value->kind != VALUE_REAL)
        return result_wrong(result, path, "a number or null");
    *out = value->real;
    return STATUS_OK;
}

static enum status result_text(const struct result *result, const char *path, const char **out)
{
    const struct value *value = result_get(result, path);
    *out = NULL;
    if (value == NULL)
        return STATUS_OK;
    if (value->kind != VALUE_TEXT)
        return result_wrong(result, path, "a text or null");
    *out = value->text;
    return STATUS_OK;
}

/* result_figures: the numbers under `path` into the struct at `base`; groups ("test") must be maps where they are. */
static enum status result_figures(const struct result *result, const char *path, const struct figure_place *places,
                                  size_t count, void *base)
{
    char whole[PATH_SIZE];
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(places[i].key, '.');
        if (dot != NULL) {
            snprintf(whole, sizeof whole, "%s.%.*s", path, (int)(dot - places[i].key), places[i].key);
            const struct value *group = result_get(result, whole);
            if (group != NULL && group->kind != VALUE_MAP)
                return result_wrong(result, whole, "a map or null");
        }
        snprintf(whole, sizeof whole, "%s.%s", path, places[i].key);
        RETURN_IF(result_number(result, whole, (double *)(void *)((char *)base + places[i].offset)));
    }
    return STATUS_OK;
}

static enum status read_side(const struct result *result, const char *side, struct report_figure *out)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "comparison.%s", side);
    RETURN_IF(result_figures(result, path, side_figures, sizeof side_figures / sizeof *side_figures, out));
    snprintf(path, sizeof path, "comparison.%s.per_seed", side);
    const struct value *list = result_get(result, path);
    if (list == NULL || list->kind != VALUE_LIST)
        return result_wrong(result, path, "a list of numbers");
    double *per_seed = arena_take(result->arena, list->count, sizeof *per_seed);
    if (per_seed == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list->count; i++) {
        snprintf(path, sizeof path, "comparison.%s.per_seed.%zu", side, i);
        RETURN_IF(result_number(result, path, &per_seed[i]));
    }
    out->count = list->count;
    out->per_seed = per_seed;
    return STATUS_OK;
}

static enum status read_comparison(const struct result *result, struct report_run *run)
{
    const struct value *comparison = result_get(result, "comparison");
    if (comparison == NULL)
        return STATUS_OK;
    if (comparison->kind != VALUE_MAP)
        return result_wrong(result, "comparison", "a map or null");
    /* A run without baseline may give the distilled side alone. */
    if (result_get(result, "comparison.alone") == NULL || result_get(result, "comparison.gain") == NULL)
        return STATUS_OK;
    RETURN_IF(read_side(result, "alone", &run->alone));
    RETURN_IF(read_side(result, "distilled", &run->distilled));
    RETURN_IF(read_side(result, "gain", &run->gain));
    RETURN_IF(result_number(result, "comparison.gain.level", &run->level));
    RETURN_IF(result_text(result, "comparison.verdict", &run->verdict));
    if (run->gain.count != run->alone.count || run->gain.count != run->distilled.count)
        return fail(result->ctx, STATUS_BAD_INPUT,
                    "%s: \"comparison\": expected one number a seed on each side, found %zu alone, %zu distilled and "
                    "%zu gains",
                    result->file, run->alone.count, run->distilled.count, run->gain.count);
    for (int verdict = 0; verdict <= VERDICT_NOT_DECIDED; verdict++)
        run->compared |= run->verdict != NULL && strcmp(run->verdict, verdict_text((enum verdict)verdict)) == 0;
    if (!run->compared)
        return result_wrong(result, "comparison.verdict", "\"better\", \"worse\" or \"not decided\"");
    return STATUS_OK;
}

static enum status read_class_names(const struct result *result, struct report_run *run)
{
    const struct value *list = result_get(result, "class_names");
    if (list == NULL)
        return STATUS_OK;
    if (list->kind != VALUE_LIST)
        return result_wrong(result, "class_names", "a list of texts");
    run->class_names = arena_take(result->arena, list->count, sizeof *run->class_names);
    if (run->class_names == NULL)
        return STATUS_NO_MEMORY;
    run->classes = list->count;
    for (size_t i = 0; i < list->count; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "class_names.%zu", i);
        RETURN_IF(result_text(result, path, &run->class_names[i]));
        if (run->class_names[i] == NULL)
            return result_wrong(result, path, "a text");
    }
    return STATUS_OK;
}

/* read_exits: of stage `index`; most have none. */
static enum status read_exits(const struct result *result, size_t index, struct report_exits *out)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "stages.%zu.exits", index);
    const struct value *list = result_get(result, path);
    if (list == NULL)
        return STATUS_OK;
    if (list->kind != VALUE_LIST)
        return result_wrong(result, path, "a list of maps");
    struct report_exit *exits = arena_take(result->arena, list->count, sizeof *exits);
    if (exits == NULL)
        return STATUS_NO_MEMORY;
    out->count = list->count;
    out->exit = exits;
    for (size_t i = 0; i < list->count; i++) {
        snprintf(path, sizeof path, "stages.%zu.exits.%zu", index, i);
        RETURN_IF(result_figures(result, path, exit_figures, sizeof exit_figures / sizeof *exit_figures, &exits[i]));
        snprintf(path, sizeof path, "stages.%zu.exits.%zu.name", index, i);
        RETURN_IF(result_text(result, path, &exits[i].name));
        if (exits[i].name == NULL)
            return result_wrong(result, path, "a text");
    }
    return STATUS_OK;
}

static enum status read_stages(const struct result *result, struct report_run *run)
{
    const struct value *list = result_get(result, "stages");
    if (list == NULL || list->kind != VALUE_LIST)
        return result_wrong(result, "stages", "a list");
    run->stage = arena_take(result->arena, list->count, sizeof *run->stage);
    if (run->stage == NULL)
        return STATUS_NO_MEMORY;
    run->stages = list->count;
    char path[PATH_SIZE];
    for (size_t i = 0; i < list->count; i++) {
        struct report_stage *stage = &run->stage[i];
        snprintf(path, sizeof path, "stages.%zu", i);
        if (list->items[i]->kind != VALUE_MAP)
            return result_wrong(result, path, "a map");
        RETURN_IF(result_figures(result, path, stage_figures, sizeof stage_figures / sizeof *stage_figures, stage));
        RETURN_IF(read_exits(result, i, &stage->exits));
        snprintf(path, sizeof path, "stages.%zu.name", i);
        RETURN_IF(result_text(result, path, &stage->name));
        if (stage->name == NULL)
            return result_wrong(result, path, "a text");
        snprintf(path, sizeof path, "stages.%zu.role", i);
        RETURN_IF(result_text(result, path, &stage->role));
        if (stage->role == NULL)
            return result_wrong(result, path, "a text");
    }
    return STATUS_OK;
}

enum status result_read(struct context *ctx, struct arena *arena, const char *file, struct report_run *run)
{
    if (!file_exists(file))
        return fail(ctx, STATUS_IO,
                    "%s: no such file, so there is nothing to report; a run writes it when it is finished (to finish "
                    "one: retort distill --resume %s)",
                    file, run->folder);
    struct value *root = NULL;
    RETURN_IF(json_read(ctx, arena, file, &root));
    struct result result = {.ctx = ctx, .arena = arena, .file = file, .root = root};
    if (root->kind != VALUE_MAP)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected a map, found %s", file, value_kind_text(root->kind));
    double format;
    RETURN_IF(result_number(&result, "format", &format));
    if (!(format == RESULT_FORMAT))
        return result_wrong(&result, "format", "1");
    RETURN_IF(result_text(&result, "version", &run->version));
    RETURN_IF(result_text(&result, "recipe_sha256", &run->recipe_sha256));
    RETURN_IF(result_text(&result, "machine.cpu", &run->cpu));
    RETURN_IF(result_text(&result, "machine.isa", &run->isa));
    RETURN_IF(result_number(&result, "machine.cores", &run->cores));
    RETURN_IF(result_number(&result, "machine.threads", &run->threads));
    RETURN_IF(result_number(&result, "seconds", &run->seconds));
    RETURN_IF(read_class_names(&result, run));
    RETURN_IF(read_stages(&result, run));
    return read_comparison(&result, run);
}
