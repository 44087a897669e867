/* metric.c: metrics come in one by one, and go to the database many at a time. */
#include "record/database.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { NAMES_FIRST_CAPACITY = 64 };

static bool name_is(const struct record_name *entry, const char *stage, const char *split, const char *name)
{
    return strcmp(entry->stage, stage) == 0 && strcmp(entry->name, name) == 0 && strcmp(entry->split, split) == 0;
}

/* name_add: a new series; memory is taken only here, so never in a stage's later steps. */
static enum status name_add(struct context *ctx, struct record *record, const char *stage, const char *split,
                            const char *name)
{
    if (record->name_count == record->name_capacity) {
        size_t capacity = record->name_capacity == 0 ? NAMES_FIRST_CAPACITY : 2 * record->name_capacity;
        struct record_name *grown =
            memory_grow(ctx, record->names, record->name_count, capacity, sizeof record->names[0]);
        if (grown == NULL)
            return ctx->error.status;
        record->names = grown;
        record->name_capacity = capacity;
    }
    size_t stage_size = strlen(stage) + 1, split_size = strlen(split) + 1, name_size = strlen(name) + 1;
    char *texts = memory_new(ctx, stage_size + split_size + name_size, 1);
    if (texts == NULL)
        return ctx->error.status;
    memcpy(texts, stage, stage_size);
    memcpy(texts + stage_size, split, split_size);
    memcpy(texts + stage_size + split_size, name, name_size);
    record->names[record->name_count++] =
        (struct record_name){texts, texts + stage_size, texts + stage_size + split_size, 0};
    return STATUS_OK;
}

/* name_find: where the series is. A step's metrics come in the same order each time, so the search begins behind the
 * last one. */
static enum status name_find(struct context *ctx, struct record *record, const char *stage, const char *split,
                             const char *name, size_t *out)
{
    for (size_t i = 1; i <= record->name_count; i++) {
        size_t at = (record->last_name + i) % record->name_count;
        if (name_is(&record->names[at], stage, split, name)) {
            *out = record->last_name = at;
            return STATUS_OK;
        }
    }
    RETURN_IF(name_add(ctx, record, stage, split, name));
    *out = record->last_name = record->name_count - 1;
    return STATUS_OK;
}

enum status record_metric(struct context *ctx, struct record *record, const char *stage, int64_t epoch, int64_t step,
                          const char *split, const char *name, double value)
{
    enum status status = STATUS_OK;
    size_t at = 0;
    assert(!record->read_only);
    pthread_mutex_lock(&record->mutex);
    if (record->used == RECORD_BUFFER)
        TRY(record_flush_locked(ctx, record));
    TRY(name_find(ctx, record, stage, split, name, &at));
    record->rows[record->used++] = (struct record_row){at, epoch, step, value};

cleanup:
    pthread_mutex_unlock(&record->mutex);
    return status;
}

/* name_store: the series gets its id in the database. */
static enum status name_store(struct context *ctx, struct record *record, struct record_name *entry)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    /* The update that changes nothing makes RETURNING answer for a series that is there already. */
    TRY(database_prepare(ctx, record,
                         "INSERT INTO series(stage, split, name) VALUES(?, ?, ?)"
                         " ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id",
                         &statement));
    sqlite3_bind_text(statement, 1, entry->stage, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, entry->split, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, entry->name, -1, SQLITE_STATIC);
    TRY(database_row(ctx, record, statement, &row));
    assert(row);
    entry->id = sqlite3_column_int64(statement, 0);
    TRY(database_row(ctx, record, statement, &row)); /* to its end, which does the work */

cleanup:
    sqlite3_finalize(statement);
    return status;
}

static enum status write_rows(struct context *ctx, struct record *record)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    TRY(database_prepare(
        ctx, record, "INSERT OR REPLACE INTO metrics_data(series, step, epoch, value) VALUES(?, ?, ?, ?)", &statement));
    for (size_t i = 0; i < record->used; i++) {
        const struct record_row *row = &record->rows[i];
        struct record_name *entry = &record->names[row->name];
        if (entry->id == 0)
            TRY(name_store(ctx, record, entry));
        sqlite3_bind_int64(statement, 1, entry->id);
        sqlite3_bind_int64(statement, 2, row->step);
        sqlite3_bind_int64(statement, 3, row->epoch);
        if (isfinite(row->value))
            sqlite3_bind_double(statement, 4, row->value);
        else
            sqlite3_bind_null(statement, 4);
        TRY(database_run(ctx, record, statement));
    }

cleanup:
    sqlite3_finalize(statement);
    return status;
}

enum status record_flush_locked(struct context *ctx, struct record *record)
{
    if (record->used == 0)
        return STATUS_OK;
    enum status status = STATUS_OK;
    TRY(database_execute(ctx, record, "BEGIN IMMEDIATE"));
    TRY(write_rows(ctx, record));
    TRY(database_execute(ctx, record, "COMMIT"));
    record->used = 0;

cleanup:
    if (status != STATUS_OK) {
        /* The rows stay in memory for a next try; ids that were given in this transaction are gone. */
        sqlite3_exec(record->database, "ROLLBACK", NULL, NULL, NULL);
        for (size_t i = 0; i < record->name_count; i++)
            record->names[i].id = 0;
    }
    return status;
}

enum status record_flush(struct context *ctx, struct record *record)
{
    pthread_mutex_lock(&record->mutex);
    enum status status = record_flush_locked(ctx, record);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_rewind(struct context *ctx, struct record *record, const char *stage, int64_t step)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    size_t kept = 0;
    pthread_mutex_lock(&record->mutex);
    for (size_t i = 0; i < record->used; i++)
        if (record->rows[i].step <= step || strcmp(record->names[record->rows[i].name].stage, stage) != 0)
            record->rows[kept++] = record->rows[i];
    record->used = kept;
    TRY(database_prepare(ctx, record,
                         "DELETE FROM metrics_data WHERE step > ? AND series IN"
                         " (SELECT id FROM series WHERE stage = ?)",
                         &statement));
    sqlite3_bind_int64(statement, 1, step);
    sqlite3_bind_text(statement, 2, stage, -1, SQLITE_STATIC);
    TRY(database_run(ctx, record, statement));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}
