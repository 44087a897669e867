/* series.c: reads metrics back, series by series, for the report. */
#include "record/database.h"

#include <math.h>
#include <string.h>

static enum status flush_before_reading(struct context *ctx, struct record *record)
{
    return record->read_only ? STATUS_OK : record_flush_locked(ctx, record);
}

/* series_rows: fills the arrays of `out`, whose count is known. */
static enum status series_rows(struct context *ctx, struct record *record, sqlite3_stmt *statement,
                               struct record_series *out)
{
    size_t count = 0;
    bool row = false;
    for (;;) {
        RETURN_IF(database_row(ctx, record, statement, &row));
        if (!row || count == out->count)
            break;
        out->epochs[count] = sqlite3_column_int64(statement, 0);
        out->steps[count] = sqlite3_column_int64(statement, 1);
        out->values[count] =
            sqlite3_column_type(statement, 2) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(statement, 2);
        count++;
    }
    out->count = count;
    return STATUS_OK;
}

static void bind_names(sqlite3_stmt *statement, const struct record_series *series)
{
    sqlite3_bind_text(statement, 1, series->stage, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, series->split, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, series->name, -1, SQLITE_STATIC);
}

enum status record_series_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                               const char *split, const char *name, struct record_series *out)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *counting = NULL, *reading = NULL;
    bool row = false;
    memset(out, 0, sizeof *out);
    out->stage = arena_text(arena, stage);
    out->split = arena_text(arena, split);
    out->name = arena_text(arena, name);
    if (out->stage == NULL || out->split == NULL || out->name == NULL)
        return ctx->error.status;
    pthread_mutex_lock(&record->mutex);
    TRY(flush_before_reading(ctx, record));
    TRY(database_prepare(ctx, record,
                         "SELECT count(*) FROM metrics_data WHERE series ="
                         " (SELECT id FROM series WHERE stage = ? AND split = ? AND name = ?)",
                         &counting));
    bind_names(counting, out);
    TRY(database_row(ctx, record, counting, &row));
    out->count = (size_t)sqlite3_column_int64(counting, 0);
    out->epochs = arena_take(arena, out->count + 1, sizeof out->epochs[0]);
    out->steps = arena_take(arena, out->count + 1, sizeof out->steps[0]);
    out->values = arena_take(arena, out->count + 1, sizeof out->values[0]);
    if (out->epochs == NULL || out->steps == NULL || out->values == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(database_prepare(ctx, record,
                         "SELECT epoch, step, value FROM metrics_data WHERE series ="
                         " (SELECT id FROM series WHERE stage = ? AND split = ? AND name = ?) ORDER BY step",
                         &reading));
    bind_names(reading, out);
    TRY(series_rows(ctx, record, reading, out));

cleanup:
    sqlite3_finalize(counting);
    sqlite3_finalize(reading);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_series_list(struct context *ctx, struct arena *arena, struct record *record,
                               struct record_series **out, size_t *count)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    size_t capacity = 0;
    bool row = false;
    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&record->mutex);
    TRY(flush_before_reading(ctx, record));
    TRY(database_prepare(ctx, record,
                         "SELECT stage, split, name, count(*) FROM metrics GROUP BY stage, split, name"
                         " ORDER BY stage, split, name",
                         &statement));
    for (;;) {
        TRY(database_row(ctx, record, statement, &row));
        if (!row)
            break;
        if (*count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            struct record_series *grown = arena_take(arena, capacity, sizeof **out);
            if (grown == NULL) {
                status = ctx->error.status;
                goto cleanup;
            }
            if (*count > 0)
                memcpy(grown, *out, *count * sizeof **out);
            *out = grown;
        }
        struct record_series *series = &(*out)[*count];
        TRY(database_text(ctx, arena, statement, 0, &series->stage));
        TRY(database_text(ctx, arena, statement, 1, &series->split));
        TRY(database_text(ctx, arena, statement, 2, &series->name));
        series->count = (size_t)sqlite3_column_int64(statement, 3);
        ++*count;
    }

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}
