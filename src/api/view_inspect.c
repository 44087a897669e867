/* view_inspect.c: a network, and a plan, for people. */
#include "api/view.h"

static void count_line(struct text *out, const char *label, const struct value *value, const char *unit)
{
    char number[VIEW_NUMBER_SIZE];
    text_format(out, "%-12s%s%s\n", label, view_scalar(value, number), unit);
}

/* one_line_cell: any value in a cell. */
static void one_line_cell(struct table *table, struct context *ctx, const struct value *value)
{
    struct text line;
    text_init(&line, ctx);
    view_one_line(value, &line);
    table_cell(table, line.bytes);
    text_free(&line);
}

static void layers_write(const struct value *layers, struct text *out)
{
    static const struct {
        const char *key;
        enum table_align align;
    } columns[] = {{"name", TABLE_LEFT},        {"type", TABLE_LEFT},  {"inputs", TABLE_LEFT}, {"output", TABLE_LEFT},
                   {"parameters", TABLE_RIGHT}, {"macs", TABLE_RIGHT}, {"options", TABLE_LEFT}};
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    struct table *table = table_new(out->ctx);
    for (int j = 0; j < COLUMNS; j++)
        table_column(table, columns[j].key, columns[j].align);
    for (size_t i = 0; i < layers->count; i++) {
        table_row(table);
        for (int j = 0; j < COLUMNS; j++)
            one_line_cell(table, out->ctx, value_get(layers->items[i], columns[j].key));
    }
    table_write(table, out);
    table_free(table);
}

void view_inspect(const struct retort_result *result, struct text *out)
{
    const struct value *root = result->root;
    text_add(out, "input       ");
    view_one_line(value_get(root, "input"), out);
    text_add(out, " (channels, height, width)\n");
    count_line(out, "parameters", value_get(root, "parameters"), "");
    count_line(out, "macs", value_get(root, "macs"), " multiply-accumulates a sample");
    count_line(out, "float32", value_path(root, "bytes.float32"), " bytes");
    count_line(out, "int8", value_path(root, "bytes.int8"), " bytes");
    const struct value *outputs = value_get(root, "outputs");
    for (size_t i = 0; i < outputs->count; i++)
        text_format(out, "%-11s %s\n", outputs->entries[i].key, outputs->entries[i].value->text);
    text_add(out, "\n");
    layers_write(value_get(root, "layers"), out);
}

void view_plan(const struct retort_result *result, struct text *out)
{
    static const char *const keys[] = {"phase", "layer", "op", "kernel", "output"};
    const struct value *root = result->root, *steps = value_get(root, "steps");
    struct table *table = table_new(out->ctx);
    count_line(out, "batch", value_get(root, "batch"), "");
    count_line(out, "arena", value_get(root, "arena_bytes"), " bytes, for all values of a step");
    count_line(out, "kept", value_get(root, "persistent_bytes"), " bytes, for constants and derived weights");
    text_add(out, "\n");
    for (int j = 0; j < 5; j++)
        table_column(table, keys[j], TABLE_LEFT);
    for (size_t i = 0; i < steps->count; i++) {
        table_row(table);
        for (int j = 0; j < 5; j++)
            one_line_cell(table, out->ctx, value_get(steps->items[i], keys[j]));
    }
    table_write(table, out);
    table_free(table);
}
