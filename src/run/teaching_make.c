/* teaching_make.c: the teachers' stages: training, or only measuring, and what they are together. */
#include "base/file.h"
#include "base/text.h"
#include "run/aside.h"
#include "run/details.h"
#include "run/making.h"
#include "run/outside.h"
#include "run/stages.h"
#include "train/model.h"

#include <math.h>
#include <string.h>

static enum status trained(struct making *m, const struct teacher_plan *teacher, struct network *network)
{
    struct stage stage;
    struct network *average = NULL;
    if (teacher->smoothing > 0)
        log_line(m->ctx, LOG_WARNING,
                 "%s learns from smoothed labels, which takes away what tells the wrong classes apart: it teaches less "
                 "(Mueller et al. 2019, arXiv 1906.02629)",
                 teacher->name);
    enum status status = teacher_stage(m->ctx, m->arena, m->site->plan, teacher, network, &stage, &average);
    if (status == STATUS_OK)
        status = stage_job(m->ctx, m->site, &stage, m->kernels, m->memory);
    network_free(average);
    return status;
}

/* metrics_given: of a network that is not trained here, as the classes of the data. */
static enum status metrics_given(struct making *m, int index, enum split_kind kind, double **classes,
                                 struct metrics *out)
{
    enum status status = STATUS_OK;
    const struct split *split = making_split(m, kind);
    struct member member = m->teaching->ensemble.members[index];
    const struct ensemble alone = {COMBINE_MEAN_LOGIT, m->site->plan->input.classes, 1, &member};
    double *logits = NULL;
    *out = (struct metrics){0, NAN, NAN, NAN, NAN};
    if (split->count == 0)
        return STATUS_OK;
    logits = making_logits(m, m->teaching->networks[index], split);
    *classes = logits ? memory_new(m->ctx, (size_t)(split->count * alone.classes), sizeof **classes) : NULL;
    if (!*classes)
        TRY(m->ctx->error.status);
    TRY(combine_rows(m->ctx, &alone, (const double *const *)&logits, split->count, *classes));
    *out = metrics_of(*classes, split->labels, split->count, alone.classes);
cleanup:
    memory_free(m->ctx, logits);
    return status;
}

/* entry_measured: of who was not trained here. */
static enum status entry_measured(struct making *m, const struct stage *stage, const char *model,
                                  const struct network *network, const struct metrics *validation,
                                  const struct metrics *test)
{
    const struct loop_result result = {.validation = *validation};
    struct record_stage row = {.name = stage->name,
                               .role = stage->role,
                               .model = model ? model : "",
                               .seed = (int64_t)stage->seed,
                               .parameters = network ? network_count_parameters(network) : 0,
                               .macs = network ? network_count_macs(network) : 0};
    RETURN_IF(record_stage(m->ctx, m->site->folder->record, &row));
    struct value *entry = stage_entry_make(m->arena, stage, model, network, &result, test, NAN);
    return stage_entry_note(m->ctx, m->arena, m->site->folder, stage->name, entry);
}

static enum status given(struct making *m, int index)
{
    enum status status = STATUS_OK;
    struct context *ctx = m->ctx;
    const struct teacher_plan *teacher = &m->site->plan->teachers.items[index];
    struct network *network = m->teaching->networks[index];
    struct learner learner = {.name = teacher->name, .network = network};
    const struct stage stage = {.name = teacher->name, .role = "teacher", .n_learners = 1, .learners = &learner};
    struct metrics validation, test;
    double *unused = NULL, *logits = NULL;
    const char *model = arena_format(m->arena, "models/%s.safetensors", teacher->name);
    const char *path = model ? folder_file(m->arena, m->site->folder, "%s", model) : NULL;
    if (!path)
        return ctx->error.status;
    TRY(metrics_given(m, index, SPLIT_VALIDATION, &unused, &validation));
    TRY(metrics_given(m, index, SPLIT_TEST, &logits, &test));
    if (logits)
        TRY(details_record(ctx, m->site, &stage, network, logits));
    struct value *origin = value_set(m->arena, value_map(m->arena), "given", value_text(m->arena, teacher->file));
    TRY(origin ? model_save(ctx, network, origin, path) : ctx->error.status);
    TRY(entry_measured(m, &stage, model, network, &validation, &test));
cleanup:
    memory_free(ctx, unused);
    memory_free(ctx, logits);
    return status;
}

/* outside: a teacher that is no network: what it says is recorded, and of a program also what it says of the test split. */
static enum status outside(struct making *m, int index)
{
    const struct teacher_plan *teacher = &m->site->plan->teachers.items[index];
    const struct split *split = making_split(m, SPLIT_TEST);
    const struct metrics none = {0, NAN, NAN, NAN, NAN};
    const struct stage stage = {.name = teacher->name, .role = "teacher"};
    struct member member = m->teaching->ensemble.members[index];
    const struct ensemble alone = {COMBINE_MEAN_LOGIT, m->site->plan->input.classes, 1, &member};
    double **test = &m->teaching->outside[index];
    RETURN_IF(outside_make(m->ctx, m->arena, m->site->plan, m->site->cache, index, m->teaching, test));
    if (!*test)
        return entry_measured(m, &stage, NULL, NULL, &none, &none);
    double *classes = memory_new(m->ctx, (size_t)(split->count * alone.classes), sizeof *classes);
    enum status status = classes ? combine_rows(m->ctx, &alone, (const double *const *)test, split->count, classes)
                                 : m->ctx->error.status;
    if (status == STATUS_OK) {
        const struct metrics metrics = metrics_of(classes, split->labels, split->count, alone.classes);
        status = entry_measured(m, &stage, NULL, NULL, &none, &metrics);
    }
    memory_free(m->ctx, classes);
    return status;
}

/* trained_piece: one of the teachers, if it is to be trained. */
static enum status trained_piece(struct context *ctx, void *user, int index, struct kernel_context *kernels,
                                 struct program_memory *memory)
{
    const struct making *all = user;
    struct making m = {ctx, arena_new(ctx), all->site, all->teaching, kernels, memory};
    const struct teacher_plan *teacher = &all->site->plan->teachers.items[index];
    enum status status = ctx->error.status;
    if (m.arena && teacher->kind == TEACHER_TRAINED) {
        status = trained(&m, teacher, all->teaching->networks[index]);
        if (status == STATUS_OK)
            atomic_fetch_add(&m.site->done, 1);
    }
    arena_free(m.arena);
    return status;
}

/* trained_all: side by side where there are several small ones, else one after another with all threads. */
static enum status trained_all(struct making *m)
{
    const struct teachers *teachers = &m->site->plan->teachers;
    int count = 0;
    bool wide = false;
    for (int i = 0; i < teachers->count; i++) {
        const bool one = teachers->items[i].kind == TEACHER_TRAINED;
        count += one;
        wide = wide || (one && wants_all_cores(m->teaching->networks[i]));
    }
    return count > 0 ? aside_run(m->ctx, wide || count == 1, 0, teachers->count, trained_piece, m) : STATUS_OK;
}

static enum status teacher_make(struct making *m, int index)
{
    const struct teacher_plan *teacher = &m->site->plan->teachers.items[index];
    if (teacher->kind == TEACHER_TRAINED)
        return STATUS_OK;
    if (m->teaching->networks[index])
        RETURN_IF(given(m, index));
    else
        RETURN_IF(outside(m, index));
    atomic_fetch_add(&m->site->done, 1);
    return STATUS_OK;
}

enum status teaching_measure(struct context *ctx, struct arena *arena, struct run_site *site, struct teaching *teaching,
                             struct kernel_context *kernels, struct program_memory *memory)
{
    struct making m = {ctx, arena, site, teaching, kernels, memory};
    return making_together(&m);
}

enum status teaching_make(struct context *ctx, struct arena *arena, struct run_site *site, struct teaching *teaching,
                          struct kernel_context *kernels, struct program_memory *memory)
{
    struct making m = {ctx, arena, site, teaching, kernels, memory};
    RETURN_IF(trained_all(&m));
    for (int i = 0; i < teaching->count; i++)
        RETURN_IF(teacher_make(&m, i));
    if (site->plan->combine == COMBINING_LEARNT && teaching->learners[0].ensemble)
        RETURN_IF(making_weights(&m));
    return making_together(&m);
}
