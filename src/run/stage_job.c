/* stage_job.c: see stage_job.h. */
#include "run/stage_job.h"

#include "base/file.h"
#include "format/json.h"
#include "run/details.h"
#include "run/early_exit.h"
#include "run/share.h"
#include "run/together.h"
#include "train/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct job {
    struct context *ctx;
    struct arena *arena;
    const struct run_site *site;
    const struct stage *stage;
};

static const char *note_key(struct arena *arena, const char *stage)
{
    return arena_format(arena, "stage/%s", stage);
}

struct value *stage_entry(struct context *ctx, struct arena *arena, const struct folder *folder, const char *stage)
{
    const char *key = note_key(arena, stage), *text = NULL;
    struct value *entry = NULL;
    if (!key || record_note_read(ctx, arena, folder->record, key, &text) != STATUS_OK || !text)
        return NULL;
    return json_parse(ctx, arena, key, text, strlen(text), &entry) == STATUS_OK ? entry : NULL;
}

static void job_progress(void *user, const struct loop_progress *p)
{
    struct job *job = user;
    const struct run_options *options = job->site->options;
    struct run_progress progress = {.stage = job->stage->name,
                                    .step = p->step,
                                    .steps = p->steps,
                                    .epoch = p->epoch,
                                    .epochs = p->epochs,
                                    .loss = p->loss,
                                    .samples_per_second = p->samples_per_second,
                                    .seconds_left = p->seconds_left,
                                    .validation_accuracy = p->validation_accuracy,
                                    .finished = p->finished,
                                    .epoch_end = p->epoch_end,
                                    .stages_done = atomic_load(&job->site->done),
                                    .stages = job->site->stages};
    options->progress(options->user, &progress);
}

static struct value *metrics_value(struct arena *arena, const struct metrics *m, bool all)
{
    struct value *map = value_set(arena, value_map(arena), "accuracy", value_real(arena, m->accuracy));
    if (all)
        map = value_set(arena, map, "top5", value_real(arena, m->top5));
    map = value_set(arena, map, "loss", value_real(arena, m->loss));
    return all ? value_set(arena, map, "ece", value_real(arena, m->ece)) : map;
}

/* block_value: the layers of the model that the stage is about: those behind `from` up to `to`; null: the images, the logits. */
static struct value *block_value(struct arena *arena, const struct learner_block *block)
{
    struct value *map = value_map(arena);
    map = value_set(arena, map, "from", block->from ? value_text(arena, block->from) : value_null(arena));
    return value_set(arena, map, "to", block->to ? value_text(arena, block->to) : value_null(arena));
}

struct value *stage_entry_make(struct arena *arena, const struct stage *stage, const char *model,
                               const struct network *network, const struct loop_result *result,
                               const struct metrics *test, double fidelity)
{
    struct value *entry = value_set(arena, value_map(arena), "name", value_text(arena, stage->name));
    entry = value_set(arena, entry, "role", value_text(arena, stage->role));
    entry = value_set(arena, entry, "seed", value_integer(arena, (int64_t)stage->seed));
    entry = value_set(arena, entry, "model", model ? value_text(arena, model) : value_null(arena));
    entry = value_set(arena, entry, "parameters",
                      network ? value_integer(arena, network_count_parameters(network)) : value_null(arena));
    entry = value_set(arena, entry, "macs",
                      network ? value_integer(arena, network_count_macs(network)) : value_null(arena));
    entry = value_set(arena, entry, "epochs", value_integer(arena, result->epochs));
    entry = value_set(arena, entry, "steps", value_integer(arena, result->steps));
    if (result->best_epoch > 0)
        entry = value_set(arena, entry, "best_epoch", value_integer(arena, result->best_epoch));
    entry = value_set(arena, entry, "seconds", value_real(arena, result->seconds));
    entry = value_set(arena, entry, "samples_per_second", value_real(arena, result->samples_per_second));
    entry = value_set(arena, entry, "validation", metrics_value(arena, &result->validation, false));
    entry = value_set(arena, entry, "test", metrics_value(arena, test, true));
    entry = value_set(arena, entry, "fidelity", value_real(arena, fidelity));
    if (stage->n_learners > 0 && stage->learners[stage->subject].block)
        entry = value_set(arena, entry, "block", block_value(arena, stage->learners[stage->subject].block));
    return result->profile ? value_set(arena, entry, "profile", result->profile) : entry;
}

enum status stage_entry_note(struct context *ctx, struct arena *arena, const struct folder *folder, const char *stage,
                             const struct value *entry)
{
    struct text text;
    enum status status = STATUS_OK;
    if (!entry)
        return ctx->error.status;
    text_init(&text, ctx);
    json_write(entry, &text, 0);
    if (text.failed)
        status = ctx->error.status;
    else
        status = record_note(ctx, folder->record, note_key(arena, stage), text.bytes);
    text_free(&text);
    return status;
}

static struct value *provenance(const struct job *job, const struct loop_result *result)
{
    struct arena *arena = job->arena;
    const struct run_site *site = job->site;
    struct value *map = value_set(arena, value_map(arena), "stage", value_text(arena, job->stage->name));
    map = value_set(arena, map, "recipe_sha256", value_text(arena, site->recipe_sha256));
    map = value_set(arena, map, "data", value_text(arena, site->plan->data->name));
    map = value_set(arena, map, "teacher_sha256",
                    job->stage->n_learners > 1 && site->teacher_sha256 ? value_text(arena, site->teacher_sha256)
                                                                       : value_null(arena));
    if (result->best_epoch > 0)
        map = value_set(arena, map, "epoch", value_integer(arena, result->best_epoch));
    return value_set(arena, map, "version", value_text(arena, site->options->version ? site->options->version : ""));
}

/* stage_test: the test split is touched only here. */
enum status stage_test(struct context *ctx, struct arena *arena, const struct run_site *site, const struct stage *stage,
                       struct kernel_context *kernels, struct program_memory *memory, struct stage_tested *out)
{
    enum status status = STATUS_OK;
    const struct split *split = &site->plan->data->splits[SPLIT_TEST];
    const struct network *network = stage->learners[stage->subject].network;
    const int64_t classes = network->input.classes, values = split->count * classes;
    struct network_exits exits;
    *out = (struct stage_tested){.test = {0, NAN, NAN, NAN, NAN}, .fidelity = NAN};
    if (split->count == 0 || !stage_measures(stage))
        return STATUS_OK;
    RETURN_IF(network_exits_find(network, arena, &exits));
    double *all = memory_new(ctx, (size_t)(exits.count * values), sizeof *all);
    if (!all)
        return ctx->error.status;
    const double *logits = all + (exits.count - 1) * values;
    TRY(evaluate_layers(ctx, network, exits.layers, exits.count, split, site->plan->precision, kernels, memory, all));
    out->test = metrics_of(logits, split->labels, split->count, classes);
    if (site->teacher_logits)
        out->fidelity = fidelity_of(logits, site->teacher_logits, split->count, classes);
    TRY(details_record(ctx, site, stage, network, logits));
    if (exits.count > 1)
        TRY(early_exit_measure(ctx, arena, site, stage, &exits, all, kernels, memory, &out->exits));
cleanup:
    memory_free(ctx, all);
    return status;
}

static enum status stage_note(const struct job *job, const char *model, const struct network *network,
                              const struct loop_result *result)
{
    struct record_stage stage = {.name = job->stage->name,
                                 .role = job->stage->role,
                                 .model = model,
                                 .seed = (int64_t)job->stage->seed,
                                 .parameters = network_count_parameters(network),
                                 .macs = network_count_macs(network),
                                 .epochs = result->epochs,
                                 .steps = result->steps,
                                 .seconds = result->seconds,
                                 .samples_per_second = result->samples_per_second};
    return record_stage(job->ctx, job->site->folder->record, &stage);
}

/* announced: of the stages in which somebody is taught those of the first seed; the others' are alike. Blocks run side by side, where
 * their lines would mix. */
static bool announced(const struct job *job)
{
    return (job->stage->n_learners > 1 || job->stage->n_terms > 1) && stage_measures(job->stage) &&
           job->stage->seed == (uint64_t)job->site->plan->seeds.values[0];
}

static const char *parts_file(const struct job *job, const char *phase)
{
    return folder_file(job->arena, job->site->folder, "checkpoints/%s-%llu.parts", phase,
                       (unsigned long long)job->stage->seed);
}

/* parts_set: from the phases before this stage's, to those behind it. */
static enum status parts_set(const struct job *job, struct loop_spec *loop)
{
    const struct staging *staging = &job->site->plan->staging;
    int at = 0;
    while (at < staging->count && strcmp(staging->phases[at].name, job->stage->role) != 0)
        at++;
    const char **files = arena_take(job->arena, (size_t)staging->count, sizeof *files);
    if (!files)
        return job->ctx->error.status;
    if (at == staging->count)
        return STATUS_OK;
    for (int i = 0; i < at; i++)
        files[i] = parts_file(job, staging->phases[i].name);
    loop->parts_from = files;
    loop->n_parts_from = at;
    if (at < staging->count - 1)
        loop->parts_to = parts_file(job, staging->phases[at].name);
    return job->ctx->error.status;
}

/* beside: the same stage, as one that is about a learner that is saved beside its subject. */
static struct stage beside(const struct stage *stage, int learner)
{
    struct stage about = *stage;
    about.name = stage->learners[learner].saved_as;
    about.role = stage->learners[learner].role;
    about.subject = learner;
    return about;
}

static const char *model_name(struct arena *arena, const char *stage)
{
    return arena_format(arena, "models/%s.safetensors", stage);
}

/* job_note: what the stage came to is tested, saved and noted. */
static enum status job_note(const struct job *job, const char *model, const struct loop_result *result,
                            struct kernel_context *kernels, struct program_memory *memory)
{
    struct context *ctx = job->ctx;
    const struct run_site *site = job->site;
    const struct network *network = job->stage->learners[job->stage->subject].network;
    const char *path = model ? folder_file(job->arena, site->folder, "%s", model) : NULL;
    struct stage_tested tested;
    if (!path)
        return ctx->error.status;
    RETURN_IF(stage_test(ctx, job->arena, site, job->stage, kernels, memory, &tested));
    struct value *origin = provenance(job, result);
    if (!origin)
        return ctx->error.status;
    RETURN_IF(model_save(ctx, network, origin, path));
    RETURN_IF(stage_note(job, model, network, result));
    struct value *entry =
        stage_entry_make(job->arena, job->stage, model, network, result, &tested.test, tested.fidelity);
    if (tested.exits)
        entry = value_merge(job->arena, entry, tested.exits);
    return stage_entry_note(ctx, job->arena, site->folder, job->stage->name, entry);
}

/* beside_note: those that are saved beside the subject. */
static enum status beside_note(const struct job *job, const struct loop_result *result, const struct metrics *others,
                               struct kernel_context *kernels, struct program_memory *memory)
{
    for (int i = 0; i < job->stage->n_learners; i++) {
        if (!job->stage->learners[i].saved_as)
            continue;
        const struct stage about = beside(job->stage, i);
        const struct job one = {job->ctx, job->arena, job->site, &about};
        struct loop_result own = *result;
        own.validation = others[i];
        own.profile = NULL;
        RETURN_IF(job_note(&one, model_name(job->arena, about.name), &own, kernels, memory));
    }
    return STATUS_OK;
}

static enum status job_carry_out(const struct job *job, const char *model, struct kernel_context *kernels,
                                 struct program_memory *memory)
{
    struct context *ctx = job->ctx;
    const struct run_site *site = job->site;
    const struct network *network = job->stage->learners[job->stage->subject].network;
    struct loop_result result = {0};
    const char *checkpoint = folder_file(job->arena, site->folder, "checkpoints/%s.safetensors", job->stage->name);
    struct metrics *others = arena_take(job->arena, (size_t)job->stage->n_learners, sizeof *others);
    if (!checkpoint || !others)
        return ctx->error.status;
    struct loop_spec loop = {.stage = job->stage,
                             .data = site->plan->data,
                             .precision = site->plan->precision,
                             .kernels = kernels,
                             .memory = memory,
                             .recordings = site->recordings,
                             .n_recordings = site->n_recordings,
                             .record = site->folder->record,
                             .checkpoint = checkpoint,
                             .fingerprint = site->recipe_sha256,
                             .profile = site->options->profile ? job->arena : NULL,
                             .others = others,
                             .announce = announced(job),
                             .progress = site->options->progress ? job_progress : NULL,
                             .user = (void *)(uintptr_t)job};
    RETURN_IF(parts_set(job, &loop));
    RETURN_IF(stage_note(job, model, network, &result));
    RETURN_IF(loop_run(ctx, &loop, &result));
    RETURN_IF(beside_note(job, &result, others, kernels, memory));
    RETURN_IF(job_note(job, model, &result, kernels, memory)); /* last: it says that all is there */
    unlink(checkpoint);
    return STATUS_OK;
}

/* job_load: a file keeps float32: what is used from here on is what a resumed run would load. */
static enum status job_load(const struct job *job)
{
    const struct stage *stage = job->stage;
    for (int i = 0; i < stage->n_learners; i++) {
        const char *name = i == stage->subject ? stage->name : stage->learners[i].saved_as;
        const char *model = name ? model_name(job->arena, name) : NULL;
        const char *path = model ? folder_file(job->arena, job->site->folder, "%s", model) : NULL;
        if (name)
            RETURN_IF(path ? model_load_into(job->ctx, path, stage->learners[i].network) : job->ctx->error.status);
    }
    return job->ctx->error.status;
}

enum status stage_job(struct context *ctx, const struct run_site *site, const struct stage *stage,
                      struct kernel_context *kernels, struct program_memory *memory)
{
    enum status status = STATUS_OK;
    struct job job = {ctx, arena_new(ctx), site, stage};
    struct network *network = stage->learners[stage->subject].network;
    if (!job.arena)
        return ctx->error.status;
    const char *model = model_name(job.arena, stage->name);
    const char *path = model ? folder_file(job.arena, site->folder, "%s", model) : NULL;
    if (!path)
        TRY(ctx->error.status);
    struct value *entry = stage_entry(ctx, job.arena, site->folder, stage->name);
    TRY(ctx->error.status);
    if (!network) {
        if (!entry)
            status = together_job(ctx, job.arena, site, stage, kernels, memory);
        goto cleanup;
    }
    if (!entry || !file_exists(path)) {
        bool shared;
        TRY(share_stage(ctx, job.arena, site, stage, kernels, memory, &shared));
        if (!shared)
            TRY(job_carry_out(&job, model, kernels, memory));
    }
    TRY(job_load(&job));
    /* Where the subject is the average of a learner, later stages go on from it. */
    for (int i = 0; i < stage->n_events; i++)
        if (stage->events[i].what == EVENT_AVERAGE && stage->events[i].to == stage->subject)
            TRY(parameters_copy(stage->learners[stage->events[i].from].network->parameters, network->parameters));
cleanup:
    arena_free(job.arena);
    return status;
}
