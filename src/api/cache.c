/* cache.c: retort_cache_list and retort_cache_prune. */
#include "api/view.h"

#include "run/run.h"

#define DAY 86400.0

/* duration_text: "12 s", "3 h", "5 days" since. */
static void duration_cell(struct table *table, const struct value *seconds)
{
    const double s = seconds != NULL && seconds->kind == VALUE_REAL ? seconds->real : 0;
    if (s < 3600)
        table_cell_format(table, "%.0f min", s / 60);
    else if (s < DAY)
        table_cell_format(table, "%.0f h", s / 3600);
    else
        table_cell_format(table, "%.0f days", s / DAY);
}

static void entry_row(struct table *table, const struct value *entry)
{
    static const char *const texts[] = {"key", "teacher", "layer", "type"};
    char number[VIEW_NUMBER_SIZE];
    const struct value *whole = value_get(entry, "whole");
    table_row(table);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        table_cell(table, view_scalar(value_get(entry, texts[i]), number));
    table_cell(table, view_scalar(value_get(entry, "rows"), number));
    table_cell_format(table, "%.1f", (double)value_get(entry, "bytes")->integer / 1e6);
    duration_cell(table, value_get(entry, "used"));
    table_cell(table, whole != NULL && whole->boolean ? "yes" : "no");
}

/* view_cache: a row an entry, and the sum. */
static void view_cache(const struct retort_result *result, struct text *out)
{
    const struct value *entries = value_get(result->root, "entries");
    struct table *table = table_new(out->ctx);
    static const char *const left[] = {"key", "teacher", "layer", "type"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        table_column(table, left[i], TABLE_LEFT);
    table_column(table, "rows", TABLE_RIGHT);
    table_column(table, "MB", TABLE_RIGHT);
    table_column(table, "unused", TABLE_RIGHT);
    table_column(table, "whole", TABLE_LEFT);
    for (size_t i = 0; i < entries->count; i++)
        entry_row(table, entries->items[i]);
    if (entries->count > 0)
        table_write(table, out);
    table_free(table);
    text_format(out, "%s%zu recorded outputs, %.1f MB in %s\n", entries->count > 0 ? "\n" : "", entries->count,
                (double)value_get(result->root, "bytes")->integer / 1e6, value_get(result->root, "folder")->text);
}

enum retort_status retort_cache_list(struct retort_context *context, struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    enum status status = run_cache_list(&result->ctx, result->arena, &result->root);
    result->view = view_cache;
    result->rows = "entries";
    return call_end(context, result, status, NULL, out);
}

struct retort_cache_prune_params retort_cache_prune_defaults(void)
{
    return (struct retort_cache_prune_params){.unused_days = 30, .most_bytes = INT64_MAX};
}

enum retort_status retort_cache_prune(struct retort_context *context, const struct retort_cache_prune_params *params,
                                      struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    enum status status = STATUS_OK;
    if (!(params->unused_days >= 0) || params->most_bytes < 0)
        status = fail(&result->ctx, STATUS_BAD_INPUT, "expected days and bytes of at least 0, found %g and %lld",
                      params->unused_days, (long long)params->most_bytes);
    if (status == STATUS_OK)
        status =
            run_cache_prune(&result->ctx, result->arena, params->unused_days * DAY, params->most_bytes, &result->root);
    result->view = view_fields;
    return call_end(context, result, status, NULL, out);
}
