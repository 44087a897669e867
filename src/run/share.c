/* share.c: see share.h. */
#include "run/share.h"

#include "base/file.h"
#include "format/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { NAME_DIGITS = 16 /* of the hash, in a name */ };

struct shared {
    const char *name, *recipe_sha256; /* of the first run that has it, whoever carries it out */
    int runs;
    pthread_mutex_t busy;
    struct shared *next;
};

struct share {
    struct context *ctx;
    struct arena *arena;
    const char *folder, *sweep;
    struct shared *first, **end;
};

struct share *share_new(struct context *ctx, struct arena *arena, const char *folder, const char *sweep)
{
    struct share *share = folder && sweep ? arena_take(arena, 1, sizeof *share) : NULL;
    if (share) {
        *share = (struct share){.ctx = ctx, .arena = arena, .folder = folder, .sweep = sweep};
        share->end = &share->first;
    }
    return share;
}

void share_free(struct share *share)
{
    if (!share)
        return;
    for (struct shared *at = share->first; at; at = at->next)
        pthread_mutex_destroy(&at->busy);
}

static struct shared *share_find(const struct share *share, const char *name)
{
    struct shared *at = share->first;
    while (at && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

enum status share_add(struct share *share, const char *name, const char *recipe_sha256)
{
    struct shared *at = share_find(share, name);
    if (!at) {
        at = arena_take(share->arena, 1, sizeof *at);
        if (!at)
            return STATUS_NO_MEMORY;
        *at = (struct shared){.name = name, .recipe_sha256 = recipe_sha256};
        pthread_mutex_init(&at->busy, NULL);
        *share->end = at;
        share->end = &at->next;
    }
    at->runs++;
    return STATUS_OK;
}

/* --- what a stage depends on --- */

static struct value *term_value(struct arena *arena, const struct term *term)
{
    struct option_set set = {term->method->options, term->method->n_options};
    return options_value(arena, set, term->options);
}

/* dependencies: teacher NULL: of the student alone. */
static struct value *dependencies(struct arena *arena, const struct plan *plan, const struct teacher_plan *teacher,
                                  uint64_t seed)
{
    const struct network_plan *which = teacher ? &teacher->own : &plan->student;
    struct value *map = value_map(arena);
    map = value_set(arena, map, "role", value_text(arena, teacher ? "teacher" : "alone"));
    map = value_set(arena, map, "precision", value_text(arena, element_text(plan->precision)));
    map = value_set(arena, map, "data", value_copy(arena, plan->data->resolved));
    map = value_set(arena, map, "network", value_copy(arena, which->network));
    map = value_set(arena, map, "train", value_copy(arena, which->train.resolved));
    map = value_set(arena, map, "labels", term_value(arena, teacher ? &teacher->labels : &plan->student_labels));
    map = value_set(arena, map, "all_labels", value_boolean(arena, which->all_labels));
    return value_set(arena, map, "seed", value_integer(arena, (int64_t)seed));
}

const char *share_name(struct context *ctx, struct arena *arena, const struct plan *plan, const char *role,
                       const char *stage, uint64_t seed)
{
    char hash[65];
    struct text text;
    const bool alone = strcmp(role, "alone") == 0;
    const struct teacher_plan *teacher = strcmp(role, "teacher") == 0 ? teachers_find(&plan->teachers, stage) : NULL;
    const char *name = NULL;
    if (!alone && (!teacher || teacher->kind != TEACHER_TRAINED))
        return NULL;
    struct value *on = dependencies(arena, plan, teacher, seed);
    if (!on)
        return NULL;
    text_init(&text, ctx);
    json_write(on, &text, 0);
    if (!text.failed) {
        sha256_hex(text.bytes, text.length, hash);
        name = arena_format(arena, "%s-%.*s", stage, NAME_DIGITS, hash);
    }
    text_free(&text);
    return name;
}

/* --- taking over --- */

/* series_copy: a stage's metrics, from record to record. */
static enum status series_copy(struct context *ctx, struct arena *arena, struct record *from, struct record *to,
                               const char *stage)
{
    struct record_series *list, series;
    size_t count;
    RETURN_IF(record_rewind(ctx, to, stage, -1));
    RETURN_IF(record_series_list(ctx, arena, from, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].stage, stage) != 0)
            continue;
        RETURN_IF(record_series_read(ctx, arena, from, stage, list[i].split, list[i].name, &series));
        for (size_t k = 0; k < series.count; k++)
            RETURN_IF(record_metric(ctx, to, stage, series.epochs[k], series.steps[k], series.split, series.name,
                                    series.values[k]));
    }
    return record_flush(ctx, to);
}

static enum status row_copy(struct context *ctx, struct arena *arena, struct record *from, struct record *to,
                            const char *stage)
{
    struct record_stage *stages;
    size_t count;
    RETURN_IF(record_stages_read(ctx, arena, from, &stages, &count));
    for (size_t i = 0; i < count; i++)
        if (strcmp(stages[i].name, stage) == 0)
            RETURN_IF(record_stage(ctx, to, &stages[i]));
    return STATUS_OK;
}

static enum status model_copy(struct context *ctx, struct arena *arena, const struct folder *from,
                              const struct folder *to, const char *stage)
{
    unsigned char *bytes = NULL;
    size_t count;
    const char *source = folder_file(arena, from, "models/%s.safetensors", stage);
    const char *target = folder_file(arena, to, "models/%s.safetensors", stage);
    if (!source || !target)
        return ctx->error.status;
    RETURN_IF(file_read(ctx, source, 0, &bytes, &count));
    enum status status = folder_put(ctx, target, bytes, count);
    memory_free(ctx, bytes);
    return status;
}

/* stage_take: the stage that was carried out in `from` becomes one of the run's: the entry, which says that it is there, last. Figures are
 * the same in each run; agreement with the teacher, and details, are this run's. */
static enum status stage_take(struct context *ctx, struct arena *arena, const struct run_site *site,
                              const struct shared *shared, const struct folder *from, const struct stage *stage,
                              struct kernel_context *kernels, struct program_memory *memory)
{
    struct stage_tested tested;
    struct value *entry = stage_entry(ctx, arena, from, stage->name);
    if (!entry)
        return ctx->error.status;
    RETURN_IF(row_copy(ctx, arena, from->record, site->folder->record, stage->name));
    RETURN_IF(series_copy(ctx, arena, from->record, site->folder->record, stage->name));
    RETURN_IF(stage_test(ctx, arena, site, stage, kernels, memory, &tested));
    RETURN_IF(model_copy(ctx, arena, from, site->folder, stage->name));
    entry = value_set(arena, entry, "fidelity", value_real(arena, tested.fidelity));
    entry = value_set(arena, entry, "shared", value_text(arena, shared->name));
    return stage_entry_note(ctx, arena, site->folder, stage->name, entry);
}

enum status share_stage(struct context *ctx, struct arena *arena, const struct run_site *site,
                        const struct stage *stage, struct kernel_context *kernels, struct program_memory *memory,
                        bool *shared)
{
    enum status status = STATUS_OK;
    struct folder folder = {0};
    *shared = false;
    const char *name = site->share ? share_name(ctx, arena, site->plan, stage->role, stage->name, stage->seed) : NULL;
    struct shared *found = name ? share_find(site->share, name) : NULL;
    if (!found || found->runs < 2)
        return ctx->error.status;
    *shared = true;
    pthread_mutex_lock(&found->busy);
    struct run_site apart = {.plan = site->plan,
                             .folder = &folder,
                             .options = site->options,
                             .recipe_sha256 = found->recipe_sha256,
                             .stages = site->stages,
                             .done = atomic_load(&site->done)};
    TRY(folder_open_shared(ctx, arena, arena_format(arena, "%s/%s", site->share->folder, name), site->share->sweep,
                           &folder));
    TRY(stage_job(ctx, &apart, stage, kernels, memory));
    TRY(stage_take(ctx, arena, site, found, &folder, stage, kernels, memory));
cleanup:
    folder_close(ctx, &folder);
    pthread_mutex_unlock(&found->busy);
    return status;
}
