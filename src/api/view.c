/* view.c: scalars and lines for people, and the plainest view: a line a field. */
#include "api/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* grouped: "12,345". */
static const char *grouped(int64_t number, char out[VIEW_NUMBER_SIZE])
{
    char digits[24];
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    int length = snprintf(digits, sizeof digits, "%" PRIu64, magnitude), at = 0;
    if (number < 0)
        out[at++] = '-';
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *view_scalar(const struct value *value, char out[VIEW_NUMBER_SIZE])
{
    if (value == NULL || value->kind == VALUE_NULL)
        return "-";
    if (value->kind == VALUE_TEXT)
        return value->text;
    if (value->kind == VALUE_BOOLEAN)
        return value->boolean ? "true" : "false";
    if (value->kind == VALUE_INTEGER)
        return grouped(value->integer, out);
    snprintf(out, VIEW_NUMBER_SIZE, fabs(value->real) >= 1e-3 && fabs(value->real) < 1e5 ? "%.6g" : "%.4g",
             value->real);
    return out;
}

const char *view_fraction(const struct value *value, char out[VIEW_NUMBER_SIZE])
{
    if (value == NULL || (value->kind != VALUE_INTEGER && value->kind != VALUE_REAL))
        return "-";
    snprintf(out, VIEW_NUMBER_SIZE, "%.4f", value->real);
    return out;
}

void view_one_line(const struct value *value, struct text *out)
{
    char number[VIEW_NUMBER_SIZE];
    if (value == NULL || (value->kind != VALUE_LIST && value->kind != VALUE_MAP)) {
        text_add(out, view_scalar(value, number));
        return;
    }
    bool list = value->kind == VALUE_LIST;
    text_add(out, list ? "[" : "{");
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            text_add(out, ", ");
        if (!list)
            text_format(out, "%s: ", value->entries[i].key);
        view_one_line(list ? value->items[i] : value->entries[i].value, out);
    }
    text_add(out, list ? "]" : "}");
}

void view_wrap(struct text *out, int indent, const char *text)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        int column = 0;
        size_t at = 0;
        while (at < line) {
            size_t word = strcspn(text + at, " \n");
            if (column > 0 && indent + column + 1 + (int)word > VIEW_WIDTH) {
                text_add(out, "\n");
                column = 0;
            }
            if (column == 0)
                text_format(out, "%*s", indent, "");
            else
                text_add(out, " ");
            text_add_bytes(out, text + at, word);
            column += (int)word + (column > 0);
            at += word;
            while (at < line && text[at] == ' ')
                at++;
        }
        text_add(out, "\n");
        text += line + (text[line] == '\n');
    }
}

void view_entries(const struct value *map, size_t count, struct text *out)
{
    int width = 0;
    for (size_t i = 0; i < count; i++)
        width = (int)strlen(map->entries[i].key) > width ? (int)strlen(map->entries[i].key) : width;
    for (size_t i = 0; i < count; i++) {
        text_format(out, "%-*s  ", width, map->entries[i].key);
        view_one_line(map->entries[i].value, out);
        text_add(out, "\n");
    }
}

void view_fields(const struct retort_result *result, struct text *out)
{
    if (result->root->kind == VALUE_MAP)
        view_entries(result->root, result->root->count, out);
}

void view_list(const struct retort_result *result, struct text *out)
{
    struct table *table = table_new(out->ctx);
    bool family = false;
    for (size_t i = 0; i < result->root->count; i++)
        family = family || value_get(result->root->items[i], "family") != NULL;
    table_column(table, "name", TABLE_LEFT);
    if (family)
        table_column(table, "family", TABLE_LEFT);
    table_column(table, "summary", TABLE_LEFT);
    for (size_t i = 0; i < result->root->count; i++) {
        static const char *const keys[] = {"name", "family", "summary"};
        table_row(table);
        for (int j = 0; j < 3; j++) {
            const struct value *cell = value_get(result->root->items[i], keys[j]);
            if (j != 1 || family)
                table_cell(table, cell != NULL ? cell->text : NULL);
        }
    }
    table_write(table, out);
    table_free(table);
}
