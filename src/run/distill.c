/* distill.c: the whole job: teacher, its recorded outputs, then for each seed the student alone and distilled, side by side. */
#include "base/file.h"
#include "base/thread.h"
#include "format/json.h"
#include "recipe/recipe.h"
#include "run/result.h"
#include "run/share.h"
#include "run/stages.h"
#include "train/stage_graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDE_MACS 4000000    /* from here on a student's step is worth all cores */
#define RECORDINGS_SHARE 0.5 /* of the memory; more than that is not recorded */
enum { RECORDINGS_MAX = 16 };

struct distillation {
    struct context *ctx;
    struct arena *arena;
    const struct run_options *options;
    struct plan plan;
    struct folder folder;
    bool student_only;
    struct run_site site;
    struct network *teacher;
    struct kernel_context *kernels; /* with all threads */
    struct program_memory *memory;
    double *teacher_logits;
    struct recording recordings[RECORDINGS_MAX];
    bool recordings_shared; /* they are the share's */
    struct value *entries;
    char teacher_sha256[65];
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

static bool with_teacher(const struct distillation *d)
{
    return !d->student_only && d->plan.has_teacher;
}

/* --- the teacher --- */

static enum status teacher_test(struct distillation *d)
{
    const struct split *split = &d->plan.data->splits[SPLIT_TEST];
    struct metrics metrics;
    if (split->count == 0)
        return STATUS_OK;
    d->teacher_logits = memory_new(d->ctx, (size_t)(split->count * d->plan.input.classes), sizeof *d->teacher_logits);
    if (!d->teacher_logits)
        return d->ctx->error.status;
    RETURN_IF(
        evaluate(d->ctx, d->teacher, split, d->plan.precision, d->kernels, d->memory, d->teacher_logits, &metrics));
    d->site.teacher_logits = d->teacher_logits;
    return STATUS_OK;
}

static enum status teacher_hash(struct distillation *d)
{
    unsigned char *bytes = NULL;
    size_t count;
    const char *path = folder_file(d->arena, &d->folder, "models/teacher.safetensors");
    if (!path)
        return d->ctx->error.status;
    RETURN_IF(file_read(d->ctx, path, 0, &bytes, &count));
    sha256_hex(bytes, count, d->teacher_sha256);
    memory_free(d->ctx, bytes);
    d->site.teacher_sha256 = d->teacher_sha256;
    return STATUS_OK;
}

static enum status teacher_make(struct distillation *d)
{
    enum status status = STATUS_OK;
    struct stage stage;
    struct network *average = NULL;
    struct plan *plan = &d->plan;
    TRY(plan_network(d->ctx, plan, &plan->teacher, "teacher", plan->teacher_seed, &d->teacher));
    TRY(teacher_stage(d->ctx, d->arena, plan, d->teacher, &stage, &average));
    TRY(stage_job(d->ctx, &d->site, &stage, d->kernels, d->memory));
    atomic_fetch_add(&d->site.done, 1);
    TRY(teacher_test(d));
    TRY(teacher_hash(d));
cleanup:
    network_free(average);
    return status;
}

/* --- a seed's student --- */

/* student_run: piece i of the side-by-side work: seed i / per seed; alone first. */
static enum status student_run(struct context *ctx, struct distillation *d, int i, struct kernel_context *kernels,
                               struct program_memory *memory)
{
    enum status status = STATUS_OK;
    struct student student = {.network = NULL};
    int per_seed = students_per_seed(d);
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    bool alone = with_alone(d) && i % per_seed == 0;
    TRY(student_stages(ctx, arena, &d->plan, d->teacher, (uint64_t)d->plan.seeds.values[i / per_seed], alone,
                       &student));
    for (int j = 0; j < student.list.count; j++)
        TRY(stage_job(ctx, &d->site, &student.list.stages[j], kernels, memory));
    atomic_fetch_add(&d->site.done, 1);
cleanup:
    student_free(&student);
    arena_free(arena);
    return status;
}

static enum status student_thread(struct context *ctx, void *user, int i)
{
    struct distillation *d = user;
    struct kernel_context *kernels = kernel_context_new(ctx, ctx->threads);
    struct program_memory *memory = kernels ? program_memory_new(ctx) : NULL;
    enum status status = memory ? student_run(ctx, d, i, kernels, memory) : ctx->error.status;
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

/* students_check: compiles the first distilled stage's program, so that a tap, a shape or a batch that does not fit ends the run
 * before the teacher is trained. */
static enum status students_check(struct distillation *d)
{
    enum status status = STATUS_OK;
    struct student student = {.network = NULL};
    struct stage_graph *built = NULL;
    struct program *program = NULL;
    struct program_memory *memory = NULL;
    struct kernel_context *kernels = kernel_context_new(d->ctx, d->ctx->threads);
    bool alone = d->student_only;
    memory = kernels ? program_memory_new(d->ctx) : NULL;
    if (!memory)
        TRY(d->ctx->error.status);
    TRY(student_stages(d->ctx, d->arena, &d->plan, d->teacher, (uint64_t)d->plan.seeds.values[0], alone, &student));
    for (int i = 0; i < student.list.count; i++) {
        TRY(stage_check(d->ctx, &student.list.stages[i]));
        const struct split *split = &d->plan.data->splits[SPLIT_TRAIN];
        struct stage_graph_spec spec = {.stage = &student.list.stages[i],
                                        .split = split,
                                        .precision = d->plan.precision,
                                        .images = split->element == ELEMENT_U8 ? ELEMENT_U8 : ELEMENT_REAL,
                                        .mixed = augmentation_mixes(d->plan.data->augmentation)};
        built = stage_graph_new(d->ctx, &spec);
        if (!built)
            TRY(d->ctx->error.status);
        struct program_spec compiled = {.loss = built->loss,
                                        .updates = true,
                                        .batch = student.list.stages[i].budget.batch,
                                        .precision = d->plan.precision};
        TRY(program_compile(built->graph, &compiled, kernels, memory, &program));
        program_free(program);
        program = NULL;
        stage_graph_free(built);
        built = NULL;
    }
cleanup:
    program_free(program);
    stage_graph_free(built);
    program_memory_free(memory);
    kernel_context_free(kernels);
    student_free(&student);
    return status;
}

/* recordings_worth: does recording every view once take no more work than all the steps that will read it? */
static bool recordings_worth(const struct distillation *d, int64_t views)
{
    const struct budget *budget = &d->plan.student.train.budget;
    int64_t samples = d->plan.data->splits[SPLIT_TRAIN].count;
    int64_t steps = budget->steps >= 0 ? budget->steps : budget->epochs * (samples / budget->batch);
    if (views == 0 || steps == 0 || d->plan.cache == CACHE_FALSE || samples > INT32_MAX / views)
        return false;
    double read = (double)d->plan.seeds.count * (double)steps * (double)budget->batch;
    return d->plan.cache == CACHE_TRUE || (double)views * (double)samples <= read;
}

/* recordings_fit: in the share of the memory that they may take. */
static bool recordings_fit(const struct distillation *d, const int *layers, int count, int64_t views)
{
    int64_t bytes = 0, samples = d->plan.data->splits[SPLIT_TRAIN].count;
    for (int i = 0; i < count; i++)
        bytes += recording_bytes(d->teacher, layers[i], d->plan.data->augmentation, samples, d->plan.precision);
    if ((double)bytes > RECORDINGS_SHARE * (double)memory_physical()) {
        log_line(d->ctx, LOG_INFO, "the teacher's outputs, %.1f GB, are too many to record: it runs in every step",
                 (double)bytes / 1e9);
        return false;
    }
    log_line(d->ctx, LOG_INFO, "recording the teacher's outputs: %lld samples, %lld views each, %.1f MB",
             (long long)samples, (long long)views, (double)bytes / 1e6);
    return true;
}

/* layers_add: the teacher's layers that a stage reads, each once. */
static enum status layers_add(struct context *ctx, const struct stage *stage, int *layers, int *count)
{
    int of_stage[RECORDINGS_MAX];
    const int n = stage_teacher_taps(ctx, stage, 1, of_stage, RECORDINGS_MAX);
    for (int i = 0; i < n; i++) {
        bool known = false;
        for (int j = 0; j < *count; j++)
            known = known || layers[j] == of_stage[i];
        if (!known && *count < RECORDINGS_MAX)
            layers[(*count)++] = of_stage[i];
    }
    return n < 0 ? ctx->error.status : STATUS_OK;
}

/* recordings_prepare: what the distilled stages read of the frozen teacher, computed once for all seeds. */
static enum status recordings_prepare(struct distillation *d)
{
    enum status status = STATUS_OK;
    struct student student = {.network = NULL};
    int layers[RECORDINGS_MAX];
    const struct augmentation *augmentation = d->plan.data->augmentation;
    int64_t views = augmentation_views(augmentation), batch = d->plan.student.train.budget.batch;
    struct share *share = d->options->share;
    if (!with_teacher(d) || !recordings_worth(d, views))
        return STATUS_OK;
    TRY(student_stages(d->ctx, d->arena, &d->plan, d->teacher, (uint64_t)d->plan.seeds.values[0], false, &student));
    int count = 0;
    for (int i = 0; i < student.list.count; i++)
        TRY(layers_add(d->ctx, &student.list.stages[i], layers, &count));
    const char *name =
        share ? share_name(d->ctx, d->arena, &d->plan, "teacher", "teacher", d->plan.teacher_seed) : NULL;
    if (share && !name)
        TRY(d->ctx->error.status);
    d->recordings_shared = share_outputs_take(share, name, layers, count, batch, d->teacher, d->recordings);
    if (!d->recordings_shared) {
        if (count == 0 || !recordings_fit(d, layers, count, views))
            goto cleanup;
        TRY(recordings_make(d->ctx, d->teacher, layers, count, &d->plan.data->splits[SPLIT_TRAIN], augmentation, batch,
                            d->plan.precision, d->kernels, d->memory, d->recordings));
        d->recordings_shared = share_outputs_give(share, name, layers, count, batch, d->recordings);
    }
    d->site.recordings = d->recordings;
    d->site.n_recordings = count;
cleanup:
    student_free(&student);
    return status;
}

/* students_run: small students one a core, with one thread each, so that neither --jobs nor the number of cores changes a bit of them;
 * wide ones one after another with all threads. */
static enum status students_run(struct distillation *d)
{
    struct network *network = NULL;
    RETURN_IF(plan_network(d->ctx, &d->plan, &d->plan.student, "student", 0, &network));
    bool wide = network_count_macs(network) >= WIDE_MACS;
    network_free(network);
    int threads = d->ctx->threads;
    int jobs = d->options->jobs > 0 ? d->options->jobs : wide ? 1 : threads;
    d->ctx->threads = wide ? threads : 1;
    enum status status = jobs_run(d->ctx, jobs, (int)d->plan.seeds.count * students_per_seed(d), student_thread, d);
    d->ctx->threads = threads;
    return status;
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

static enum status entries_collect(struct distillation *d)
{
    d->entries = value_list(d->arena);
    if (with_teacher(d))
        RETURN_IF(entry_append(d, "teacher"));
    for (size_t i = 0; i < d->plan.seeds.count; i++) {
        unsigned long long seed = (unsigned long long)d->plan.seeds.values[i];
        if (with_alone(d))
            RETURN_IF(entry_append(d, arena_format(d->arena, "alone-%llu", seed)));
        for (int j = 0; !d->student_only && j < d->plan.staging.count; j++)
            RETURN_IF(entry_append(d, arena_format(d->arena, "%s-%llu", d->plan.staging.phases[j].name, seed)));
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
    if (with_teacher(d)) /* only its layers are needed for the check; its values come later */
        RETURN_IF(plan_network(ctx, &d->plan, &d->plan.teacher, "teacher", d->plan.teacher_seed, &d->teacher));
    if (options->resume)
        RETURN_IF(recipe_unchanged(d, path));
    RETURN_IF(students_check(d));
    network_free(d->teacher);
    d->teacher = NULL;
    if (options->resume)
        return STATUS_OK;
    const char *folder = options->folder ? options->folder : folder_default(d->arena, d->plan.name);
    return folder ? folder_create(ctx, &d->plan, folder, options, &d->folder) : ctx->error.status;
}

static enum status distillation_run(struct distillation *d, struct value **result)
{
    double begin = clock_seconds();
    d->site = (struct run_site){.plan = &d->plan,
                                .folder = &d->folder,
                                .options = d->options,
                                .share = d->options->share,
                                .recipe_sha256 = d->plan.sha256,
                                .stages = (with_teacher(d) ? 1 : 0) + (int)d->plan.seeds.count * students_per_seed(d)};
    d->kernels = kernel_context_new(d->ctx, d->ctx->threads);
    d->memory = d->kernels ? program_memory_new(d->ctx) : NULL;
    if (!d->memory)
        return d->ctx->error.status;
    if (with_teacher(d)) {
        RETURN_IF(teacher_make(d));
        RETURN_IF(recordings_prepare(d));
    }
    RETURN_IF(students_run(d));
    RETURN_IF(entries_collect(d));
    RETURN_IF(student_copy(d));
    RETURN_IF(result_write(d, clock_seconds() - begin, result));
    return folder_finish(d->ctx, d->arena, &d->folder);
}

static void distillation_close(struct distillation *d)
{
    if (d->recordings_shared)
        share_outputs_release(d->options->share);
    for (int i = 0; i < RECORDINGS_MAX && !d->recordings_shared; i++)
        recording_free(&d->recordings[i]);
    memory_free(d->ctx, d->teacher_logits);
    network_free(d->teacher);
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
