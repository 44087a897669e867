/* api: implements include/retort.h, the only header that is installed. Sees every room.
 *
 * call.h: what a call of the public interface is made of. A job runs in the context of the result that it makes, which
 * outlives the call; its error is then taken over by the caller's context. */
#ifndef API_CALL_H
#define API_CALL_H

#include "base/additions.h"
#include "base/text.h"
#include "base/value.h"

#include <pthread.h>
#include <retort.h>

struct retort_context {
    struct context base;
    pthread_mutex_t lock; /* of log and progress: a user's functions are never called side by side */
    void (*log)(void *user, enum retort_log_level level, const char *line);
    void *log_user;
    struct additions additions; /* of base: what was registered */
    struct arena *added;        /* in which it lies; NULL: nothing was */
};

/* result_view: how a result reads for people. */
typedef void result_view(const struct retort_result *result, struct text *out);

struct retort_result {
    struct context ctx;
    struct arena *arena;
    struct value *root;
    const char *folder; /* of a run; NULL: none */
    result_view *view;
    const char *rows; /* key of the root under which the rows lie; NULL: the root is the rows, or the one row */
};

/* call_begin: an empty result to work in; clears the context's error. NULL: no memory. *out becomes NULL. */
struct retort_result *call_begin(struct retort_context *context, struct retort_result **out);

/* call_end: hands the result over, or frees it and keeps its error. `recipe`: the file whose mistakes are the user's
 * (status RETORT_USAGE); NULL: none. */
enum retort_status call_end(struct retort_context *context, struct retort_result *result, enum status status,
                            const char *recipe, struct retort_result **out);

/* needs: fails with STATUS_BAD_INPUT when a text that must be given is NULL. */
enum status needs(struct context *ctx, const char *what, const char *given);

/* sweep_by_gain: the runs of a sweep.json, the largest gain first, of the arena. NULL: error recorded. */
const struct value **sweep_by_gain(struct arena *arena, const struct value *runs);

/* --- views, view_*.c --- */
result_view view_fields, view_eval, view_list, view_inspect, view_plan, view_run, view_sweep, view_help;

#endif
