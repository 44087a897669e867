/* together.c: see together.h. */
#include "run/together.h"

#include <math.h>
#include <string.h>

/* ensemble_logits: of an ensemble of networks of the stage. */
static enum status ensemble_logits(struct context *ctx, const struct run_site *site, const struct stage *stage,
                                   const struct split *split, struct kernel_context *kernels,
                                   struct program_memory *memory, double *logits)
{
    enum status status = STATUS_OK;
    struct metrics unused;
    const struct ensemble *ensemble = stage->learners[stage->subject].ensemble;
    double *own = memory_new(ctx, (size_t)(split->count * ensemble->classes), sizeof *own);
    if (!own)
        return ctx->error.status;
    memset(logits, 0, (size_t)(split->count * ensemble->classes) * sizeof *logits);
    for (int i = 0; i < ensemble->n_members; i++) {
        const struct network *network = stage->learners[ensemble->members[i].learner].network;
        TRY(evaluate(ctx, network, split, site->plan->precision, kernels, memory, own, &unused));
        TRY(combine_rows_add(ctx, ensemble, i, own, split->count, logits));
    }
    combine_rows_finish(ensemble, split->count, logits);
cleanup:
    memory_free(ctx, own);
    return status;
}

/* together_test: figures on the test split. */
static enum status together_test(struct context *ctx, const struct run_site *site, const struct stage *stage,
                                 struct kernel_context *kernels, struct program_memory *memory, struct metrics *test,
                                 double *fidelity)
{
    enum status status = STATUS_OK;
    const struct split *split = &site->plan->data->splits[SPLIT_TEST];
    const int64_t classes = stage->learners[stage->subject].ensemble->classes;
    *test = (struct metrics){0, NAN, NAN, NAN, NAN};
    *fidelity = NAN;
    if (split->count == 0)
        return STATUS_OK;
    double *logits = memory_new(ctx, (size_t)(split->count * classes), sizeof *logits);
    if (!logits)
        return ctx->error.status;
    TRY(ensemble_logits(ctx, site, stage, split, kernels, memory, logits));
    *test = metrics_of(logits, split->labels, split->count, classes);
    if (site->teacher_logits)
        *fidelity = fidelity_of(logits, site->teacher_logits, split->count, classes);
cleanup:
    memory_free(ctx, logits);
    return status;
}

enum status together_job(struct context *ctx, struct arena *arena, const struct run_site *site,
                         const struct stage *stage, struct kernel_context *kernels, struct program_memory *memory)
{
    const struct loop_result result = {.validation = {0, NAN, NAN, NAN, NAN}};
    struct record_stage row = {.name = stage->name, .role = stage->role, .model = "", .seed = (int64_t)stage->seed};
    struct metrics test;
    double fidelity;
    for (int i = 0; i < stage->n_learners; i++) {
        const struct network *network = stage->learners[i].network;
        row.parameters += network ? network_count_parameters(network) : 0;
        row.macs += network ? network_count_macs(network) : 0;
    }
    RETURN_IF(together_test(ctx, site, stage, kernels, memory, &test, &fidelity));
    RETURN_IF(record_stage(ctx, site->folder->record, &row));
    struct value *entry = stage_entry_make(arena, stage, NULL, NULL, &result, &test, fidelity);
    entry = value_set(arena, entry, "parameters", value_integer(arena, row.parameters));
    entry = value_set(arena, entry, "macs", value_integer(arena, row.macs));
    return stage_entry_note(ctx, arena, site->folder, stage->name, entry);
}
