/* features.c: see features.h. */
#include "run/features.h"

#include "base/file.h"
#include "format/npz.h"
#include "run/cache.h"

#include <string.h>

/* An array of the file on its way to a store. */
struct feature {
    struct context *ctx;
    const struct recorded_feature *from;
    struct shape row;            /* as inside: [H,W,C], or as it is */
    int64_t first, count;        /* rows of the file that are the train split's */
    struct cache_writer *writer; /* NULL: into memory */
    struct store *store;
};

/* is_read: does a loss of the plan read this array as a layer of the teacher? */
static bool is_read(const struct plan *plan, int learner, const char *name)
{
    for (int i = 0; i < plan->staging.count; i++)
        for (int j = 0; j < plan->staging.phases[i].n_terms; j++) {
            const struct term *term = &plan->staging.phases[i].terms[j];
            for (int k = 0; term->teacher == learner && k < term->n_teacher_taps; k++)
                if (strcmp(term->teacher_taps[k], name) == 0)
                    return true;
        }
    return false;
}

static struct shape row_inside(const struct shape *outside)
{
    const int64_t *dim = outside->dim;
    struct shape row = {.rank = outside->rank - 1};
    for (int i = 0; i < row.rank; i++)
        row.dim[i] = dim[i + 1];
    return row.rank == 3 ? SHAPE(dim[2], dim[3], dim[1]) : row;
}

/* row_turn: a map's values from [C,H,W] to [H,W,C]. */
static void row_turn(const struct shape *row, const float *from, float *to)
{
    const int64_t pixels = row->dim[0] * row->dim[1], channels = row->dim[2];
    for (int64_t c = 0; c < channels; c++)
        for (int64_t p = 0; p < pixels; p++)
            to[p * channels + c] = from[c * pixels + p];
}

static enum status rows_copy(struct feature *f, struct npz_rows *rows)
{
    const int64_t elements = shape_elements(&f->row);
    enum status status = STATUS_OK;
    float *values = memory_new(f->ctx, (size_t)elements, 2 * sizeof *values);
    if (!values)
        return f->ctx->error.status;
    float *turned = values + elements;
    for (int64_t i = 0; i < f->count; i++) {
        TRY(npz_rows_next(rows, values, 1));
        if (f->row.rank == 3)
            row_turn(&f->row, values, turned);
        const float *row = f->row.rank == 3 ? turned : values;
        if (f->writer)
            TRY(cache_writer_rows(f->writer, i, 1, row));
        else
            store_write(f->store, i, row);
    }
cleanup:
    memory_free(f->ctx, values);
    return status;
}

static enum status array_copy(struct feature *f, const char *path)
{
    enum status status = STATUS_OK;
    struct npz *npz = NULL;
    struct npz_rows *rows = NULL;
    TRY(npz_open(f->ctx, path, &npz));
    TRY(npz_rows_new(npz, npz_find(npz, f->from->name), f->first, &rows));
    TRY(rows_copy(f, rows));
cleanup:
    npz_rows_free(rows);
    npz_free(npz);
    return status;
}

static enum status entry_fill(struct feature *f, const struct cache *cache, const struct cache_entry *entry,
                              const char *path)
{
    int64_t done = 0;
    f->store = cache_store(cache, entry);
    if (f->store || f->ctx->error.status != STATUS_OK)
        return f->ctx->error.status;
    f->writer = cache_writer_new(cache, entry, 1, &done);
    if (!f->writer)
        return f->ctx->error.status;
    enum status status = done < entry->rows ? array_copy(f, path) : STATUS_OK;
    struct cache_writer *writer = f->writer;
    f->writer = NULL;
    if (status == STATUS_OK)
        RETURN_IF(cache_writer_finish(writer));
    else
        cache_writer_leave(writer);
    RETURN_IF(status);
    f->store = cache_store(cache, entry);
    if (f->store)
        return STATUS_OK;
    return f->ctx->error.status != STATUS_OK
               ? f->ctx->error.status
               : fail(f->ctx, STATUS_IO, "%s: what was just written is gone", cache->folder);
}

static enum status feature_open(struct context *ctx, struct arena *arena, const struct plan *plan,
                                const struct teacher_plan *teacher, const struct recorded_feature *from,
                                struct store **store)
{
    const struct split *split = &plan->data->splits[SPLIT_TRAIN];
    struct feature f = {ctx, from, row_inside(&from->shape), split->first, split->count, NULL, NULL};
    struct cache cache;
    char hash[65];
    *store = NULL;
    if (plan->cache == CACHE_FALSE || !cache_folder(arena)) {
        f.store = store_new(ctx, from->name, ELEMENT_F32, split->count, f.row);
        *store = f.store;
        return f.store ? array_copy(&f, teacher->file) : ctx->error.status;
    }
    RETURN_IF(cache_open(ctx, arena, NULL, &cache));
    RETURN_IF(file_sha256(ctx, teacher->file, hash));
    struct value *on = value_set(arena, value_map(arena), "file", value_text(arena, hash));
    on = value_set(arena, on, "array", value_text(arena, from->name));
    on = value_set(arena, on, "first", value_integer(arena, split->first));
    const struct cache_entry entry = {.teacher = teacher->file,
                                      .layer = arena_text(arena, from->name),
                                      .on = on,
                                      .rows = split->count,
                                      .row = f.row,
                                      .element = ELEMENT_F32};
    if (!on || !entry.layer)
        return ctx->error.status;
    const enum status status = entry_fill(&f, &cache, &entry, teacher->file);
    *store = f.store;
    return status;
}

enum status features_open(struct context *ctx, struct arena *arena, const struct plan *plan, int index,
                          const struct recorded *file, bool places, struct teaching *teaching)
{
    const struct teacher_plan *teacher = &plan->teachers.items[index];
    const int learner = 1 + index + (teaching->learners[0].ensemble != NULL);
    for (int i = 0; i < file->n_features; i++) {
        struct store *store = NULL;
        const char *name = arena_text(arena, file->features[i].name);
        if (!name)
            return ctx->error.status;
        if (!is_read(plan, learner, name))
            continue;
        if (places)
            store = store_new(ctx, name, ELEMENT_F32, 1, row_inside(&file->features[i].shape));
        const enum status status =
            places ? ctx->error.status : feature_open(ctx, arena, plan, teacher, &file->features[i], &store);
        if (store)
            store->name = name;
        if (status != STATUS_OK) {
            store_free(store);
            return status;
        }
        RETURN_IF(
            recording_add(ctx, teaching, (struct recording){teacher->name, name, .by_sample = true, .store = store}));
    }
    return STATUS_OK;
}
