/* view_sweep.c: a sweep's runs side by side, the largest gain first, and what failed. */
#include "api/view.h"

#include <string.h>

static void spread_cell(struct table *table, const struct value *side)
{
    char mean[VIEW_NUMBER_SIZE], deviation[VIEW_NUMBER_SIZE];
    const struct value *spread = value_get(side, "std");
    if (spread != NULL && spread->kind == VALUE_REAL)
        table_cell_format(table, "%s ± %s", view_fraction(value_get(side, "mean"), mean),
                          view_fraction(spread, deviation));
    else
        table_cell(table, view_fraction(value_get(side, "mean"), mean));
}

static bool is_real(const struct value *value)
{
    return value != NULL && value->kind == VALUE_REAL;
}

static void gain_cells(struct table *table, const struct value *run)
{
    const struct value *gain = value_get(run, "gain"), *mean = value_get(gain, "mean");
    const struct value *low = value_get(gain, "low"), *high = value_get(gain, "high");
    const struct value *verdict = value_get(run, "verdict");
    if (is_real(mean))
        table_cell_format(table, "%+.4f", mean->real);
    else
        table_cell(table, "-");
    if (is_real(low) && is_real(high))
        table_cell_format(table, "[%+.4f, %+.4f]", low->real, high->real);
    else
        table_cell(table, "-");
    table_cell(table, is_real(mean) && verdict != NULL ? verdict->text : "-");
}

static void run_row(struct table *table, const struct value *run)
{
    char number[VIEW_NUMBER_SIZE];
    const struct value *seconds = value_get(run, "seconds");
    table_row(table);
    table_cell(table, value_get(run, "name")->text);
    table_cell(table, view_fraction(value_get(run, "teacher"), number));
    spread_cell(table, value_get(run, "alone"));
    spread_cell(table, value_get(run, "distilled"));
    gain_cells(table, run);
    table_cell(table, view_scalar(value_get(run, "parameters"), number));
    table_cell(table, view_scalar(value_get(run, "macs"), number));
    if (is_real(seconds))
        table_cell_format(table, "%.1f", seconds->real);
    else
        table_cell(table, "-");
}

static bool is_done(const struct value *run)
{
    return strcmp(value_get(run, "state")->text, "done") == 0;
}

static void table_of_runs(const struct value *const *runs, size_t count, struct text *out)
{
    struct table *table = table_new(out->ctx);
    table_column(table, "run", TABLE_LEFT);
    table_column(table, "teacher", TABLE_LEFT);
    table_column(table, "alone", TABLE_LEFT);
    table_column(table, "distilled", TABLE_LEFT);
    table_column(table, "gain", TABLE_LEFT);
    table_column(table, "95% interval", TABLE_LEFT);
    table_column(table, "verdict", TABLE_LEFT);
    table_column(table, "parameters", TABLE_RIGHT);
    table_column(table, "MACs", TABLE_RIGHT);
    table_column(table, "seconds", TABLE_RIGHT);
    for (size_t i = 0; i < count; i++)
        if (is_done(runs[i]))
            run_row(table, runs[i]);
    table_write(table, out);
    table_free(table);
}

void view_sweep(const struct retort_result *result, struct text *out)
{
    const struct value *runs = value_get(result->root, "runs"), *report = value_get(result->root, "report");
    struct arena *arena = arena_new(out->ctx);
    const struct value **sorted = arena != NULL ? sweep_by_gain(arena, runs) : NULL;
    if (sorted == NULL)
        out->failed = true;
    else
        table_of_runs(sorted, runs->count, out);
    for (size_t i = 0; i < runs->count; i++)
        if (!is_done(runs->items[i]))
            text_format(out, "\nfailed    %s: %s\n", value_get(runs->items[i], "name")->text,
                        view_scalar(value_get(runs->items[i], "error"), (char[VIEW_NUMBER_SIZE]){""}));
    if (report != NULL && report->kind == VALUE_TEXT)
        text_format(out, "\nreport    %s\n", report->text);
    text_format(out, "results   %s/sweep.json\n", result->folder);
    arena_free(arena);
}
