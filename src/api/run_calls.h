/* run_calls.h: what distill and sweep have in common. */
#ifndef API_RUN_CALLS_H
#define API_RUN_CALLS_H

#include "api/call.h"
#include "run/run.h"

/* Who hears of a job's progress. */
struct listener {
    struct retort_context *context;
    void (*progress)(void *user, const struct retort_progress *progress);
    void *user;
};

/* listener_forward: to the listener, one call at a time. */
void listener_forward(void *listener, const struct run_progress *from);

/* report_make: the page of a run. The run stands, also where its page cannot be made. */
enum status report_make(struct context *ctx, const char *folder);

#endif
