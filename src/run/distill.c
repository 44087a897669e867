/* distill.c: the whole job: teacher, its recorded outputs, then for each seed the student alone and distilled, side by side. */
#include "base/file.h"
#include "base/thread.h"
#include "format/json.h"
#include "recipe/recipe.h"
#include "run/aside.h"
#include "run/blocks.h"
#include "run/cache.h"
#include "run/outside.h"
#include "run/recordings.h"
#include "run/result.h"
#include "run/share.h"
#include "run/stages.h"
#include "train/stage_graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct distillation {
    struct context *ctx;
    struct arena *arena;
    const struct run_options *options;
    struct plan plan;
    struct folder folder;
    bool student_only;
    struct run_site site;
    struct cache cache;
    struct teaching teaching;       /* of those that are taught next */
    struct kernel_context *kernels; /* with all threads */
    struct program_memory *memory;
    struct value *entries;
};

/* --- what is to be done --- */

static bool with_alone(const struct distillation *d)
{
    return d->student_only || d->plan.baseline;
}

static int students_per_seed(const struct distillation *d)
{
    return (with_alone(d) ? 1 : 0) + (d->student_only ? 0 : 1);
}

/* with_teacher: is somebody there before the students? */
static bool with_teacher(const struct distillation *d)
{
    return !d->student_only && d->plan.teachers.count > 0 && d->plan.scheme->teacher == TEACHER_FROZEN;
}

static int stages_per_seed(const struct distillation *d)
{
    return students_per_seed(d) + (d->student_only ? 0 : blocks_count(&d->plan));
}

/* --- who teaches --- */

/* steps_of: of all stages together. */
static int64_t steps_of(const struct distillation *d, const struct stage_list *list)
{
    const int64_t samples = d->plan.data->splits[SPLIT_TRAIN].count;
    int64_t steps = 0;
    for (int i = 0; i < list->count; i++) {
        const struct budget *budget = &list->stages[i].budget;
        steps += budget->steps >= 0 ? budget->steps : budget->epochs * (samples / budget->batch);
    }
    return steps;
}

/* record: what these stages, and those of other seeds that are like them, read of who teaches. */
static enum status record(struct distillation *d, const struct student *taught, const struct network_plan *which,
                          size_t seeds)
{
    const struct budget *budget = &which->train.budget;
    const int64_t steps = steps_of(d, &taught->list);
    const struct recordings_site site = {.plan = &d->plan,
                                         .stages = taught->list.stages,
                                         .count = taught->list.count,
                                         .batch = budget->batch,
                                         .reads = (double)seeds * (double)steps * (double)budget->batch,
                                         .version = d->options->version,
                                         .cache = d->site.cache,
                                         .kernels = d->kernels,
                                         .memory = d->memory};
    RETURN_IF(recordings_prepare(d->ctx, d->arena, &site, &d->teaching));
    teaching_site(&d->teaching, &d->site);
    return STATUS_OK;
}

/* assistant_make: distils it from who teaches, whose place it then takes. */
static enum status assistant_make(struct distillation *d, int index)
{
    enum status status = STATUS_OK;
    struct student assistant = {.network = NULL};
    TRY(assistant_stages(d->ctx, d->arena, &d->plan, &d->teaching, index, &assistant));
    TRY(record(d, &assistant, &d->plan.assistants[index].own, 1));
    for (int i = 0; i < assistant.list.count; i++)
        TRY(stage_job(d->ctx, &d->site, &assistant.list.stages[i], d->kernels, d->memory));
    atomic_fetch_add(&d->site.done, 1);
    struct network *network = assistant.extended ? assistant.extended : assistant.network;
    *(assistant.extended ? &assistant.extended : &assistant.network) = NULL;
    teaching_close(d->ctx, &d->teaching);
    TRY(teaching_of(d->ctx, d->arena, network, d->plan.assistants[index].name, &d->teaching));
    TRY(teaching_measure(d->ctx, d->arena, &d->site, &d->teaching, d->kernels, d->memory));
    teaching_site(&d->teaching, &d->site);
cleanup:
    student_free(&assistant);
    return status;
}

static enum status teachers_make(struct distillation *d)
{
    const uint64_t seed = (uint64_t)d->plan.seeds.values[0];
    struct student student = {.network = NULL};
    RETURN_IF(teaching_make(d->ctx, d->arena, &d->site, &d->teaching, d->kernels, d->memory));
    teaching_site(&d->teaching, &d->site);
    for (int i = 0; i < d->plan.n_assistants; i++)
        RETURN_IF(assistant_make(d, i));
    enum status status = student_stages(d->ctx, d->arena, &d->plan, &d->teaching, seed, false, &student);
    if (status == STATUS_OK)
        status = blocks_add(d->ctx, &d->plan, &d->teaching, seed, &student);
    if (status == STATUS_OK)
        status = record(d, &student, &d->plan.student, d->plan.seeds.count);
    student_free(&student);
    return status;
}

/* --- a seed's student --- */

/* student_run: piece i of the side-by-side work: seed i / per seed; alone first. */
static enum status student_run(struct context *ctx, void *user, int i, struct kernel_context *kernels,
                               struct program_memory *memory)
{
    enum status status = STATUS_OK;
    struct distillation *d = user;
    struct student student = {.network = NULL};
    int per_seed = students_per_seed(d);
    const uint64_t seed = (uint64_t)d->plan.seeds.values[i / per_seed];
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    bool alone = with_alone(d) && i % per_seed == 0;
    TRY(student_stages(ctx, arena, &d->plan, &d->teaching, seed, alone, &student));
    if (!alone)
        TRY(blocks_assemble(ctx, arena, &d->site, seed, student.network));
    for (int j = 0; j < student.list.count; j++)
        TRY(stage_job(ctx, &d->site, &student.list.stages[j], kernels, memory));
    atomic_fetch_add(&d->site.done, 1);
cleanup:
    student_free(&student);
    arena_free(arena);
    return status;
}

/* stage_try: compiles the stage's program. */
static enum status stage_try(struct distillation *d, const struct stage *stage, struct kernel_context *kernels,
                             struct program_memory *memory)
{
    const struct split *split = &d->plan.data->splits[SPLIT_TRAIN];
    struct program *program = NULL;
    struct stage_graph_spec spec = {.stage = stage,
                                    .split = split,
                                    .precision = d->plan.precision,
                                    .recordings = d->teaching.recordings,
                                    .n_recordings = d->teaching.n_recordings,
                                    .images = split->element == ELEMENT_U8 ? ELEMENT_U8 : ELEMENT_REAL,
                                    .mixed = augmentation_mixes(d->plan.data->augmentation)};
    RETURN_IF(stage_check(d->ctx, stage));
    if (stage->n_terms == 0 && !stage->learners[stage->subject].network)
        return STATUS_OK; /* an ensemble of others is only measured */
    struct stage_graph *built = stage_graph_new(d->ctx, &spec);
    if (!built)
        return d->ctx->error.status;
    const struct program_spec compiled = {
        .loss = built->loss, .updates = true, .batch = stage->budget.batch, .precision = d->plan.precision};
    const enum status status = program_compile(built->graph, &compiled, kernels, memory, &program);
    program_free(program);
    stage_graph_free(built);
    return status;
}

/* labelled_part_look: a scheme that chooses itself which samples a batch has does not ask for it. */
static void labelled_part_look(const struct distillation *d, const struct stage_list *list)
{
    bool mixed = d->plan.labelled_part == 0;
    for (int i = 0; i < list->count; i++)
        mixed = mixed || list->stages[i].sampler == SAMPLER_MIXED;
    if (!mixed)
        value_warn(d->ctx, value_get(d->plan.distill, "labelled_part"),
                   "labelled_part has no effect: scheme %s chooses itself which samples a batch has",
                   d->plan.scheme->name);
}

/* stages_try: of an assistant (its number), or with -1 of the first seed's student; taught by `teaching`. *network: the learner's, the
 * caller's. */
static enum status stages_try(struct distillation *d, const struct teaching *teaching, int assistant,
                              struct kernel_context *kernels, struct program_memory *memory, struct network **network)
{
    enum status status = STATUS_OK;
    struct student student = {.network = NULL};
    TRY(assistant >= 0 ? assistant_stages(d->ctx, d->arena, &d->plan, teaching, assistant, &student)
                       : student_stages(d->ctx, d->arena, &d->plan, teaching, (uint64_t)d->plan.seeds.values[0],
                                        d->student_only, &student));
    if (assistant < 0 && !d->student_only) {
        labelled_part_look(d, &student.list);
        TRY(blocks_add(d->ctx, &d->plan, teaching, (uint64_t)d->plan.seeds.values[0], &student));
    }
    for (int i = 0; i < student.list.count; i++)
        TRY(stage_try(d, &student.list.stages[i], kernels, memory));
    *network = student.network;
    student.network = NULL;
cleanup:
    student_free(&student);
    return status;
}

/* students_check: compiles the programs of all that is taught, so that a tap, a shape or a batch that does not fit ends the run before
 * the teacher is trained. */
static enum status students_check(struct distillation *d)
{
    enum status status = STATUS_OK;
    struct teaching assistant = {0};
    struct network *network = NULL;
    struct kernel_context *kernels = kernel_context_new(d->ctx, d->ctx->threads);
    struct program_memory *memory = kernels ? program_memory_new(d->ctx) : NULL;
    if (!memory)
        TRY(d->ctx->error.status);
    for (int i = 0; i < d->plan.n_assistants && with_teacher(d); i++) {
        TRY(stages_try(d, i == 0 ? &d->teaching : &assistant, i, kernels, memory, &network));
        teaching_close(d->ctx, &assistant);
        TRY(teaching_of(d->ctx, d->arena, network, d->plan.assistants[i].name, &assistant));
        network = NULL;
    }
    TRY(stages_try(d, assistant.count > 0 ? &assistant : &d->teaching, -1, kernels, memory, &network));
cleanup:
    network_free(network);
    teaching_close(d->ctx, &assistant);
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

/* students_run: blocks of all seeds, then the students. */
static enum status students_run(struct distillation *d)
{
    bool wide;
    if (!d->student_only && blocks_count(&d->plan) > 0)
        RETURN_IF(blocks_run(d->ctx, &d->site, &d->teaching));
    RETURN_IF(student_wants_all_cores(d->ctx, &d->plan, &wide));
    return aside_run(d->ctx, wide, d->options->jobs, (int)d->plan.seeds.count * students_per_seed(d), student_run, d);
}

/* --- what comes out --- */

static enum status entry_append(struct distillation *d, const char *name)
{
    struct value *entry = name ? stage_entry(d->ctx, d->arena, &d->folder, name) : NULL;
    d->entries = value_append(d->arena, d->entries, entry);
    if (!entry && d->ctx->error.status == STATUS_OK)
        return fail(d->ctx, STATUS_BAD_INPUT, "%s: stage %s has no entry; remove the folder and start again",
                    d->folder.record_path, name);
    return d->entries ? STATUS_OK : d->ctx->error.status;
}

/* entries_taught: of a seed's stages, in order; those that are saved beside a subject before it. */
static enum status entries_taught(struct distillation *d, uint64_t seed)
{
    enum status status = STATUS_OK;
    struct student student = {.network = NULL};
    TRY(student_stages(d->ctx, d->arena, &d->plan, &d->teaching, seed, false, &student));
    for (int i = 0; i < student.list.count; i++) {
        const struct stage *stage = &student.list.stages[i];
        for (int j = 0; j < stage->n_learners; j++)
            if (stage->learners[j].saved_as)
                TRY(entry_append(d, stage->learners[j].saved_as));
        TRY(entry_append(d, stage->name));
    }
cleanup:
    student_free(&student);
    return status;
}

static enum status entries_collect(struct distillation *d)
{
    d->entries = value_list(d->arena);
    for (int i = 0; i < d->plan.teachers.count && with_teacher(d); i++)
        RETURN_IF(entry_append(d, d->plan.teachers.items[i].name));
    if (with_teacher(d) && teachers_combined(&d->plan.teachers))
        RETURN_IF(entry_append(d, "ensemble"));
    for (int i = 0; i < d->plan.n_assistants && with_teacher(d); i++)
        RETURN_IF(entry_append(d, d->plan.assistants[i].name));
    for (size_t i = 0; i < d->plan.seeds.count; i++) {
        unsigned long long seed = (unsigned long long)d->plan.seeds.values[i];
        if (with_alone(d))
            RETURN_IF(entry_append(d, arena_format(d->arena, "alone-%llu", seed)));
        for (int j = 0; !d->student_only && j < blocks_count(&d->plan); j++)
            RETURN_IF(entry_append(d, block_name(d->arena, j, (uint64_t)seed)));
        if (!d->student_only)
            RETURN_IF(entries_taught(d, (uint64_t)seed));
    }
    return STATUS_OK;
}

static enum status student_copy(struct distillation *d)
{
    const char *best = result_best(d->entries);
    unsigned char *bytes = NULL;
    size_t count;
    if (!best)
        return STATUS_OK;
    const char *from = folder_file(d->arena, &d->folder, "models/%s.safetensors", best);
    const char *to = folder_file(d->arena, &d->folder, "models/student.safetensors");
    RETURN_IF(file_read(d->ctx, from, 0, &bytes, &count));
    enum status status = folder_put(d->ctx, to, bytes, count);
    memory_free(d->ctx, bytes);
    return status;
}

static enum status result_write(struct distillation *d, double seconds, struct value **result)
{
    struct text text;
    *result = result_make(d->arena, &d->plan, d->options->version, d->kernels, d->entries, seconds);
    if (!*result)
        return d->ctx->error.status;
    text_init(&text, d->ctx);
    json_write(*result, &text, 1);
    text_add(&text, "\n");
    const char *path = folder_file(d->arena, &d->folder, "result.json");
    enum status status = text.failed ? d->ctx->error.status : folder_put(d->ctx, path, text.bytes, text.length);
    text_free(&text);
    return status;
}

/* --- the whole --- */

/* recipe_unchanged: what is done already was done by the recipe that the run began with. */
static enum status recipe_unchanged(struct distillation *d, const char *path)
{
    const char *begun = NULL;
    RETURN_IF(record_note_read(d->ctx, d->arena, d->folder.record, "recipe_sha256", &begun));
    if (!begun || strcmp(begun, d->plan.sha256) == 0)
        return STATUS_OK;
    return fail(d->ctx, STATUS_BAD_INPUT,
                "%s: expected the recipe that the run began with, found a changed one; undo the change, or start a new "
                "run with retort distill %s -o DIR",
                path, path);
}

static enum status distillation_open(struct distillation *d)
{
    struct context *ctx = d->ctx;
    const struct run_options *options = d->options;
    const char *path = options->recipe, *command = NULL;
    struct value *recipe = NULL;
    d->student_only = options->student_only;
    if (options->resume) {
        RETURN_IF(folder_resume(ctx, d->arena, options->folder, &d->folder));
        if (d->folder.finished)
            return STATUS_OK;
        RETURN_IF(record_note_read(ctx, d->arena, d->folder.record, "command", &command));
        d->student_only = command && strcmp(command, "train") == 0;
        path = folder_file(d->arena, &d->folder, "recipe.yaml");
        if (!path)
            return ctx->error.status;
    }
    RETURN_IF(recipe_read(ctx, d->arena, path, &recipe));
    for (int i = 0; i < options->n_sets; i++)
        RETURN_IF(recipe_set(ctx, d->arena, recipe, options->sets[i]));
    RETURN_IF(plan_make(ctx, d->arena, recipe, path, d->student_only, &d->plan));
    if (with_teacher(d))
        RETURN_IF(teaching_open(ctx, d->arena, &d->plan, &d->teaching));
    if (with_teacher(d))
        RETURN_IF(outside_open(ctx, d->arena, &d->plan, false, &d->teaching));
    if (options->resume)
        RETURN_IF(recipe_unchanged(d, path));
    RETURN_IF(students_check(d));
    if (options->resume)
        return STATUS_OK;
    const char *folder = options->folder ? options->folder : folder_default(d->arena, d->plan.name);
    return folder ? folder_create(ctx, &d->plan, folder, options, &d->folder) : ctx->error.status;
}

static enum status cache_of_run(struct distillation *d)
{
    const char *otherwise = folder_file(d->arena, &d->folder, "cache");
    d->site.cache = &d->cache;
    return otherwise ? cache_open(d->ctx, d->arena, otherwise, &d->cache) : d->ctx->error.status;
}

static enum status distillation_run(struct distillation *d, struct value **result)
{
    double begin = clock_seconds();
    d->site = (struct run_site){.plan = &d->plan,
                                .folder = &d->folder,
                                .options = d->options,
                                .share = d->options->share,
                                .recipe_sha256 = d->plan.sha256,
                                .stages = (with_teacher(d) ? d->plan.teachers.count + d->plan.n_assistants : 0) +
                                          (int)d->plan.seeds.count * stages_per_seed(d)};
    d->kernels = kernel_context_new(d->ctx, d->ctx->threads);
    d->memory = d->kernels ? program_memory_new(d->ctx) : NULL;
    if (!d->memory)
        return d->ctx->error.status;
    if (with_teacher(d) && d->plan.cache != CACHE_FALSE)
        RETURN_IF(cache_of_run(d));
    if (with_teacher(d))
        RETURN_IF(teachers_make(d));
    program_memory_free(d->memory); /* which a large teacher would hold while students train, who have their own */
    d->memory = NULL;
    RETURN_IF(students_run(d));
    RETURN_IF(entries_collect(d));
    RETURN_IF(student_copy(d));
    RETURN_IF(result_write(d, clock_seconds() - begin, result));
    return folder_finish(d->ctx, d->arena, &d->folder);
}

static void distillation_close(struct distillation *d)
{
    teaching_close(d->ctx, &d->teaching);
    program_memory_free(d->memory);
    kernel_context_free(d->kernels);
    folder_close(d->ctx, &d->folder);
    plan_free(d->ctx, &d->plan);
}

enum status run_distill(struct context *ctx, struct arena *arena, const struct run_options *options,
                        const char **folder, struct value **result)
{
    enum status status = STATUS_OK;
    struct distillation d = {.ctx = ctx, .arena = arena, .options = options};
    *result = NULL;
    status = distillation_open(&d);
    *folder = d.folder.path;
    if (status == STATUS_OK && d.folder.finished)
        status = json_read(ctx, arena, folder_file(arena, &d.folder, "result.json"), result);
    else if (status == STATUS_OK)
        status = distillation_run(&d, result);
    distillation_close(&d);
    if (status == STATUS_CANCELLED && *folder) {
        error_clear(ctx);
        return fail(ctx, STATUS_CANCELLED, "interrupted; everything is saved. Go on with: retort distill --resume %s",
                    *folder);
    }
    return status;
}
