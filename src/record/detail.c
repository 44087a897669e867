/* detail.c: what a stage leaves besides numbers over steps: arrays, and the layers of its network. */
#include "record/database.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPE_TEXT = 128, ARRAY_BYTES_MAX = 1 << 26, LAYERS_MAX = 1 << 16 };

static const struct {
    const char *text;
    size_t size;
} elements[] = {
#define X(name, text, size) {text, size},
    RECORD_ELEMENT_LIST(X)
#undef X
};

const char *record_element_text(enum record_element element)
{
    return elements[element].text;
}

/* array_bytes: 0 where a dimension is negative or the whole is too large. */
static size_t array_bytes(const struct record_array *array)
{
    int64_t bytes = (int64_t)elements[array->element].size;
    for (int i = 0; i < array->rank; i++) {
        if (array->dim[i] < 0 || (array->dim[i] > 0 && bytes > ARRAY_BYTES_MAX / array->dim[i]))
            return 0;
        bytes *= array->dim[i];
    }
    return (size_t)bytes;
}

enum status record_array(struct context *ctx, struct record *record, const char *stage,
                         const struct record_array *array)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    char shape[SHAPE_TEXT] = "";
    assert(!record->read_only && array->rank <= RECORD_RANK_MAX);
    for (int i = 0, at = 0; i < array->rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, "%s%lld", i ? "," : "", (long long)array->dim[i]);
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record,
                         "INSERT OR REPLACE INTO arrays(stage, name, element, shape, data)"
                         " VALUES(?, ?, ?, ?, ?)",
                         &statement));
    sqlite3_bind_text(statement, 1, stage, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, array->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, elements[array->element].text, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, shape, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 5, array->data != NULL ? array->data : "", array_bytes(array), SQLITE_STATIC);
    TRY(database_run(ctx, record, statement));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

/* shape_parse: "10,10"; false: something else. */
static bool shape_parse(const char *text, struct record_array *out)
{
    for (out->rank = 0; out->rank < RECORD_RANK_MAX; text++) {
        char *end = NULL;
        if (*text < '0' || *text > '9')
            return false;
        out->dim[out->rank++] = strtoll(text, &end, 10);
        text = end;
        if (*text != ',')
            break;
    }
    return *text == '\0';
}

/* array_take: the row under the statement, whose bytes must be those of its shape. */
static enum status array_take(struct context *ctx, struct arena *arena, const struct record *record,
                              sqlite3_stmt *statement, const char *stage, struct record_array *out)
{
    const char *element = (const char *)sqlite3_column_text(statement, 0);
    const char *shape = (const char *)sqlite3_column_text(statement, 1);
    const void *data = sqlite3_column_blob(statement, 2);
    size_t bytes = (size_t)sqlite3_column_bytes(statement, 2), kind = 0, kinds = sizeof elements / sizeof *elements;
    while (element != NULL && kind < kinds && strcmp(elements[kind].text, element) != 0)
        kind++;
    out->element = (enum record_element)kind;
    if (element == NULL || kind == kinds || shape == NULL || !shape_parse(shape, out) || array_bytes(out) != bytes)
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s: array \"%s\" of stage %s: expected elements u8, i32 or f32 and as many bytes as its shape "
                    "says, found %zu bytes of %s [%s]",
                    record->path, out->name, stage, bytes, element != NULL ? element : "nothing",
                    shape != NULL ? shape : "");
    char *copy = arena_take(arena, bytes + 1, 1);
    if (copy == NULL)
        return ctx->error.status;
    if (bytes > 0)
        memcpy(copy, data, bytes);
    out->data = copy;
    return STATUS_OK;
}

/* table_exists: a record that an older version made has neither of the two tables. */
static enum status table_exists(struct context *ctx, struct record *record, const char *table, bool *there)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    TRY(database_prepare(ctx, record, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", &statement));
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    TRY(database_row(ctx, record, statement, there));

cleanup:
    sqlite3_finalize(statement);
    return status;
}

enum status record_array_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                              const char *name, struct record_array *out)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    bool there = false;
    *out = (struct record_array){.name = arena_text(arena, name)};
    if (out->name == NULL)
        return ctx->error.status;
    pthread_mutex_lock(&record->mutex);
    TRY(table_exists(ctx, record, "arrays", &there));
    if (!there)
        goto cleanup;
    TRY(database_prepare(ctx, record, "SELECT element, shape, data FROM arrays WHERE stage = ? AND name = ?",
                         &statement));
    sqlite3_bind_text(statement, 1, stage, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    TRY(database_row(ctx, record, statement, &there));
    if (there)
        TRY(array_take(ctx, arena, record, statement, stage, out));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

static enum status layers_write(struct context *ctx, struct record *record, const char *stage,
                                const struct record_layer *layers, size_t count)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    TRY(database_prepare(ctx, record,
                         "INSERT OR REPLACE INTO layers(stage, place, name, type, output, parameters,"
                         " macs) VALUES(?, ?, ?, ?, ?, ?, ?)",
                         &statement));
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_text(statement, 1, stage, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, (int64_t)i);
        sqlite3_bind_text(statement, 3, layers[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 4, layers[i].type, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 5, layers[i].output, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 6, layers[i].parameters);
        sqlite3_bind_int64(statement, 7, layers[i].macs);
        TRY(database_run(ctx, record, statement));
    }

cleanup:
    sqlite3_finalize(statement);
    return status;
}

enum status record_layers(struct context *ctx, struct record *record, const char *stage,
                          const struct record_layer *layers, size_t count)
{
    enum status status = STATUS_OK;
    assert(!record->read_only);
    pthread_mutex_lock(&record->mutex);
    TRY(database_execute(ctx, record, "BEGIN IMMEDIATE"));
    TRY(layers_write(ctx, record, stage, layers, count));
    TRY(database_execute(ctx, record, "COMMIT"));

cleanup:
    if (status != STATUS_OK)
        sqlite3_exec(record->database, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

/* layers_fill: the rows under the statement, at most *count of them. */
static enum status layers_fill(struct context *ctx, struct arena *arena, struct record *record, sqlite3_stmt *statement,
                               struct record_layer *layers, size_t *count)
{
    size_t room = *count;
    bool row = false;
    for (*count = 0; *count < room; ++*count) {
        struct record_layer *layer = &layers[*count];
        RETURN_IF(database_row(ctx, record, statement, &row));
        if (!row)
            break;
        RETURN_IF(database_text(ctx, arena, statement, 0, &layer->name));
        RETURN_IF(database_text(ctx, arena, statement, 1, &layer->type));
        RETURN_IF(database_text(ctx, arena, statement, 2, &layer->output));
        layer->parameters = sqlite3_column_int64(statement, 3);
        layer->macs = sqlite3_column_int64(statement, 4);
    }
    return STATUS_OK;
}

enum status record_layers_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                               struct record_layer **out, size_t *count)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *counting = NULL, *reading = NULL;
    bool there = false;
    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&record->mutex);
    TRY(table_exists(ctx, record, "layers", &there));
    if (!there)
        goto cleanup;
    TRY(database_prepare(ctx, record, "SELECT count(*) FROM layers WHERE stage = ?", &counting));
    sqlite3_bind_text(counting, 1, stage, -1, SQLITE_STATIC);
    TRY(database_row(ctx, record, counting, &there));
    int64_t rows = sqlite3_column_int64(counting, 0);
    *count = rows < LAYERS_MAX ? (size_t)rows : LAYERS_MAX;
    *out = arena_take(arena, *count + 1, sizeof **out);
    if (*out == NULL)
        TRY(ctx->error.status);
    TRY(database_prepare(ctx, record,
                         "SELECT name, type, output, parameters, macs FROM layers WHERE stage = ? ORDER BY place",
                         &reading));
    sqlite3_bind_text(reading, 1, stage, -1, SQLITE_STATIC);
    TRY(layers_fill(ctx, arena, record, reading, *out, count));

cleanup:
    sqlite3_finalize(counting);
    sqlite3_finalize(reading);
    pthread_mutex_unlock(&record->mutex);
    return status;
}
