/* result.h: result.json out of the stages' entries. */
#ifndef RUN_RESULT_H
#define RUN_RESULT_H

#include "run/stage_job.h"

/* result_make: the whole document (CONTRACT). entries: a list in the order of the stages. NULL: error recorded. */
struct value *result_make(struct arena *arena, const struct plan *plan, const char *version,
                          const struct kernel_context *kernels, struct value *entries, double seconds);
/* result_best: the name of the distilled stage with the best validation accuracy (the first such; without validation the first); NULL: none. */
const char *result_best(const struct value *entries);

#endif
