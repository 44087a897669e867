/* crew.h: threads that stay, for pieces of work so short that starting a thread for each would cost a good part of them. */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include "base/context.h"

struct crew;

/* crew_new: for `size` pieces at a time, one of them on the thread that calls crew_run. `ctx` is borrowed until crew_free. NULL: the
 * error is recorded. */
struct crew *crew_new(struct context *ctx, int size);
/* crew_run: work(user, i) for i in 0 … count-1, each once, the 0th on the calling thread; returns when all are done. They see
 * what the caller wrote before, and the caller sees what they wrote. One crew_run of a crew at a time. */
void crew_run(struct crew *crew, int count, void (*work)(void *user, int i), void *user);
void crew_free(struct crew *crew); /* ends the threads; NULL: no-op */

#endif
