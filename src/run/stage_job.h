/* stage_job.h: one stage of a run, from its networks to its entry in result.json. */
#ifndef RUN_STAGE_JOB_H
#define RUN_STAGE_JOB_H

#include "run/folder.h"
#include "train/loop.h"

#include <stdatomic.h>

/* What the stages of a run share; read only while they run side by side, but for the counter. */
struct run_site {
    const struct plan *plan;
    const struct folder *folder;
    const struct run_options *options;
    const struct cache *cache; /* what is known of teachers; NULL: none is kept */
    const struct share *share; /* stages that other runs have, too; NULL: there are none */
    const char *recipe_sha256; /* of the recipe that the stages are of */
    int stages;
    atomic_int done;
    const double *teacher_logits; /* of the test split; NULL: no teacher, or no test split */
    const char *teacher_sha256;   /* of its model file; NULL: none */
    const struct recording *recordings;
    int n_recordings;
};

/* stage_job: trains the stage (or goes on from its checkpoint), evaluates and saves its subject under models/NAME.safetensors and notes its entry.
 * A stage that is done already is only loaded: its subject then has the saved values. Afterwards the subject's values are those of the
 * file, in any case, and so are those of a learner that it is the average of. */
enum status stage_job(struct context *ctx, const struct run_site *site, const struct stage *stage,
                      struct kernel_context *kernels, struct program_memory *memory);
/* What a stage's subject is worth on the test split. */
struct stage_tested {
    struct metrics test;
    double fidelity;     /* to the site's teacher; NaN: none */
    struct value *exits; /* what the entry says of its exits (run/early_exit.h), of the arena; NULL: it has none */
};
/* stage_test: evaluates the stage's subject on the test split and records its details, where there is something to measure. */
enum status stage_test(struct context *ctx, struct arena *arena, const struct run_site *site, const struct stage *stage,
                       struct kernel_context *kernels, struct program_memory *memory, struct stage_tested *out);
/* stage_entry_make: a stage's entry of result.json. model NULL: there is no file; network NULL: it is none. */
struct value *stage_entry_make(struct arena *arena, const struct stage *stage, const char *model,
                               const struct network *network, const struct loop_result *result,
                               const struct metrics *test, double fidelity);
/* stage_entry_note: the stage is done, and this is its entry. NULL: an earlier error is passed on. */
enum status stage_entry_note(struct context *ctx, struct arena *arena, const struct folder *folder, const char *stage,
                             const struct value *entry);
/* stage_entry: what stage_job noted, of the arena; NULL without an error: not done yet. */
struct value *stage_entry(struct context *ctx, struct arena *arena, const struct folder *folder, const char *stage);

#endif
