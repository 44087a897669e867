/* early_exit.h: what a stage's subject comes to where samples leave it early.
 *
 * The threshold is chosen on the validation split; its figures are of the test split. */
#ifndef RUN_EARLY_EXIT_H
#define RUN_EARLY_EXIT_H

#include "nn/exits.h"
#include "run/stage_job.h"

/* early_exit_measure: the subject has these exits, which gave these logits [M,N,K] over the test split. *entry: what result.json says of
 * it, {"exits","early_exit":{"threshold","accuracy","macs","saved","plain_macs"}}, of the arena; without labelled validation samples
 * there is no threshold. The curve goes into the record (run/details.h). */
enum status early_exit_measure(struct context *ctx, struct arena *arena, const struct run_site *site,
                               const struct stage *stage, const struct network_exits *exits, const double *logits,
                               struct kernel_context *kernels, struct program_memory *memory, struct value **entry);

#endif
