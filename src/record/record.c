/* record.c: opens and closes a record, and keeps its run, notes and stages. Metrics: metric.c, series.c. Arrays and
 * layers: detail.c. */
#include "record/record.h"

#include "base/file.h"
#include "record/database.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* "Rtrt"; how `file` and we know a record. */
enum { RECORD_APPLICATION = 0x52747274, RECORD_VERSION = 1, RECORD_BUSY_MILLISECONDS = 10000 };

/* metrics_data is clustered by its key, so a series is read in order and a number that comes again takes
 * the first one's place. */
static const char record_schema[] =
    "CREATE TABLE runs(id INTEGER PRIMARY KEY, name TEXT, started TEXT, version TEXT, recipe_sha256 TEXT, recipe TEXT);"
    "CREATE TABLE notes(key TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;"
    "CREATE TABLE stages(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, role TEXT, seed INTEGER, model TEXT,"
    " parameters INTEGER, macs INTEGER, epochs INTEGER, steps INTEGER, seconds REAL, samples_per_second REAL);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, stage TEXT NOT NULL, split TEXT NOT NULL, name TEXT NOT NULL,"
    " UNIQUE(stage, split, name));"
    "CREATE TABLE metrics_data(series INTEGER NOT NULL REFERENCES series(id), step INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, value REAL, PRIMARY KEY(series, step)) WITHOUT ROWID;"
    "CREATE VIEW metrics(stage, epoch, step, split, name, value) AS"
    " SELECT series.stage, metrics_data.epoch, metrics_data.step, series.split, series.name, metrics_data.value"
    " FROM metrics_data JOIN series ON series.id = metrics_data.series;";

/* Tables that came later: a record without them is one of the same version, to which they are added. */
static const char record_additions[] =
    "CREATE TABLE IF NOT EXISTS arrays(stage TEXT NOT NULL, name TEXT NOT NULL, element TEXT NOT NULL,"
    " shape TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY(stage, name));"
    "CREATE TABLE IF NOT EXISTS layers(stage TEXT NOT NULL, place INTEGER NOT NULL, name TEXT, type TEXT, output TEXT,"
    " parameters INTEGER, macs INTEGER, PRIMARY KEY(stage, place)) WITHOUT ROWID;";

static enum status read_number(struct context *ctx, struct record *record, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum status status = STATUS_OK;
    TRY(database_prepare(ctx, record, sql, &statement));
    TRY(database_row(ctx, record, statement, &row));
    *out = row ? sqlite3_column_int64(statement, 0) : 0;

cleanup:
    sqlite3_finalize(statement);
    return status;
}

/* prepare_schema: makes the tables in an empty file; refuses one that is not ours. */
static enum status prepare_schema(struct context *ctx, struct record *record)
{
    enum status status = STATUS_OK;
    int64_t application = 0, version = 0, tables = 0;
    char sql[96];
    if (!record->read_only)
        TRY(database_execute(ctx, record, "BEGIN IMMEDIATE")); /* two that make it at once: one after the other */
    TRY(read_number(ctx, record, "PRAGMA application_id", &application));
    TRY(read_number(ctx, record, "PRAGMA user_version", &version));
    TRY(read_number(ctx, record, "SELECT count(*) FROM sqlite_master", &tables));
    if (application == 0 && version == 0 && tables == 0 && !record->read_only) {
        TRY(database_execute(ctx, record, record_schema));
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", RECORD_APPLICATION,
                 RECORD_VERSION);
        TRY(database_execute(ctx, record, sql));
    } else if (application != RECORD_APPLICATION) {
        status = fail(ctx, STATUS_BAD_INPUT, "%s: not a record of retort, but another SQLite database", record->path);
        goto cleanup;
    } else if (version != RECORD_VERSION) {
        status = fail(ctx, STATUS_BAD_INPUT, "%s: expected a record of version %d, found version %lld", record->path,
                      RECORD_VERSION, (long long)version);
        goto cleanup;
    }
    if (!record->read_only) {
        TRY(database_execute(ctx, record, record_additions));
        TRY(database_execute(ctx, record, "COMMIT"));
    }

cleanup:
    return status; /* closing takes an open transaction back */
}

static void record_free(struct context *ctx, struct record *record)
{
    for (size_t i = 0; i < record->name_count; i++)
        memory_free(ctx, record->names[i].stage); /* one block for the three texts */
    memory_free(ctx, record->names);
    sqlite3_close(record->database);
    pthread_mutex_destroy(&record->mutex);
    memory_free(ctx, record->path);
    memory_free(ctx, record);
}

enum status record_open(struct context *ctx, const char *path, enum record_mode mode, struct record **out)
{
    enum status status = STATUS_OK;
    *out = NULL;
    if (mode == RECORD_CREATE && file_exists(path))
        return fail(ctx, STATUS_IO, "%s: there is a record already; expected a new file", path);
    if (mode == RECORD_READ && !file_exists(path))
        return fail(ctx, STATUS_IO, "%s: no such record", path);
    struct record *record = memory_new(ctx, 1, sizeof *record);
    if (record == NULL)
        return ctx->error.status;
    record->read_only = mode == RECORD_READ;
    pthread_mutex_init(&record->mutex, NULL);
    record->path = memory_text(ctx, path);
    if (record->path == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    /* Also a reader opens for writing where it may: after a kill, what was half-written must be taken back. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == RECORD_READ ? 0 : SQLITE_OPEN_CREATE);
    if (sqlite3_open_v2(path, &record->database, flags, NULL) != SQLITE_OK) {
        status = database_fail(ctx, record, "open");
        goto cleanup;
    }
    sqlite3_busy_timeout(record->database, RECORD_BUSY_MILLISECONDS);
    /* A rollback journal: between transactions there is one file and no other, whatever happens to the process. */
    TRY(database_execute(ctx, record, record->read_only ? "PRAGMA query_only=1" : "PRAGMA journal_mode=DELETE"));
    TRY(database_execute(ctx, record, "PRAGMA synchronous=NORMAL"));
    TRY(prepare_schema(ctx, record));
    *out = record;

cleanup:
    if (status != STATUS_OK)
        record_free(ctx, record);
    return status;
}

enum status record_close(struct context *ctx, struct record *record)
{
    if (record == NULL)
        return STATUS_OK;
    enum status status = record_flush_locked(ctx, record);
    record_free(ctx, record);
    return status;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, place);
    else
        sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC); /* the caller's text outlives the statement */
}

enum status record_run(struct context *ctx, struct record *record, const struct record_run *run)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record, "INSERT OR REPLACE INTO runs VALUES(1, ?, ?, ?, ?, ?)", &statement));
    bind_text(statement, 1, run->name);
    bind_text(statement, 2, run->started);
    bind_text(statement, 3, run->version);
    bind_text(statement, 4, run->recipe_sha256);
    bind_text(statement, 5, run->recipe);
    TRY(database_run(ctx, record, statement));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_run_read(struct context *ctx, struct arena *arena, struct record *record, struct record_run *out)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record, "SELECT name, started, version, recipe_sha256, recipe FROM runs", &statement));
    TRY(database_row(ctx, record, statement, &row));
    if (row) {
        TRY(database_text(ctx, arena, statement, 0, &out->name));
        TRY(database_text(ctx, arena, statement, 1, &out->started));
        TRY(database_text(ctx, arena, statement, 2, &out->version));
        TRY(database_text(ctx, arena, statement, 3, &out->recipe_sha256));
        TRY(database_text(ctx, arena, statement, 4, &out->recipe));
    }

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_note(struct context *ctx, struct record *record, const char *key, const char *text)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record, "INSERT OR REPLACE INTO notes VALUES(?, ?)", &statement));
    bind_text(statement, 1, key);
    bind_text(statement, 2, text);
    TRY(database_run(ctx, record, statement));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_note_read(struct context *ctx, struct arena *arena, struct record *record, const char *key,
                             const char **text)
{
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    *text = NULL;
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record, "SELECT text FROM notes WHERE key = ?", &statement));
    bind_text(statement, 1, key);
    TRY(database_row(ctx, record, statement, &row));
    if (row)
        TRY(database_text(ctx, arena, statement, 0, text));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_stage(struct context *ctx, struct record *record, const struct record_stage *stage)
{
    static const char sql[] =
        "INSERT INTO stages(name, role, model, seed, parameters, macs, epochs, steps, seconds, samples_per_second)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET role = excluded.role,"
        " model = excluded.model, seed = excluded.seed, parameters = excluded.parameters, macs = excluded.macs,"
        " epochs = excluded.epochs, steps = excluded.steps, seconds = excluded.seconds,"
        " samples_per_second = excluded.samples_per_second";
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    assert(stage->name != NULL);
    pthread_mutex_lock(&record->mutex);
    TRY(database_prepare(ctx, record, sql, &statement));
    bind_text(statement, 1, stage->name);
    bind_text(statement, 2, stage->role);
    bind_text(statement, 3, stage->model);
    sqlite3_bind_int64(statement, 4, stage->seed);
    sqlite3_bind_int64(statement, 5, stage->parameters);
    sqlite3_bind_int64(statement, 6, stage->macs);
    sqlite3_bind_int64(statement, 7, stage->epochs);
    sqlite3_bind_int64(statement, 8, stage->steps);
    sqlite3_bind_double(statement, 9, stage->seconds);
    sqlite3_bind_double(statement, 10, stage->samples_per_second);
    TRY(database_run(ctx, record, statement));

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

enum status record_stages_read(struct context *ctx, struct arena *arena, struct record *record,
                               struct record_stage **out, size_t *count)
{
    static const char sql[] = "SELECT name, role, model, seed, parameters, macs, epochs, steps, seconds,"
                              " samples_per_second FROM stages ORDER BY id";
    enum status status = STATUS_OK;
    sqlite3_stmt *statement = NULL;
    int64_t total = 0;
    bool row = false;
    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&record->mutex);
    TRY(read_number(ctx, record, "SELECT count(*) FROM stages", &total));
    *out = arena_take(arena, (size_t)total + 1, sizeof **out);
    if (*out == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(database_prepare(ctx, record, sql, &statement));
    for (;;) {
        TRY(database_row(ctx, record, statement, &row));
        if (!row || *count == (size_t)total) /* another process may have added one meanwhile */
            break;
        struct record_stage *stage = &(*out)[*count];
        TRY(database_text(ctx, arena, statement, 0, &stage->name));
        TRY(database_text(ctx, arena, statement, 1, &stage->role));
        TRY(database_text(ctx, arena, statement, 2, &stage->model));
        stage->seed = sqlite3_column_int64(statement, 3);
        stage->parameters = sqlite3_column_int64(statement, 4);
        stage->macs = sqlite3_column_int64(statement, 5);
        stage->epochs = sqlite3_column_int64(statement, 6);
        stage->steps = sqlite3_column_int64(statement, 7);
        stage->seconds = sqlite3_column_double(statement, 8);
        stage->samples_per_second = sqlite3_column_double(statement, 9);
        ++*count;
    }

cleanup:
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&record->mutex);
    return status;
}
