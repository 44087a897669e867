/* view_eval.c: what a model is worth, and of a model with exits what early exit comes to. */
#include "api/view.h"

#include <math.h>
#include <string.h>

static double number_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && (value->kind == VALUE_REAL || value->kind == VALUE_INTEGER) ? value->real : (double)NAN;
}

static void percent_cell(struct table *table, double part)
{
    if (isfinite(part))
        table_cell_format(table, "%.1f%%", 100 * part);
    else
        table_cell(table, "-");
}

static void exits_write(const struct value *exits, struct text *out)
{
    char number[VIEW_NUMBER_SIZE];
    struct table *table = table_new(out->ctx);
    table_column(table, "exit", TABLE_LEFT);
    table_column(table, "macs", TABLE_RIGHT);
    table_column(table, "accuracy", TABLE_RIGHT);
    table_column(table, "loss", TABLE_RIGHT);
    for (size_t i = 0; i < exits->count; i++) {
        const struct value *exit = exits->items[i];
        table_row(table);
        table_cell(table, view_scalar(value_get(exit, "name"), number));
        table_cell(table, view_scalar(value_get(exit, "macs"), number));
        table_cell(table, view_fraction(value_get(exit, "accuracy"), number));
        table_cell(table, view_scalar(value_get(exit, "loss"), number));
    }
    table_write(table, out);
    table_free(table);
}

static void point_row(struct table *table, const struct value *point)
{
    char number[VIEW_NUMBER_SIZE];
    const struct value *left = value_get(point, "left");
    table_row(table);
    table_cell(table, view_scalar(value_get(point, "threshold"), number));
    table_cell(table, view_fraction(value_get(point, "accuracy"), number));
    const struct value macs = {.kind = VALUE_INTEGER, .integer = llround(number_of(point, "macs"))};
    table_cell(table, view_scalar(&macs, number));
    percent_cell(table, number_of(point, "saved"));
    for (size_t i = 0; i < left->count; i++)
        percent_cell(table, left->items[i]->real);
}

/* points_write: the last columns say how many of the samples leave at each exit. */
static void points_write(const struct value *points, const struct value *exits, struct text *out)
{
    static const char *const columns[] = {"threshold", "accuracy", "macs", "saved"};
    char number[VIEW_NUMBER_SIZE];
    struct table *table = table_new(out->ctx);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        table_column(table, columns[i], TABLE_RIGHT);
    for (size_t i = 0; i < exits->count; i++)
        table_column(table, view_scalar(value_get(exits->items[i], "name"), number), TABLE_RIGHT);
    for (size_t i = 0; i < points->count; i++)
        point_row(table, points->items[i]);
    table_write(table, out);
    table_free(table);
}

/* fields_before: how many entries stand before the key. */
static size_t fields_before(const struct value *map, const char *key)
{
    size_t count = 0;
    while (count < map->count && strcmp(map->entries[count].key, key) != 0)
        count++;
    return count;
}

void view_eval(const struct retort_result *result, struct text *out)
{
    const struct value *root = result->root, *exits = value_get(root, "exits"), *points = value_get(root, "early_exit");
    view_entries(root, fields_before(root, "exits"), out);
    if (exits == NULL || points == NULL)
        return;
    text_add(out, "\n");
    exits_write(exits, out);
    text_add(out, "\nearly exit: accuracy and mean macs, and the part of the samples that leaves at each exit\n");
    points_write(points, exits, out);
}
