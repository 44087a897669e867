/* thread.h: independent pieces of work side by side, and wall-clock time. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/context.h"

/* jobs_run: calls work(child context, user, i) for i in 0 … count-1, at most `jobs` at a time, each in a
 * thread with a child context of its own; starts them in order. After a failure no further piece is started.
 * The first failing piece's error (lowest i) ends up in ctx. jobs 1 runs them on the calling thread. */
enum status jobs_run(struct context *ctx, int jobs, int count, enum status (*work)(struct context *, void *user, int i),
                     void *user);
double clock_seconds(void); /* monotonic */
/* work_seconds: the clock to measure work with: for one thread, its CPU time, which other programs on the machine hardly disturb; for
 * several, clock_seconds. */
double work_seconds(int threads);
int cpu_count(void); /* cores this process may use */

#endif
