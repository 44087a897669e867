/* together.h: a stage that is about an ensemble of networks which are there already: nobody learns, it is only measured. */
#ifndef RUN_TOGETHER_H
#define RUN_TOGETHER_H

#include "run/stage_job.h"

/* together_job: what stage_job does of such a stage: it is tested, recorded and noted, without a file. */
enum status together_job(struct context *ctx, struct arena *arena, const struct run_site *site,
                         const struct stage *stage, struct kernel_context *kernels, struct program_memory *memory);

#endif
