/* outputs.c: a network's named outputs: {logits: LAYER, exit1: LAYER …}; without them the last layer gives the logits. */
#include "nn/builder.h"

#include <string.h>

static enum status check_logits(const struct builder *builder, const struct value *at)
{
    struct network *network = builder->network;
    const struct layer *layer = &network->layers[network->logits];
    char text[SHAPE_TEXT_SIZE];
    if (layer->output.rank != 2 || layer->output.dim[1] != network->input.classes)
        return value_fail(builder->ctx, at, STATUS_BAD_SHAPE,
                          "network %s: its %s, %s, gives %s, expected [B,%d]: a logit for each class", network->name,
                          builder->outputs ? "output logits" : "last layer", layer->name,
                          shape_text(&layer->output, text), network->input.classes);
    return STATUS_OK;
}

static enum status read_output(const struct builder *builder, const struct value_entry *entry,
                               struct network_output *output)
{
    struct network *network = builder->network;
    char found[VALUE_FOUND_SIZE];
    if (!layer_name_legal(entry->key))
        return value_fail(builder->ctx, entry->value, STATUS_BAD_INPUT,
                          "an output's name consists of letters, digits, _ and -, and is not \"input\"; found \"%s\"",
                          entry->key);
    if (entry->value->kind != VALUE_TEXT)
        return value_fail(builder->ctx, entry->value, STATUS_BAD_INPUT, "output %s: expected a layer's name, found %s",
                          entry->key, value_found(entry->value, found));
    *output = (struct network_output){arena_text(network->arena, entry->key),
                                      network_layer(network, entry->value->text, entry->value)};
    return output->name && output->layer >= 0 ? STATUS_OK : builder->ctx->error.status;
}

enum status builder_outputs(const struct builder *builder)
{
    struct network *network = builder->network;
    struct context *ctx = builder->ctx;
    const struct value *given = builder->outputs;
    char found[VALUE_FOUND_SIZE];
    if (network->n_layers == 0)
        return value_fail(ctx, builder->at, STATUS_BAD_INPUT, "network %s has no layers", network->name);
    if (given && (given->kind != VALUE_MAP || given->count == 0))
        return value_fail(ctx, given, STATUS_BAD_INPUT, "outputs: expected {logits: LAYER, …}, found %s",
                          given->kind == VALUE_MAP ? "an empty map" : value_found(given, found));
    size_t count = given ? given->count : 1;
    network->outputs = arena_take(network->arena, count, sizeof(*network->outputs));
    if (!network->outputs)
        return ctx->error.status;
    network->n_outputs = (int)count;
    network->outputs[0] = (struct network_output){"logits", network->n_layers - 1};
    for (size_t i = 0; given && i < count; i++)
        RETURN_IF(read_output(builder, &given->entries[i], &network->outputs[i]));
    network->logits = network_output(network, "logits");
    if (network->logits < 0)
        return value_fail(ctx, given, STATUS_BAD_INPUT, "outputs: expected one named logits, found only %s",
                          network->outputs[0].name);
    return check_logits(builder, given ? given : builder->at);
}

int network_output(const struct network *network, const char *name)
{
    for (int i = 0; i < network->n_outputs; i++)
        if (strcmp(network->outputs[i].name, name) == 0)
            return network->outputs[i].layer;
    return -1;
}

struct value *network_outputs_value(struct arena *arena, const struct network *network)
{
    struct value *map = value_map(arena);
    for (int i = 0; i < network->n_outputs; i++)
        map = value_set(arena, map, network->outputs[i].name,
                        value_text(arena, network->layers[network->outputs[i].layer].name));
    return map;
}
