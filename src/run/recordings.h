/* recordings.h: what stages read of teachers that are networks, computed once or found in the cache. */
#ifndef RUN_RECORDINGS_H
#define RUN_RECORDINGS_H

#include "run/teaching.h"

/* What is recorded for whom. */
struct recordings_site {
    const struct plan *plan;
    const struct stage *stages; /* [count] that will read, of one learner */
    int count;
    int64_t batch;             /* of their steps */
    double reads;              /* samples that all their steps read, those of other seeds included */
    const char *version;       /* of the program: another one may round differently; NULL: unknown */
    const struct cache *cache; /* NULL: nothing is recorded */
    struct kernel_context *kernels;
    struct program_memory *memory;
};

/* recordings_prepare: adds recordings to the teaching, as plan->cache asks for. What is neither worth it nor possible is left to be
 * computed in each step; with cache: true that is an error. */
enum status recordings_prepare(struct context *ctx, struct arena *arena, const struct recordings_site *site,
                               struct teaching *teaching);

#endif
