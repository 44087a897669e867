/* result.c: reading a result, and writing it as text, JSON or CSV. */
#include "api/call.h"

#include "base/table.h"
#include "format/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void retort_result_free(struct retort_result *result)
{
    if (result == NULL)
        return;
    arena_free(result->arena);
    struct context own = result->ctx;
    memory_free(&own, result);
}

/* A public value is a value, seen through a pointer that shows nothing of it. */
static const struct value *inner(const struct retort_value *value)
{
    return (const struct value *)(const void *)value;
}

static const struct retort_value *outer(const struct value *value)
{
    return (const struct retort_value *)(const void *)value;
}

const struct retort_value *retort_result_root(const struct retort_result *result)
{
    return outer(result->root);
}

const char *retort_result_folder(const struct retort_result *result)
{
    return result->folder;
}

enum retort_kind retort_value_kind(const struct retort_value *value)
{
    static const enum retort_kind kinds[] = {
        [VALUE_NULL] = RETORT_NULL,   [VALUE_BOOLEAN] = RETORT_BOOLEAN, [VALUE_INTEGER] = RETORT_INTEGER,
        [VALUE_REAL] = RETORT_NUMBER, [VALUE_TEXT] = RETORT_TEXT,       [VALUE_LIST] = RETORT_LIST,
        [VALUE_MAP] = RETORT_MAP,
    };
    return value != NULL ? kinds[inner(value)->kind] : RETORT_NULL;
}

const struct retort_value *retort_value_get(const struct retort_value *value, const char *path)
{
    return value != NULL ? outer(value_path(inner(value), path)) : NULL;
}

size_t retort_value_count(const struct retort_value *value)
{
    enum retort_kind kind = retort_value_kind(value);
    return kind == RETORT_LIST || kind == RETORT_MAP ? inner(value)->count : 0;
}

const struct retort_value *retort_value_child(const struct retort_value *value, size_t index)
{
    if (index >= retort_value_count(value))
        return NULL;
    const struct value *in = inner(value);
    return outer(in->kind == VALUE_LIST ? in->items[index] : in->entries[index].value);
}

const char *retort_value_key(const struct retort_value *value, size_t index)
{
    bool there = retort_value_kind(value) == RETORT_MAP && index < retort_value_count(value);
    return there ? inner(value)->entries[index].key : NULL;
}

double retort_value_number(const struct retort_value *value)
{
    enum retort_kind kind = retort_value_kind(value);
    return kind == RETORT_INTEGER || kind == RETORT_NUMBER ? inner(value)->real : NAN;
}

int64_t retort_value_integer(const struct retort_value *value)
{
    return retort_value_kind(value) == RETORT_INTEGER ? inner(value)->integer : 0;
}

bool retort_value_boolean(const struct retort_value *value)
{
    return retort_value_kind(value) == RETORT_BOOLEAN && inner(value)->boolean;
}

const char *retort_value_text(const struct retort_value *value)
{
    return retort_value_kind(value) == RETORT_TEXT ? inner(value)->text : NULL;
}

/* --- CSV --- */

/* rows_of: the list of maps that the result is as a table; *one: the root itself is the only row. */
static const struct value *rows_of(const struct retort_result *result, bool *one)
{
    const struct value *rows = result->rows != NULL ? value_get(result->root, result->rows) : result->root;
    *one = rows == NULL || rows->kind != VALUE_LIST;
    return *one ? result->root : rows;
}

static const struct value *row_at(const struct value *rows, bool one, size_t i)
{
    return one ? rows : rows->items[i];
}

static void cell_add(struct context *ctx, struct table *table, const struct value *value)
{
    if (value == NULL || value->kind == VALUE_NULL) {
        table_cell(table, NULL);
        return;
    }
    struct text cell;
    text_init(&cell, ctx);
    if (value->kind == VALUE_TEXT)
        text_add(&cell, value->text);
    else
        json_write(value, &cell, 0);
    table_cell(table, cell.bytes != NULL ? cell.bytes : "");
    text_free(&cell);
}

/* csv_write: a column for every key that any row has, in the order of their first coming. */
static void csv_write(struct context *ctx, const struct retort_result *result, struct text *out)
{
    bool one;
    const struct value *rows = rows_of(result, &one);
    size_t count = one ? 1 : rows->count;
    struct arena *arena = arena_new(ctx);
    struct value *columns = arena != NULL ? value_map(arena) : NULL;
    struct table *table = table_new(ctx);
    for (size_t i = 0; i < count; i++) {
        const struct value *row = row_at(rows, one, i);
        for (size_t j = 0; row->kind == VALUE_MAP && j < row->count; j++)
            if (columns != NULL && value_get(columns, row->entries[j].key) == NULL)
                columns = value_set(arena, columns, row->entries[j].key, value_null(arena));
    }
    for (size_t j = 0; columns != NULL && j < columns->count; j++)
        table_column(table, columns->entries[j].key, TABLE_LEFT);
    for (size_t i = 0; columns != NULL && i < count; i++) {
        table_row(table);
        for (size_t j = 0; j < columns->count; j++)
            cell_add(ctx, table, value_get(row_at(rows, one, i), columns->entries[j].key));
    }
    table_write_csv(columns != NULL ? table : NULL, out);
    table_free(table);
    arena_free(arena);
}

/* --- writing --- */

/* result_text: the whole text; sticky. `ctx` is the call's own: a result is never changed by being written. */
static void result_text(const struct retort_result *result, enum retort_format format, struct context *ctx,
                        struct text *out)
{
    context_child(&result->ctx, ctx);
    text_init(out, ctx);
    if (format == RETORT_CSV_FORMAT) {
        csv_write(ctx, result, out);
    } else if (format == RETORT_TEXT_FORMAT && result->view != NULL) {
        result->view(result, out);
    } else {
        json_write(result->root, out, 2);
        text_add(out, "\n");
    }
}

enum retort_status retort_result_write(const struct retort_result *result, enum retort_format format, FILE *file)
{
    struct context ctx;
    struct text out;
    enum retort_status status = RETORT_OK;
    result_text(result, format, &ctx, &out);
    if (out.failed)
        status = RETORT_NO_MEMORY;
    else if (fwrite(out.bytes != NULL ? out.bytes : "", 1, out.length, file) != out.length || fflush(file) != 0)
        status = RETORT_IO;
    text_free(&out);
    return status;
}

char *retort_result_string(const struct retort_result *result, enum retort_format format)
{
    struct context ctx;
    struct text out;
    result_text(result, format, &ctx, &out);
    /* The caller has no context to free it with, so it comes from malloc. */
    char *copy = out.failed ? NULL : malloc(out.length + 1);
    if (copy != NULL && out.length > 0)
        memcpy(copy, out.bytes, out.length);
    if (copy != NULL)
        copy[out.length] = '\0';
    text_free(&out);
    return copy;
}
