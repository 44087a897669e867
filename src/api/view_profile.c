/* view_profile.c: where a stage's time went, for people. */
#include "api/view.h"

#include <string.h>

static double number_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && (value->kind == VALUE_REAL || value->kind == VALUE_INTEGER) ? value->real : 0;
}

static const char *text_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && value->kind == VALUE_TEXT ? value->text : NULL;
}

/* rate_cells: "87.4" (in 10^9 a second) and "82%"; empty where there is no rate. */
static void rate_cells(struct table *table, const struct value *node, const char *rate, const char *share)
{
    if (number_of(node, rate) <= 0) {
        table_cell(table, NULL);
        table_cell(table, NULL);
        return;
    }
    table_cell_format(table, "%.1f", 1e-9 * number_of(node, rate));
    table_cell_format(table, "%.0f%%", 100 * number_of(node, share));
}

static void node_row(struct table *table, const struct value *node)
{
    static const char *const words[] = {"phase", "layer", "op"};
    table_row(table);
    table_cell_format(table, "%.1f", 1e6 * number_of(node, "seconds"));
    table_cell_format(table, "%.1f%%", 100 * number_of(node, "share"));
    for (int i = 0; i < 3; i++)
        table_cell(table, text_of(node, words[i]));
    rate_cells(table, node, "flops_per_second", "of_peak_flops");
    rate_cells(table, node, "bytes_per_second", "of_peak_bytes");
    table_cell(table, text_of(node, "kernel"));
}

static void part_row(struct table *table, const char *phase, double seconds, double share)
{
    table_row(table);
    table_cell_format(table, "%.1f", 1e6 * seconds);
    table_cell_format(table, "%.1f%%", 100 * share);
    table_cell(table, phase);
}

/* parts_rows: what lies outside the nodes: the parts of a step but the program, and what the program takes beyond its nodes. */
static void parts_rows(struct table *table, const struct value *profile)
{
    const struct value *parts = value_get(profile, "parts"), *nodes = value_get(profile, "nodes");
    double seconds = 0, share = 0;
    for (size_t i = 0; nodes != NULL && i < nodes->count; i++) {
        seconds += number_of(nodes->items[i], "seconds");
        share += number_of(nodes->items[i], "share");
    }
    for (size_t i = 0; parts != NULL && i < parts->count; i++) {
        const struct value *part = parts->items[i];
        const char *word = text_of(part, "part");
        const bool program = word != NULL && strcmp(word, "program") == 0;
        part_row(table,
                 program        ? "between nodes"
                 : word != NULL ? word
                                : "",
                 number_of(part, "seconds") - (program ? seconds : 0),
                 number_of(part, "share") - (program ? share : 0));
    }
}

void view_profile(const struct value *stage, struct text *out)
{
    static const struct {
        const char *name;
        enum table_align align;
    } columns[] = {{"us a step", TABLE_RIGHT}, {"share", TABLE_RIGHT}, {"phase", TABLE_LEFT},
                   {"layer", TABLE_LEFT},      {"op", TABLE_LEFT},     {"GFLOP/s", TABLE_RIGHT},
                   {"of peak", TABLE_RIGHT},   {"GB/s", TABLE_RIGHT},  {"of peak", TABLE_RIGHT},
                   {"kernel", TABLE_LEFT}};
    char steps[VIEW_NUMBER_SIZE];
    const struct value *profile = value_get(stage, "profile"), *peak = value_get(profile, "peak"),
                       *nodes = value_get(profile, "nodes");
    if (nodes == NULL)
        return;
    text_format(out, "\nprofile of %s: %s steps of %.1f us, %.1f GFLOP/s", text_of(stage, "name"),
                view_scalar(value_get(profile, "steps"), steps), 1e6 * number_of(profile, "seconds"),
                1e-9 * number_of(profile, "flops_per_second"));
    text_format(out, " (%.0f%% of the peak); %.0f threads\n", 100 * number_of(profile, "of_peak_flops"),
                number_of(profile, "threads"));
    text_format(out,
                "peaks: %.1f GFLOP/s (a large matrix product), %.1f GB/s from memory and %.1f from the cache (a sum of "
                "two arrays)\n\n",
                1e-9 * number_of(peak, "flops_per_second"), 1e-9 * number_of(peak, "bytes_per_second"),
                1e-9 * number_of(peak, "cached_bytes_per_second"));
    struct table *table = table_new(out->ctx);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        table_column(table, columns[i].name, columns[i].align);
    for (size_t i = 0; i < nodes->count; i++)
        node_row(table, nodes->items[i]);
    parts_rows(table, profile);
    table_write(table, out);
    table_free(table);
}
