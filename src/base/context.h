/* context.h: what travels with every call: allocator, first error, log, threads, cancellation.
 *
 * A context belongs to one thread at a time. Work that runs side by side takes one child each
 * (context_child); a child's error is passed up with context_adopt_error. There is no other
 * mutable state in the process. */
#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include "base/status.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first error wins; later ones are dropped until error_clear. */
struct error {
    enum status status;
    char message[2048];
};

/* An allocator; `fail_at` (tests): the n-th allocation from now fails, 0: none does. */
struct allocator {
    void *(*allocate)(size_t bytes); /* 64-byte aligned, or NULL; NULL function: the system's */
    void (*release)(void *memory);
    uint64_t allocations; /* how often we allocated: the same after step 2 and step 1,000 */
    uint64_t fail_at;
};

struct additions;

enum log_level { LOG_QUIET, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct context {
    struct allocator allocator;
    struct error error;
    enum log_level log_level;
    void (*log)(void *user, enum log_level level, const char *line); /* NULL: standard error; line without newline */
    void *log_user;
    int threads;                         /* threads that one run may use; at least 1 */
    const volatile sig_atomic_t *cancel; /* borrowed; non-zero asks to stop at the next safe point; NULL: never */
    const struct additions *additions;   /* borrowed: to the tables (base/additions.h); NULL: none */
};

/* context_init: the system's allocator, log level INFO to standard error, one thread. */
void context_init(struct context *ctx);
/* context_child: a context for another thread, with the parent's settings and no error. */
void context_child(const struct context *parent, struct context *child);
/* context_adopt_error: takes over the child's error if ctx has none; returns ctx's status. */
enum status context_adopt_error(struct context *ctx, const struct context *child);
bool context_cancelled(const struct context *ctx);

/* fail: records status and message unless an error is there already, and returns the status
 * that is recorded. The message says what, where, expected, found, what to do; it carries no
 * trailing newline or full stop and no "retort:" in front (the command line adds that). */
enum status fail(struct context *ctx, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void error_clear(struct context *ctx);

void log_line(struct context *ctx, enum log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* memory_new: count * size bytes, zeroed, 64-byte aligned. NULL with STATUS_NO_MEMORY recorded
 * when there is none (also when count * size overflows). count 0 gives a valid pointer. */
void *memory_new(struct context *ctx, size_t count, size_t size);
/* memory_grow: a larger copy of `memory` (old_count elements kept, the rest zeroed); frees the old
 * one. NULL on failure, `memory` then is untouched. */
void *memory_grow(struct context *ctx, void *memory, size_t old_count, size_t new_count, size_t size);
void memory_free(struct context *ctx, void *memory); /* NULL: no-op */
size_t memory_physical(void); /* bytes that this machine, or this container of it, has; SIZE_MAX: unknown */
char *memory_text(struct context *ctx, const char *text); /* a copy; NULL gives NULL without an error */

#endif
