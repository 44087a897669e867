/* description.c: a network as a value, and back: what a model file's metadata holds. */
#include "nn/builder.h"

static struct value *describe_inputs(struct arena *arena, const struct network *network, const struct layer *layer)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < layer->n_inputs; i++) {
        int from = layer->inputs[i];
        list =
            value_append(arena, list, value_text(arena, from == BUILDER_INPUT ? "input" : network->layers[from].name));
    }
    return list;
}

struct value *network_description(struct arena *arena, const struct network *network)
{
    struct value *layers = value_list(arena);
    for (int i = 0; i < network->n_layers; i++) {
        const struct layer *layer = &network->layers[i];
        struct value *options =
            options_value(arena, (struct option_set){layer->type->options, layer->type->n_options}, layer->options);
        struct value *item = value_set(arena, value_map(arena), layer->type->name, options);
        item = value_set(arena, item, "name", value_text(arena, layer->name));
        item = value_set(arena, item, "inputs", describe_inputs(arena, network, layer));
        layers = value_append(arena, layers, item);
    }
    struct value *shape = value_list(arena);
    const int sizes[] = {network->input.channels, network->input.height, network->input.width};
    for (int i = 0; i < 3; i++)
        shape = value_append(arena, shape, value_integer(arena, sizes[i]));
    struct value *input = value_set(arena, value_map(arena), "shape", shape);
    input = value_set(arena, input, "classes", value_integer(arena, network->input.classes));
    struct value *description = value_set(arena, value_map(arena), "layers", layers);
    description = value_set(arena, description, "input", input);
    return value_set(arena, description, "outputs", network_outputs_value(arena, network));
}

struct rebuild_options {
    const struct value *layers, *input, *outputs;
};

static const struct option_spec rebuild_specs[] = {
    {.name = "layers",
     .offset = offsetof(struct rebuild_options, layers),
     .type = OPTION_VALUE,
     .flags = OPTION_REQUIRED,
     .help = "every layer with all its options"},
    {.name = "input",
     .offset = offsetof(struct rebuild_options, input),
     .type = OPTION_VALUE,
     .flags = OPTION_REQUIRED,
     .help = "shape and classes"},
    {.name = "outputs",
     .offset = offsetof(struct rebuild_options, outputs),
     .type = OPTION_VALUE,
     .help = "which layers leave the network; default: the last one as logits"},
};

struct shape_options {
    struct option_integers shape;
    int64_t classes;
};

static const struct option_spec shape_specs[] = {
    {.name = "shape",
     .offset = offsetof(struct shape_options, shape),
     .type = OPTION_INTEGERS,
     .min = 1,
     .max = INT32_MAX,
     .flags = OPTION_REQUIRED,
     .help = "[channels, height, width]"},
    {.name = "classes",
     .offset = offsetof(struct shape_options, classes),
     .type = OPTION_INTEGER,
     .min = 1,
     .max = INT32_MAX,
     .flags = OPTION_REQUIRED,
     .help = "length of the logits"},
};

static enum status read_input(struct context *ctx, struct arena *arena, const struct value *value,
                              struct network_input *input)
{
    struct shape_options options;
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(shape_specs), value, "a network's input", &options));
    if (options.shape.count != 3)
        return value_fail(ctx, value, STATUS_BAD_INPUT,
                          "a network's input: expected shape [channels, height, width], found %zu numbers",
                          options.shape.count);
    const int64_t *shape = options.shape.values;
    *input = (struct network_input){(int)shape[0], (int)shape[1], (int)shape[2], (int)options.classes, NULL, NULL};
    return STATUS_OK;
}

enum status network_rebuild(struct context *ctx, const struct value *description, const char *name,
                            enum element precision, uint64_t seed, struct network **network)
{
    enum status status = STATUS_OK;
    struct builder builder = {.ctx = ctx};
    struct rebuild_options options;
    struct network_input input;
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    TRY(options_bind(ctx, arena, OPTION_SET(rebuild_specs), description, "a network's description", &options));
    TRY(read_input(ctx, arena, options.input, &input));
    TRY(builder_open(&builder, ctx, name, &input, precision, seed, description));
    builder.outputs = options.outputs;
    int last;
    status = builder_list(&builder, "", options.layers, BUILDER_INPUT, &last);
    status = builder_close(&builder, status, network);
cleanup:
    arena_free(arena);
    return status;
}
