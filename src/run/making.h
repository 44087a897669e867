/* making.h: what the parts of making teachers have in common. Private to teaching_make.c and teaching_together.c. */
#ifndef RUN_MAKING_H
#define RUN_MAKING_H

#include "run/teaching.h"

struct making {
    struct context *ctx;
    struct arena *arena;
    struct run_site *site;
    struct teaching *teaching;
    struct kernel_context *kernels;
    struct program_memory *memory;
};

const struct split *making_split(const struct making *m, enum split_kind kind);
/* making_logits: of a network over a split, [N, its outputs], computed once and kept in the cache; the caller's. NULL: error recorded. */
double *making_logits(struct making *m, const struct network *network, const struct split *split);
/* making_weights: those of combine: learnt, into the teaching's ensemble. */
enum status making_weights(struct making *m);
/* making_together: the logits of all over the test split, of several their entry, and the hash of what they are. */
enum status making_together(struct making *m);

#endif
