/* parts.c: see parts.h. */
#include "train/parts.h"

#include "base/arena.h"
#include "format/safetensors.h"

#include <string.h>

static const char *part_key(struct arena *arena, const struct stage_graph *built, int term,
                            const struct parameter *entry)
{
    return arena_format(arena, "%s/%s", built->stage->terms[term].name, entry->name);
}

enum status parts_save(struct context *ctx, const char *path, const struct stage_graph *built)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    struct arena *arena = arena_new(ctx);
    size_t most = 0;
    if (!arena)
        return ctx->error.status;
    for (int i = 0; i < built->stage->n_terms; i++)
        most += (size_t)built->own[i].parameters->count;
    file.tensors = arena_take(arena, most + 1, sizeof *file.tensors);
    if (!file.tensors)
        TRY(ctx->error.status);
    for (int i = 0; i < built->stage->n_terms; i++) {
        struct parameters *own = built->own[i].parameters;
        for (int j = 0; j < own->count; j++) {
            const char *name = part_key(arena, built, i, &own->entries[j]);
            if (!name)
                TRY(ctx->error.status);
            file.tensors[file.count++] =
                (struct safetensor){name, {own->element, own->entries[j].shape, parameters_value(own, j)}};
        }
    }
    TRY(safetensors_write(ctx, path, &file));
cleanup:
    arena_free(arena);
    return status;
}

enum status parts_load(struct context *ctx, const char *path, const struct stage_graph *built)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    TRY(safetensors_read(ctx, path, &file));
    for (int i = 0; i < built->stage->n_terms; i++) {
        struct parameters *own = built->own[i].parameters;
        for (int j = 0; j < own->count; j++) {
            const char *name = part_key(arena, built, i, &own->entries[j]);
            if (!name)
                TRY(ctx->error.status);
            const struct safetensor *found = safetensors_find(&file, name);
            if (found && found->tensor.element == own->element &&
                shape_equal(&found->tensor.shape, &own->entries[j].shape))
                memcpy(parameters_value(own, j), found->tensor.data,
                       (size_t)own->entries[j].elements * element_size(own->element));
        }
        parameters_touch(own);
    }
cleanup:
    safetensors_free(ctx, &file);
    arena_free(arena);
    return status;
}
