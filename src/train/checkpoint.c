/* checkpoint.c: see checkpoint.h. One list of blocks, walked by both directions. */
#include "train/checkpoint.h"

#include "format/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The blocks of a stage as tensors that view the live memory. */
struct blocks {
    struct context *ctx;
    struct arena *arena;
    int count, capacity;
    struct safetensor *tensors;
};

static enum status block_add(struct blocks *blocks, const char *owner, const char *what, enum element element,
                             int64_t n, void *data)
{
    if (n == 0)
        return STATUS_OK;
    if (blocks->count == blocks->capacity) {
        int capacity = blocks->capacity ? 2 * blocks->capacity : 16;
        struct safetensor *grown = arena_take(blocks->arena, (size_t)capacity, sizeof *grown);
        if (!grown)
            return blocks->ctx->error.status;
        if (blocks->count)
            memcpy(grown, blocks->tensors, (size_t)blocks->count * sizeof *grown);
        blocks->tensors = grown;
        blocks->capacity = capacity;
    }
    const char *name = arena_format(blocks->arena, "%s.%s", owner, what);
    if (!name)
        return blocks->ctx->error.status;
    blocks->tensors[blocks->count++] = (struct safetensor){name, {element, SHAPE(n), data}};
    return STATUS_OK;
}

static enum status parameters_blocks(struct blocks *blocks, const char *owner, const struct parameters *parameters)
{
    RETURN_IF(block_add(blocks, owner, "values", parameters->element, parameters->n_values, parameters->values));
    return block_add(blocks, owner, "state", parameters->element, parameters->n_state, parameters->state);
}

/* learner_changes: does the stage change the network? A frozen teacher is not kept: the stages that run side by side share it. */
static bool learner_changes(const struct stage *stage, int learner)
{
    if (!stage->learners[learner].network)
        return false; /* an ensemble's weights are kept apart */
    bool changes = stage->learners[learner].learns || stage->learners[learner].training;
    for (int i = 0; i < stage->n_events; i++)
        changes = changes || stage->events[i].to == learner;
    return changes;
}

static enum status best_blocks(struct blocks *blocks, struct early_stop *best)
{
    if (!best)
        return STATUS_OK;
    const struct parameters *subject = best->subject;
    RETURN_IF(block_add(blocks, "best", "values", subject->element, subject->n_values, best->values));
    RETURN_IF(block_add(blocks, "best", "state", subject->element, subject->n_state, best->state));
    return block_add(blocks, "best", "figures", ELEMENT_F64, EARLY_STOP_FIGURES, best->figures);
}

static enum status store_blocks(struct blocks *blocks, const char *owner, struct store *store)
{
    RETURN_IF(block_add(blocks, owner, "values", store->element, store->rows * store->row_elements, store->values));
    return block_add(blocks, owner, "valid", ELEMENT_U8, store->rows, store->valid);
}

static enum status blocks_collect(struct blocks *blocks, const struct stage_graph *built,
                                  const struct learning *learning, struct early_stop *best)
{
    const struct stage *stage = built->stage;
    for (int i = 0; i < stage->n_learners; i++)
        if (learner_changes(stage, i))
            RETURN_IF(parameters_blocks(blocks, arena_format(blocks->arena, "learner.%d", i),
                                        stage->learners[i].network->parameters));
    for (int i = 0; i < stage->n_terms; i++) {
        const char *owner = arena_format(blocks->arena, "term.%d", i);
        RETURN_IF(parameters_blocks(blocks, owner, built->own[i].parameters));
        for (int j = 0; j < built->own[i].n_stores; j++) {
            struct store *store = built->own[i].stores[j];
            RETURN_IF(store_blocks(blocks, arena_format(blocks->arena, "%s.store.%s", owner, store->name), store));
        }
    }
    for (int i = 0; i < stage->n_learners; i++) {
        if (built->weights[i])
            RETURN_IF(parameters_blocks(blocks, arena_format(blocks->arena, "weights.%d", i), built->weights[i]));
        if (built->memories[i])
            RETURN_IF(store_blocks(blocks, arena_format(blocks->arena, "memory.%d", i), built->memories[i]));
    }
    for (int i = 0; i < learning->count; i++)
        for (int j = 0; j < OPTIMISER_MAX_SLOTS; j++) {
            const struct learned_set *set = &learning->sets[i];
            if (set->slots[j])
                RETURN_IF(block_add(blocks, arena_format(blocks->arena, "slots.%s", set->name), j ? "1" : "0",
                                    set->parameters->element, set->parameters->n_values, set->slots[j]));
        }
    return best_blocks(blocks, best);
}

enum status checkpoint_save(struct context *ctx, const char *path, const struct stage_graph *built,
                            const struct learning *learning, const struct checkpoint *at)
{
    enum status status = STATUS_OK;
    char step[32], seconds[32];
    struct blocks blocks = {.ctx = ctx, .arena = arena_new(ctx)};
    if (!blocks.arena)
        return ctx->error.status;
    TRY(blocks_collect(&blocks, built, learning, at->best));
    snprintf(step, sizeof step, "%lld", (long long)at->step);
    snprintf(seconds, sizeof seconds, "%.17g", at->seconds);
    struct safetensors_entry metadata[] = {{"retort.checkpoint", built->stage->name},
                                           {"fingerprint", at->fingerprint},
                                           {"step", step},
                                           {"seconds", seconds}};
    struct safetensors file = {
        .count = (size_t)blocks.count, .tensors = blocks.tensors, .metadata_count = 4, .metadata = metadata};
    TRY(safetensors_write(ctx, path, &file));
cleanup:
    arena_free(blocks.arena);
    return status;
}

static const char *text_or_empty(const struct safetensors *file, const char *key)
{
    const char *text = safetensors_text(file, key);
    return text ? text : "";
}

enum status checkpoint_load(struct context *ctx, const char *path, const struct stage_graph *built,
                            struct learning *learning, struct checkpoint *at)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    struct blocks blocks = {.ctx = ctx, .arena = arena_new(ctx)};
    if (!blocks.arena)
        return ctx->error.status;
    TRY(safetensors_read(ctx, path, &file));
    if (strcmp(text_or_empty(&file, "retort.checkpoint"), built->stage->name) != 0 ||
        strcmp(text_or_empty(&file, "fingerprint"), at->fingerprint) != 0)
        TRY(fail(
            ctx, STATUS_BAD_INPUT,
            "%s: expected a checkpoint of stage %s of this recipe, found another; remove it to start the stage again",
            path, built->stage->name));
    TRY(blocks_collect(&blocks, built, learning, at->best));
    for (int i = 0; i < blocks.count; i++) {
        struct safetensor *block = &blocks.tensors[i];
        const struct safetensor *found = safetensors_find(&file, block->name);
        if (!found || found->tensor.element != block->tensor.element ||
            !shape_equal(&found->tensor.shape, &block->tensor.shape))
            TRY(fail(ctx, STATUS_BAD_INPUT,
                     "%s: expected \"%s\" of %lld values, found another or none; remove it to start the stage again",
                     path, block->name, (long long)block->tensor.shape.dim[0]));
        memcpy(block->tensor.data, found->tensor.data,
               (size_t)shape_elements(&block->tensor.shape) * element_size(block->tensor.element));
    }
    at->step = strtoll(text_or_empty(&file, "step"), NULL, 10);
    at->seconds = strtod(text_or_empty(&file, "seconds"), NULL);
    for (int i = 0; i < built->stage->n_learners; i++)
        if (learner_changes(built->stage, i))
            parameters_touch(built->stage->learners[i].network->parameters);
    for (int i = 0; i < built->stage->n_learners; i++)
        if (built->weights[i])
            parameters_touch(built->weights[i]);
    for (int i = 0; i < built->stage->n_terms; i++)
        parameters_touch(built->own[i].parameters);
cleanup:
    safetensors_free(ctx, &file);
    arena_free(blocks.arena);
    return status;
}
