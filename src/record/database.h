/* database.h: what the files of record/ share: the open database and the metrics that are still in memory. Private. */
#ifndef RECORD_DATABASE_H
#define RECORD_DATABASE_H

#include "record/record.h"

#include <pthread.h>
#include <sqlite3.h>

enum { RECORD_BUFFER = 4096 };

/* A series that metrics were given for. Its id in the database is 0 until the first flush. */
struct record_name {
    char *stage, *split, *name;
    int64_t id;
};

struct record_row {
    size_t name; /* index into names */
    int64_t epoch, step;
    double value;
};

struct record {
    sqlite3 *database;
    char *path;
    bool read_only;
    pthread_mutex_t mutex; /* held by each public function from its first to its last look at what follows */
    struct record_name *names;
    size_t name_count, name_capacity;
    size_t last_name; /* of the last metric, where the search begins */
    size_t used;
    struct record_row rows[RECORD_BUFFER];
};

/* database_fail: the status and message of what SQLite just refused; `what`: "write", "read". */
enum status database_fail(struct context *ctx, const struct record *record, const char *what);
/* database_execute: statements without results. */
enum status database_execute(struct context *ctx, struct record *record, const char *sql);
/* database_prepare: *out is the caller's (sqlite3_finalize). */
enum status database_prepare(struct context *ctx, struct record *record, const char *sql, sqlite3_stmt **out);
/* database_run: steps a statement that gives no rows, and resets it. */
enum status database_run(struct context *ctx, struct record *record, sqlite3_stmt *statement);
/* database_row: *row: there is a row to read. */
enum status database_row(struct context *ctx, struct record *record, sqlite3_stmt *statement, bool *row);
/* database_text: a column's text as a copy in the arena; *out NULL when the column is. */
enum status database_text(struct context *ctx, struct arena *arena, sqlite3_stmt *statement, int column,
                          const char **out);

/* record_flush_locked: record_flush for who holds the mutex. */
enum status record_flush_locked(struct context *ctx, struct record *record);

#endif
