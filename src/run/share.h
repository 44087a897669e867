/* share.h: stages that several runs of a sweep have in common: carried out once, each in a folder of its own, and taken over by the runs.
 *
 * What may be shared is a teacher, or a student alone, and all that it depends on is in its name: data, precision, network, training, loss
 * and seed. What a run adds to such a stage (how a student agrees with this run's teacher) is computed by the run itself. */
#ifndef RUN_SHARE_H
#define RUN_SHARE_H

#include "run/stage_job.h"

/* share_new: of the context that frees it too; `folder`: where the stages' folders lie; `sweep`: its id: what another sweep left there is done again. Both borrowed, as is
 * the arena, in which everything lies. NULL: error recorded. */
struct share *share_new(struct context *ctx, struct arena *arena, const char *folder, const char *sweep);
void share_free(struct share *share); /* NULL: no-op */

/* share_name: "teacher-0123456789abcdef": the stage, and a hash of what it depends on; of the arena. NULL without an error: stages of this
 * role are not shared. */
const char *share_name(struct context *ctx, struct arena *arena, const struct plan *plan, const char *role,
                       const char *stage, uint64_t seed);
/* share_add: a run, whose recipe has this hash, has the stage of this name. Not from several threads. */
enum status share_add(struct share *share, const char *name, const char *recipe_sha256);

/* share_stage: as stage_job, where the stage is one of several runs: *shared; else nothing is done. While another thread is at the same
 * stage, waits for it. */
enum status share_stage(struct context *ctx, struct arena *arena, const struct run_site *site,
                        const struct stage *stage, struct kernel_context *kernels, struct program_memory *memory,
                        bool *shared);

#endif
