/* parameters.c: named values in contiguous blocks. */
#include "graph/parameters.h"

#include "base/arena.h"
#include "base/random.h"
#include "kernel/kernel.h"

#include <string.h>

struct parameters *parameters_new(struct context *ctx, enum element element, uint64_t seed)
{
    struct parameters *parameters = memory_new(ctx, 1, sizeof *parameters);
    if (!parameters)
        return NULL;
    parameters->ctx = ctx;
    parameters->element = element;
    parameters->seed = seed;
    parameters->version = 1;
    parameters->arena = arena_new(ctx);
    if (!parameters->arena) {
        parameters_free(parameters);
        return NULL;
    }
    return parameters;
}

void parameters_free(struct parameters *parameters)
{
    if (!parameters)
        return;
    struct context *ctx = parameters->ctx;
    arena_free(parameters->arena);
    memory_free(ctx, parameters->entries);
    memory_free(ctx, parameters->values);
    memory_free(ctx, parameters->gradients);
    memory_free(ctx, parameters->state);
    memory_free(ctx, parameters);
}

int parameters_find(const struct parameters *parameters, const char *name)
{
    for (int i = 0; i < parameters->count; i++)
        if (strcmp(parameters->entries[i].name, name) == 0)
            return i;
    return -1;
}

/* block_reserve: room for `wanted` elements in one block; doubles, so that adding entries stays linear. */
static enum status block_reserve(struct parameters *parameters, void **block, int64_t used, int64_t capacity)
{
    void *grown =
        memory_grow(parameters->ctx, *block, (size_t)used, (size_t)capacity, element_size(parameters->element));
    if (!grown)
        return parameters->ctx->error.status;
    *block = grown;
    return STATUS_OK;
}

static enum status parameters_reserve(struct parameters *parameters, int64_t elements, bool state)
{
    int64_t used = state ? parameters->n_state : parameters->n_values;
    int64_t *capacity = state ? &parameters->state_capacity : &parameters->value_capacity;
    if (used + elements <= *capacity)
        return STATUS_OK;
    int64_t wanted = used + elements > 2 * *capacity ? used + elements : 2 * *capacity;
    if (state) {
        RETURN_IF(block_reserve(parameters, &parameters->state, used, wanted));
    } else {
        RETURN_IF(block_reserve(parameters, &parameters->values, used, wanted));
        RETURN_IF(block_reserve(parameters, &parameters->gradients, used, wanted));
    }
    *capacity = wanted;
    return STATUS_OK;
}

static void element_set(void *block, enum element element, int64_t at, double value)
{
    if (element == ELEMENT_F64)
        ((double *)block)[at] = value;
    else
        ((float *)block)[at] = (float)value;
}

static double element_get(const void *block, enum element element, int64_t at)
{
    return element == ELEMENT_F64 ? ((const double *)block)[at] : ((const float *)block)[at];
}

/* The initial values are rounded to float in both precisions, so that a float64 run starts where the float32 run does. */
static void entry_initialise(struct parameters *parameters, const struct parameter *entry)
{
    struct random_key key = {parameters->seed, random_stream(entry->name), 0};
    void *block = entry->state ? parameters->state : parameters->values;
    for (int64_t i = 0; i < entry->elements; i++) {
        double value = 0;
        switch (entry->init.kind) {
        case INIT_ZERO:
            break;
        case INIT_CONSTANT:
            value = entry->init.scale;
            break;
        case INIT_NORMAL:
            value = entry->init.scale * random_normal(&key, (uint64_t)i);
            break;
        case INIT_UNIFORM:
            value = entry->init.scale * (2 * random_uniform(&key, (uint64_t)i) - 1);
            break;
        }
        element_set(block, parameters->element, entry->offset + i, (double)(float)value);
    }
}

enum status parameters_add(struct parameters *parameters, const char *name, const struct shape *shape, struct init init,
                           bool state, int *index)
{
    struct context *ctx = parameters->ctx;
    char found[SHAPE_TEXT_SIZE], expected[SHAPE_TEXT_SIZE];
    int at = parameters_find(parameters, name);
    if (at >= 0) {
        const struct parameter *entry = &parameters->entries[at];
        if (!shape_equal(&entry->shape, shape) || entry->state != state)
            return fail(ctx, STATUS_BAD_SHAPE, "\"%s\": expected %s %s, found %s %s", name,
                        state ? "state" : "parameter", shape_text(shape, expected),
                        entry->state ? "state" : "parameter", shape_text(&entry->shape, found));
        *index = at;
        return STATUS_OK;
    }
    int64_t elements = shape_elements(shape);
    if (elements < 0)
        return fail(ctx, STATUS_BAD_SHAPE,
                    "\"%s\": a parameter cannot have shape %s: more than 2^31 elements, or a batch axis", name,
                    shape_text(shape, found));
    RETURN_IF(parameters_reserve(parameters, elements, state));
    if (parameters->count == parameters->capacity) {
        int capacity = parameters->capacity ? 2 * parameters->capacity : 16;
        void *grown = memory_grow(ctx, parameters->entries, (size_t)parameters->count, (size_t)capacity,
                                  sizeof *parameters->entries);
        if (!grown)
            return ctx->error.status;
        parameters->entries = grown;
        parameters->capacity = capacity;
    }
    char *copy = arena_text(parameters->arena, name);
    if (!copy)
        return ctx->error.status;
    int64_t *used = state ? &parameters->n_state : &parameters->n_values;
    struct parameter *entry = &parameters->entries[parameters->count];
    *entry = (struct parameter){.name = copy,
                                .shape = *shape,
                                .init = init,
                                .offset = *used,
                                .elements = elements,
                                .state = state,
                                .decay = !state && shape->rank > 1};
    *used += elements;
    entry_initialise(parameters, entry);
    *index = parameters->count++;
    parameters_touch(parameters);
    return STATUS_OK;
}

static char *block_at(const struct parameters *parameters, void *block, int64_t offset)
{
    return (char *)block + (size_t)offset * element_size(parameters->element);
}

void *parameters_value(const struct parameters *parameters, int index)
{
    const struct parameter *entry = &parameters->entries[index];
    return block_at(parameters, entry->state ? parameters->state : parameters->values, entry->offset);
}

void *parameters_gradient(const struct parameters *parameters, int index)
{
    const struct parameter *entry = &parameters->entries[index];
    return entry->state ? NULL : block_at(parameters, parameters->gradients, entry->offset);
}

void parameters_touch(struct parameters *parameters)
{
    parameters->version++;
}

enum status parameters_alike(const struct parameters *to, const struct parameters *from)
{
    bool alike = to->count == from->count && to->element == from->element;
    for (int i = 0; alike && i < to->count; i++)
        alike = strcmp(to->entries[i].name, from->entries[i].name) == 0 &&
                to->entries[i].offset == from->entries[i].offset &&
                shape_equal(&to->entries[i].shape, &from->entries[i].shape);
    if (!alike)
        return fail(to->ctx, STATUS_BAD_SHAPE, "cannot copy between networks that differ (%d and %d tensors)",
                    to->count, from->count);
    return STATUS_OK;
}

enum status parameters_copy(struct parameters *to, const struct parameters *from)
{
    RETURN_IF(parameters_alike(to, from));
    size_t size = element_size(to->element);
    if (to->n_values)
        memcpy(to->values, from->values, (size_t)to->n_values * size);
    if (to->n_state)
        memcpy(to->state, from->state, (size_t)to->n_state * size);
    parameters_touch(to);
    return STATUS_OK;
}

enum status parameters_average(struct parameters *to, const struct parameters *from, double rate,
                               const struct kernels *table)
{
    RETURN_IF(parameters_alike(to, from));
    table->average_values(to->n_values, rate, from->values, to->values);
    table->average_values(to->n_state, rate, from->state, to->state);
    parameters_touch(to);
    return STATUS_OK;
}

void parameters_get(const struct parameters *parameters, int index, double *out)
{
    const void *from = parameters_value(parameters, index);
    for (int64_t i = 0; i < parameters->entries[index].elements; i++)
        out[i] = element_get(from, parameters->element, i);
}

void parameters_set(struct parameters *parameters, int index, const double *in)
{
    void *to = parameters_value(parameters, index);
    for (int64_t i = 0; i < parameters->entries[index].elements; i++)
        element_set(to, parameters->element, i, in[i]);
    parameters_touch(parameters);
}
