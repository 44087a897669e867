/* view_run.c: a run's table and verdict, where its files are, and what to type next. */
#include "api/view.h"

#include "base/file.h"
#include "base/statistics.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *text_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && value->kind == VALUE_TEXT ? value->text : "";
}

/* seeds_cell: "0.9012 0.9034". */
static void seeds_cell(struct table *table, struct context *ctx, const struct value *seeds)
{
    char number[VIEW_NUMBER_SIZE];
    struct text line;
    text_init(&line, ctx);
    for (size_t i = 0; seeds != NULL && i < seeds->count; i++)
        text_format(&line, "%s%s", i > 0 ? " " : "", view_fraction(seeds->items[i], number));
    table_cell(table, line.bytes);
    text_free(&line);
}

/* stage_of_role: the first stage of a role; NULL: none. */
static const struct value *stage_of_role(const struct value *root, const char *role)
{
    const struct value *stages = value_get(root, "stages");
    for (size_t i = 0; stages != NULL && i < stages->count; i++)
        if (strcmp(text_of(stages->items[i], "role"), role) == 0)
            return stages->items[i];
    return NULL;
}

/* stage_row: of one stage; its accuracy on the test split. */
static void stage_row(struct table *table, const struct value *stage)
{
    char number[VIEW_NUMBER_SIZE];
    table_row(table);
    table_cell(table, text_of(stage, "name"));
    table_cell(table, view_fraction(value_path(stage, "test.accuracy"), number));
    table_cell(table, NULL);
    table_cell(table, view_scalar(value_get(stage, "parameters"), number));
}

/* base_length: of a stage's name without the seed at its end: "peer-1" of "peer-1-0". */
static size_t base_length(const struct value *stage)
{
    char end[32];
    const char *name = text_of(stage, "name");
    const struct value *seed = value_get(stage, "seed");
    if (seed == NULL || seed->kind != VALUE_INTEGER)
        return strlen(name);
    snprintf(end, sizeof end, "-%lld", (long long)seed->integer);
    const size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcmp(name + length - tail, end) == 0 ? length - tail : length;
}

static bool same_base(const struct value *a, const struct value *b)
{
    const size_t length = base_length(a);
    return strcmp(text_of(a, "role"), text_of(b, "role")) == 0 && length == base_length(b) &&
           strncmp(text_of(a, "name"), text_of(b, "name"), length) == 0;
}

/* group_first: is no stage before it the same but for the seed? group_size: how many are, itself included. */
static bool group_first(const struct value *stages, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_base(stages->items[i], stages->items[index]))
            return false;
    return true;
}

static size_t group_size(const struct value *stages, const struct value *stage)
{
    size_t count = 0;
    for (size_t i = 0; i < stages->count; i++)
        count += same_base(stages->items[i], stage);
    return count;
}

/* group_row: the stages that differ in the seed alone: mean ± deviation. */
static void group_row(struct table *table, struct context *ctx, const struct value *stages, const struct value *stage)
{
    char mean[VIEW_NUMBER_SIZE], deviation[VIEW_NUMBER_SIZE], number[VIEW_NUMBER_SIZE];
    struct arena *arena = arena_new(ctx);
    struct value *list = arena != NULL ? value_list(arena) : NULL;
    double *values = arena != NULL ? arena_take(arena, stages->count, sizeof *values) : NULL;
    size_t count = 0;
    for (size_t i = 0; values != NULL && i < stages->count; i++) {
        const struct value *accuracy = value_path(stages->items[i], "test.accuracy");
        if (!same_base(stages->items[i], stage) || accuracy == NULL || accuracy->kind != VALUE_REAL)
            continue;
        list = value_append(arena, list, value_real(arena, accuracy->real));
        values[count++] = accuracy->real;
    }
    if (list != NULL) {
        const struct mean_std m = mean_std(values, count);
        table_row(table);
        table_cell_format(table, "%.*s", (int)base_length(stage), text_of(stage, "name"));
        if (count > 0)
            table_cell_format(table, "%s ± %s", view_fraction(value_real(arena, m.mean), mean),
                              view_fraction(value_real(arena, m.std), deviation));
        else
            table_cell(table, NULL);
        seeds_cell(table, ctx, list);
        table_cell(table, view_scalar(value_get(stage, "parameters"), number));
    }
    arena_free(arena);
}

/* summary_row: mean ± deviation over the seeds. */
static void summary_row(struct table *table, struct context *ctx, const struct value *root, const char *role)
{
    char mean[VIEW_NUMBER_SIZE], deviation[VIEW_NUMBER_SIZE], number[VIEW_NUMBER_SIZE];
    const struct value *summary = value_get(value_get(root, "comparison"), role), *stage = stage_of_role(root, role);
    const struct value *spread = value_get(summary, "std");
    if (stage == NULL || summary == NULL || summary->kind != VALUE_MAP)
        return;
    table_row(table);
    table_cell(table, role);
    if (spread != NULL && spread->kind == VALUE_REAL)
        table_cell_format(table, "%s ± %s", view_fraction(value_get(summary, "mean"), mean),
                          view_fraction(spread, deviation));
    else
        table_cell(table, view_fraction(value_get(summary, "mean"), mean));
    seeds_cell(table, ctx, value_get(summary, "per_seed"));
    table_cell(table, view_scalar(value_get(stage, "parameters"), number));
}

/* in_summary: the stage is one of those that a summary row stands for, also with a block of a student. */
static bool in_summary(const struct value *root, const struct value *stage)
{
    if (value_get(stage, "block") != NULL)
        return true;
    const struct value *summary = value_get(value_get(root, "comparison"), text_of(stage, "role"));
    return summary != NULL && summary->kind == VALUE_MAP && value_get(summary, "per_seed") != NULL;
}

static void table_of_run(const struct value *root, struct text *out)
{
    const struct value *stages = value_get(root, "stages");
    struct table *table = table_new(out->ctx);
    table_column(table, "stage", TABLE_LEFT);
    table_column(table, "test accuracy", TABLE_LEFT);
    table_column(table, "per seed", TABLE_LEFT);
    table_column(table, "parameters", TABLE_RIGHT);
    for (size_t i = 0; stages != NULL && i < stages->count; i++)
        if (in_summary(root, stages->items[i]) || !group_first(stages, i))
            continue;
        else if (group_size(stages, stages->items[i]) > 1)
            group_row(table, out->ctx, stages, stages->items[i]);
        else
            stage_row(table, stages->items[i]);
    summary_row(table, out->ctx, root, "alone");
    summary_row(table, out->ctx, root, "distilled");
    table_write(table, out);
    table_free(table);
}

static bool is_number(const struct value *value)
{
    return value != NULL && (value->kind == VALUE_REAL || value->kind == VALUE_INTEGER);
}

static void verdict_write(const struct value *comparison, struct text *out)
{
    const struct value *gain = value_get(comparison, "gain"), *mean = value_get(gain, "mean");
    if (!is_number(mean))
        return;
    text_format(out, "\ngain      %+.4f", mean->real);
    if (is_number(value_get(gain, "low")) && is_number(value_get(gain, "high")))
        text_format(out, ", 95%% interval [%+.4f, %+.4f]", value_get(gain, "low")->real, value_get(gain, "high")->real);
    else
        text_add(out, " (one seed: no interval)");
    const struct value *verdict = value_get(comparison, "verdict");
    if (verdict != NULL && verdict->kind == VALUE_TEXT)
        text_format(out, "\nverdict   %s", verdict->text);
    text_add(out, "\n");
}

/* student_model: the model to go on with: the best distilled student, or the first student alone. NULL: none. */
static char *student_model(const struct retort_result *result, struct context *ctx, const struct value **stage)
{
    char *best = path_join(ctx, result->folder, "models/student.safetensors");
    *stage = stage_of_role(result->root, "distilled");
    if (best == NULL || file_exists(best))
        return best;
    memory_free(ctx, best);
    *stage = stage_of_role(result->root, "alone");
    return *stage != NULL ? path_join(ctx, result->folder, text_of(*stage, "model")) : NULL;
}

static void files_write(const struct retort_result *result, struct text *out)
{
    char parameters[VIEW_NUMBER_SIZE];
    const struct value *stage = NULL;
    struct stat found;
    char *model = student_model(result, out->ctx, &stage);
    text_format(out, "\nreport    %s/report.html\n", result->folder);
    if (model == NULL)
        return;
    text_format(out, "student   %s", model);
    if (stage != NULL)
        text_format(out, " (%s parameters", view_scalar(value_get(stage, "parameters"), parameters));
    if (stage != NULL && stat(model, &found) == 0)
        text_format(out, ", %lld bytes", (long long)found.st_size);
    text_add(out, stage != NULL ? ")\n" : "\n");
    text_format(out, "next      retort inspect %s\n", model);
    text_format(out, "          retort eval %s --data %s/recipe.yaml\n", model, result->folder);
    memory_free(out->ctx, model);
}

void view_run(const struct retort_result *result, struct text *out)
{
    table_of_run(result->root, out);
    const struct value *comparison = value_get(result->root, "comparison");
    if (comparison != NULL && comparison->kind == VALUE_MAP)
        verdict_write(comparison, out);
    if (result->folder != NULL)
        files_write(result, out);
    const struct value *stages = value_get(result->root, "stages");
    for (size_t i = 0; stages != NULL && i < stages->count; i++)
        view_profile(stages->items[i], out);
}
