/* model.c: networks to and from safetensors files. */
#include "train/model.h"

#include "base/file.h"
#include "format/json.h"
#include "format/safetensors.h"

#include <stdio.h>
#include <string.h>

/* tensors_of: every entry as a float32 tensor in the arena. */
static enum status tensors_of(struct context *ctx, struct arena *arena, const struct parameters *parameters,
                              struct safetensor **out)
{
    *out = arena_take(arena, (size_t)parameters->count, sizeof **out);
    if (parameters->count && !*out)
        return ctx->error.status;
    for (int i = 0; i < parameters->count; i++) {
        const struct parameter *entry = &parameters->entries[i];
        float *values = arena_take(arena, (size_t)entry->elements, sizeof *values);
        double *wide = memory_new(ctx, (size_t)entry->elements, sizeof *wide);
        if (!values || !wide) {
            memory_free(ctx, wide);
            return ctx->error.status;
        }
        parameters_get(parameters, i, wide);
        for (int64_t j = 0; j < entry->elements; j++)
            values[j] = (float)wide[j];
        memory_free(ctx, wide);
        (*out)[i] = (struct safetensor){entry->name, {ELEMENT_F32, entry->shape, values}};
    }
    return STATUS_OK;
}

enum status model_save(struct context *ctx, const struct network *network, const struct value *provenance,
                       const char *path)
{
    enum status status = STATUS_OK;
    struct text description, origin;
    struct arena *arena = arena_new(ctx);
    text_init(&description, ctx);
    text_init(&origin, ctx);
    if (!arena)
        TRY(ctx->error.status);
    const struct value *described = network_description(arena, network);
    if (!described)
        TRY(ctx->error.status);
    json_write(described, &description, 0);
    if (provenance)
        json_write(provenance, &origin, 0);
    if (description.failed || origin.failed)
        TRY(ctx->error.status);
    struct safetensors_entry metadata[] = {
        {"format", "retort"}, {"retort.network", description.bytes}, {"retort.provenance", origin.bytes}};
    struct safetensors file = {
        .metadata = metadata, .metadata_count = provenance ? 3 : 2, .count = (size_t)network->parameters->count};
    TRY(tensors_of(ctx, arena, network->parameters, &file.tensors));
    TRY(safetensors_write(ctx, path, &file));
cleanup:
    text_free(&description);
    text_free(&origin);
    arena_free(arena);
    return status;
}

/* value_at: element j of a tensor of any type that a model may have. */
static double value_at(const struct tensor *tensor, int64_t j)
{
    return tensor->element == ELEMENT_F64 ? ((const double *)tensor->data)[j]
                                          : (double)((const float *)tensor->data)[j];
}

/* entry_load: entry i of the parameters from the file's tensor `name`. */
static enum status entry_load(struct context *ctx, const char *path, const struct safetensors *file, const char *name,
                              struct parameters *parameters, int i)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    const struct parameter *entry = &parameters->entries[i];
    const struct safetensor *tensor = safetensors_find(file, name);
    if (!tensor)
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s: expected a tensor \"%s\" %s, found none; is it a model of another network?", path, name,
                    shape_text(&entry->shape, expected));
    if (tensor->tensor.element != ELEMENT_F32 && tensor->tensor.element != ELEMENT_F64)
        return fail(ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": expected f32, found %s", path, name,
                    element_text(tensor->tensor.element));
    if (!shape_equal(&tensor->tensor.shape, &entry->shape))
        return fail(ctx, STATUS_BAD_SHAPE,
                    "%s: tensor \"%s\": expected %s, found %s; is it a model of another network?", path, name,
                    shape_text(&entry->shape, expected), shape_text(&tensor->tensor.shape, found));
    double *wide = memory_new(ctx, (size_t)entry->elements, sizeof *wide);
    if (!wide)
        return ctx->error.status;
    for (int64_t j = 0; j < entry->elements; j++)
        wide[j] = value_at(&tensor->tensor, j);
    parameters_set(parameters, i, wide);
    memory_free(ctx, wide);
    return STATUS_OK;
}

static enum status tensors_load(struct context *ctx, const char *path, const struct safetensors *file,
                                struct parameters *parameters)
{
    RETURN_IF(safetensors_check_finite(ctx, path, file));
    for (int i = 0; i < parameters->count; i++)
        RETURN_IF(entry_load(ctx, path, file, parameters->entries[i].name, parameters, i));
    for (size_t i = 0; i < file->count; i++)
        if (parameters_find(parameters, file->tensors[i].name) < 0)
            return fail(ctx, STATUS_BAD_INPUT,
                        "%s: the network has no tensor \"%s\"; is it a model of another network?", path,
                        file->tensors[i].name);
    return STATUS_OK;
}

/* rebuild: what is wrong with a description is the file's mistake, whose name the network's builders do not know. */
static enum status rebuild(struct context *ctx, const struct value *description, const char *path,
                           enum element precision, struct network **network)
{
    enum status status = network_rebuild(ctx, description, path, precision, 0, network);
    bool input = status == STATUS_BAD_INPUT || status == STATUS_BAD_SHAPE;
    if (!input || strncmp(ctx->error.message, path, strlen(path)) == 0)
        return status;
    const struct error first = ctx->error;
    error_clear(ctx);
    return fail(ctx, first.status, "%.900s: %.1100s", path, first.message);
}

enum status model_load(struct context *ctx, const char *path, enum element precision, struct network **network)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    struct value *description = NULL;
    struct arena *arena = arena_new(ctx);
    *network = NULL;
    if (!arena)
        return ctx->error.status;
    TRY(safetensors_read(ctx, path, &file));
    const char *text = safetensors_text(&file, "retort.network");
    if (!text)
        TRY(fail(ctx, STATUS_BAD_INPUT,
                 "%s: expected metadata \"retort.network\", found none; it was not made by retort", path));
    TRY(json_parse(ctx, arena, path, text, strlen(text), &description));
    TRY(rebuild(ctx, description, path, precision, network));
    TRY(tensors_load(ctx, path, &file, (*network)->parameters));
cleanup:
    if (status != STATUS_OK) {
        network_free(*network);
        *network = NULL;
    }
    safetensors_free(ctx, &file);
    arena_free(arena);
    return status;
}

enum status model_load_into(struct context *ctx, const char *path, struct network *network)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    TRY(safetensors_read(ctx, path, &file));
    TRY(tensors_load(ctx, path, &file, network->parameters));
cleanup:
    safetensors_free(ctx, &file);
    return status;
}

/* --- of another framework --- */

/* name_theirs: what the file calls a tensor: named itself, or by its layer ("conv1" of "conv1.weight"). NULL: no memory. */
static const char *name_theirs(struct arena *arena, const struct value *names, const char *ours)
{
    const struct value *whole = value_get(names, ours);
    const char *dot = strrchr(ours, '.');
    if (whole)
        return whole->text;
    const char *layer = dot ? arena_format(arena, "%.*s", (int)(dot - ours), ours) : NULL;
    const struct value *of_layer = layer ? value_get(names, layer) : NULL;
    return of_layer ? arena_format(arena, "%s%s", of_layer->text, dot) : ours;
}

/* names_check: each of them names a tensor or a layer of ours. */
static enum status names_check(struct context *ctx, const struct value *names, const struct network *network)
{
    for (size_t i = 0; names && i < names->count; i++) {
        const char *name = names->entries[i].key;
        bool known = parameters_find(network->parameters, name) >= 0;
        for (int j = 0; !known && j < network->n_layers; j++)
            known = strcmp(network->layers[j].name, name) == 0;
        if (!known)
            return value_fail(
                ctx, names->entries[i].value, STATUS_BAD_INPUT,
                "names: the network has no layer or tensor \"%s\"; see retort inspect RECIPE --of teacher", name);
    }
    return STATUS_OK;
}

enum status model_load_weights(struct context *ctx, const char *path, const struct value *names,
                               struct network *network)
{
    enum status status = STATUS_OK;
    struct safetensors file = {0};
    struct parameters *parameters = network->parameters;
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    TRY(names_check(ctx, names, network));
    TRY(safetensors_read(ctx, path, &file));
    TRY(safetensors_check_finite(ctx, path, &file));
    for (int i = 0; i < parameters->count; i++) {
        const char *theirs = name_theirs(arena, names, parameters->entries[i].name);
        TRY(theirs ? entry_load(ctx, path, &file, theirs, parameters, i) : ctx->error.status);
    }
    if (file.count > (size_t)parameters->count)
        log_line(ctx, LOG_WARNING, "%s: %zu of its %zu tensors are not used", path,
                 file.count - (size_t)parameters->count, file.count);
cleanup:
    safetensors_free(ctx, &file);
    arena_free(arena);
    return status;
}

bool model_is(const char *path)
{
    unsigned char head[9] = {0};
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    return got == sizeof head && head[8] == '{';
}
