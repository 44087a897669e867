/* extract.c: the part of a network that some of its outputs need. */
#include "nn/builder.h"

#include <string.h>

static enum status fail_output(const struct network *network, const char *name)
{
    const char **names = memory_new(network->ctx, (size_t)network->n_outputs, sizeof(*names));
    if (!names)
        return network->ctx->error.status;
    for (int i = 0; i < network->n_outputs; i++)
        names[i] = network->outputs[i].name;
    const char *nearest = nearest_name(name, names, (size_t)network->n_outputs);
    memory_free(network->ctx, names);
    return fail(network->ctx, STATUS_BAD_INPUT, "network %s has no output \"%s\"%s%s%s", network->name, name,
                nearest ? "; nearest: \"" : "; `retort inspect` shows its outputs", nearest ? nearest : "",
                nearest ? "\"" : "");
}

/* outputs_choose: the asked outputs as a map, and the layers that they are as `needed`. */
static enum status outputs_choose(const struct network *network, struct arena *arena, int count,
                                  const char *const *names, bool *needed, struct value **outputs)
{
    bool logits = false;
    *outputs = value_map(arena);
    for (int i = 0; i < count; i++)
        logits = logits || strcmp(names[i], "logits") == 0;
    for (int i = 0; i < count; i++) {
        int layer = network_output(network, names[i]);
        if (layer < 0)
            return fail_output(network, names[i]);
        needed[layer] = true;
        *outputs = value_set(arena, *outputs, i == 0 && !logits ? "logits" : names[i],
                             value_text(arena, network->layers[layer].name));
    }
    return network->ctx->error.status;
}

/* describe_needed: the network's description with the needed layers and the chosen outputs alone. */
static struct value *describe_needed(const struct network *network, struct arena *arena, bool *needed,
                                     struct value *outputs)
{
    struct value *description = network_description(arena, network), *layers = value_list(arena);
    network_needs(network, needed);
    const struct value *all = value_get(description, "layers");
    for (size_t i = 0; all && i < all->count; i++)
        if (needed[i])
            layers = value_append(arena, layers, all->items[i]);
    return value_set(arena, value_set(arena, description, "layers", layers), "outputs", outputs);
}

static void parameters_take(struct parameters *to, const struct parameters *from)
{
    for (int i = 0; i < to->count; i++) {
        int source = parameters_find(from, to->entries[i].name);
        memcpy(parameters_value(to, i), parameters_value(from, source),
               (size_t)to->entries[i].elements * element_size(to->element));
    }
    parameters_touch(to);
}

enum status network_extract(const struct network *network, int count, const char *const *outputs,
                            struct network **extracted)
{
    enum status status = STATUS_OK;
    struct context *ctx = network->ctx;
    const struct parameters *own = network->parameters;
    struct value *chosen;
    *extracted = NULL;
    if (count < 1)
        return fail(ctx, STATUS_BAD_INPUT, "network %s: expected at least one output to extract, found none",
                    network->name);
    struct arena *arena = arena_new(ctx);
    bool *needed = arena ? arena_take(arena, (size_t)network->n_layers, sizeof(*needed)) : NULL;
    TRY(needed ? STATUS_OK : ctx->error.status);
    TRY(outputs_choose(network, arena, count, outputs, needed, &chosen));
    const struct value *description = describe_needed(network, arena, needed, chosen);
    TRY(description ? STATUS_OK : ctx->error.status);
    TRY(network_rebuild(ctx, description, network->name, own->element, own->seed, extracted));
    parameters_take((*extracted)->parameters, own);
cleanup:
    arena_free(arena);
    return status;
}
