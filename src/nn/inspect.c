/* inspect.c: counts, and the document of `retort inspect --json`. */
#include "nn/builder.h"

int64_t network_count_parameters(const struct network *network)
{
    int64_t count = 0;
    for (int i = 0; i < network->n_layers; i++)
        count += network->layers[i].parameters;
    return count;
}

int64_t network_count_macs(const struct network *network)
{
    int64_t count = 0;
    for (int i = 0; i < network->n_layers; i++)
        count += network->layers[i].macs;
    return count;
}

/* A map [B,H,W,C] inside is [C,H,W] outside; [B,D] is [D], tokens [B,T,C] are [T,C]. */
static struct value *outer_shape(struct arena *arena, const struct shape *shape)
{
    struct value *list = value_list(arena);
    if (shape->rank == 4)
        list = value_append(arena, list, value_integer(arena, shape->dim[shape->rank - 1]));
    int end = shape->rank == 4 ? shape->rank - 1 : shape->rank;
    for (int i = 1; i < end; i++)
        list = value_append(arena, list, value_integer(arena, shape->dim[i]));
    return list;
}

static struct value *inspect_tensors(struct arena *arena, const struct network *network, const struct layer *layer)
{
    struct value *tensors = value_map(arena);
    for (int i = 0; i < network->parameters->count; i++) {
        const char *name = network->parameters->entries[i].name, *tensor = layer_tensor(layer->name, name);
        if (tensor)
            tensors = value_set(arena, tensors, tensor, value_text(arena, name));
    }
    return tensors;
}

static struct value *inspect_layer(struct arena *arena, const struct network *network, const struct layer *layer)
{
    const struct layer_type *type = layer->type;
    struct shape input = SHAPE(SHAPE_BATCH, network->input.height, network->input.width, network->input.channels);
    struct shape shapes[OP_MAX_INPUTS];
    struct value *inputs = value_list(arena);
    for (int i = 0; i < layer->n_inputs; i++) {
        int from = layer->inputs[i];
        shapes[i] = from == BUILDER_INPUT ? input : network->layers[from].output;
        inputs = value_append(arena, inputs,
                              value_text(arena, from == BUILDER_INPUT ? "input" : network->layers[from].name));
    }
    struct value *options = options_value(arena, (struct option_set){type->options, type->n_options}, layer->options);
    if (options && type->resolved)
        type->resolved(arena, options, shapes, layer->options);

    struct value *map = value_set(arena, value_map(arena), "name", value_text(arena, layer->name));
    map = value_set(arena, map, "type", value_text(arena, type->name));
    map = value_set(arena, map, "inputs", inputs);
    map = value_set(arena, map, "output", outer_shape(arena, &layer->output));
    map = value_set(arena, map, "options", options);
    map = value_set(arena, map, "parameters", value_integer(arena, layer->parameters));
    map = value_set(arena, map, "macs", value_integer(arena, layer->macs));
    map = value_set(arena, map, "tensors", inspect_tensors(arena, network, layer));
    return value_set(arena, map, "tap", value_boolean(arena, true));
}

struct value *network_inspect(struct arena *arena, const struct network *network)
{
    int64_t parameters = network_count_parameters(network);
    struct shape input = SHAPE(SHAPE_BATCH, network->input.height, network->input.width, network->input.channels);
    struct value *layers = value_list(arena);
    for (int i = 0; i < network->n_layers; i++)
        layers = value_append(arena, layers, inspect_layer(arena, network, &network->layers[i]));
    /* The learnable values alone: four bytes each, or one. */
    struct value *bytes = value_set(arena, value_map(arena), "float32", value_integer(arena, 4 * parameters));
    bytes = value_set(arena, bytes, "int8", value_integer(arena, parameters));

    struct value *map = value_set(arena, value_map(arena), "input", outer_shape(arena, &input));
    map = value_set(arena, map, "parameters", value_integer(arena, parameters));
    map = value_set(arena, map, "macs", value_integer(arena, network_count_macs(network)));
    map = value_set(arena, map, "bytes", bytes);
    map = value_set(arena, map, "layers", layers);
    return value_set(arena, map, "outputs", network_outputs_value(arena, network));
}
