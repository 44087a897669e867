/* database.c: SQLite's answers as statuses and messages. */
#include "record/database.h"

#include <string.h>

enum status database_fail(struct context *ctx, const struct record *record, const char *what)
{
    int code = sqlite3_errcode(record->database) & 0xff; /* NULL: SQLite had no memory for it */
    int number = sqlite3_system_errno(record->database);
    char reason[128] = "";
    if (code == SQLITE_NOMEM)
        return fail(ctx, STATUS_NO_MEMORY, "%s: no memory to %s the record", record->path, what);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return fail(ctx, STATUS_BAD_INPUT, "%s: not a record, or damaged: %s", record->path,
                    sqlite3_errmsg(record->database));
    if ((code == SQLITE_CANTOPEN || code == SQLITE_IOERR) && number != 0 &&
        strerror_r(number, reason, sizeof reason) == 0)
        return fail(ctx, STATUS_IO, "%s: cannot %s the record: %s (%s)", record->path, what,
                    sqlite3_errmsg(record->database), reason);
    return fail(ctx, STATUS_IO, "%s: cannot %s the record: %s", record->path, what, sqlite3_errmsg(record->database));
}

enum status database_execute(struct context *ctx, struct record *record, const char *sql)
{
    return sqlite3_exec(record->database, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK
                                                                              : database_fail(ctx, record, "write");
}

enum status database_prepare(struct context *ctx, struct record *record, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(record->database, sql, -1, out, NULL) == SQLITE_OK ? STATUS_OK
                                                                                 : database_fail(ctx, record, "read");
}

enum status database_run(struct context *ctx, struct record *record, sqlite3_stmt *statement)
{
    enum status status = sqlite3_step(statement) == SQLITE_DONE ? STATUS_OK : database_fail(ctx, record, "write");
    sqlite3_reset(statement);
    return status;
}

enum status database_row(struct context *ctx, struct record *record, sqlite3_stmt *statement, bool *row)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? STATUS_OK : database_fail(ctx, record, "read");
}

enum status database_text(struct context *ctx, struct arena *arena, sqlite3_stmt *statement, int column,
                          const char **out)
{
    *out = NULL;
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return STATUS_OK;
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text == NULL)
        return fail(ctx, STATUS_NO_MEMORY, "no memory to read the record");
    *out = arena_text(arena, text);
    return *out != NULL ? STATUS_OK : ctx->error.status;
}
