/* network.c: from a recipe's `network:` to a network. */
#include "nn/builder.h"

#include <string.h>

enum { STANDARDISE_AUTO, STANDARDISE_NONE };
static const char *const standardise_choices[] = {"auto", "none", NULL};

struct input_options {
    int standardise;
    struct option_pair resize;
    int64_t channels;
};

static const struct option_spec input_specs[] = {
    {.name = "standardise",
     .offset = offsetof(struct input_options, standardise),
     .type = OPTION_CHOICE,
     .initial = "auto",
     .choices = standardise_choices,
     .help = "auto: a layer first that takes the training split's mean and deviation out"},
    {.name = "resize",
     .offset = offsetof(struct input_options, resize),
     .type = OPTION_PAIR,
     .initial = "0",
     .min = 0,
     .max = 65535,
     .help =
         "layers first that make the images of this height and width: means of areas where both become smaller, else "
         "bilinear; 0: as they are"},
    {.name = "channels",
     .offset = offsetof(struct input_options, channels),
     .type = OPTION_INTEGER,
     .initial = "0",
     .min = 0,
     .max = 1024,
     .help = "grey images seen as so many equal channels; 0: as they are"},
};

struct layers_options {
    const struct value *layers, *input, *outputs;
};

static const struct option_spec layers_specs[] = {
    {.name = "layers",
     .offset = offsetof(struct layers_options, layers),
     .type = OPTION_VALUE,
     .flags = OPTION_REQUIRED,
     .help = "list of layers"},
    {.name = "input",
     .offset = offsetof(struct layers_options, input),
     .type = OPTION_VALUE,
     .help = "what the network sees"},
    {.name = "outputs",
     .offset = offsetof(struct layers_options, outputs),
     .type = OPTION_VALUE,
     .help = "the layers that leave the network; default: the last one as logits"},
};

static const struct zoo_entry *find_zoo(struct context *ctx, const struct value *at, const char *name)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < zoo_table_count; i++) {
        if (strcmp(zoo_table[i]->name, name) == 0)
            return zoo_table[i];
        if (count < sizeof(names) / sizeof(names[0]))
            names[count++] = zoo_table[i]->name;
    }
    const char *nearest = nearest_name(name, names, count);
    value_fail(ctx, at, STATUS_BAD_INPUT, "no network \"%s\"%s%s%s", name,
               nearest ? "; nearest: \"" : "; `retort list networks` shows all, or give `layers:`",
               nearest ? nearest : "", nearest ? "\"" : "");
    return NULL;
}

/* What may stand beside a zoo entry's options. */
static const char *const zoo_beside[] = {"name", "input", "outputs"};

static enum status zoo_layers(struct context *ctx, struct arena *arena, const struct value *description,
                              const struct value *name, const struct network_input *input, struct value **layers)
{
    char found[VALUE_FOUND_SIZE];
    if (name->kind != VALUE_TEXT)
        return value_fail(ctx, name, STATUS_BAD_INPUT, "expected a network's name, found %s", value_found(name, found));
    const struct zoo_entry *entry = find_zoo(ctx, name, name->text);
    if (!entry)
        return ctx->error.status;
    struct value *map = value_without(arena, description->kind == VALUE_MAP ? description : NULL, zoo_beside, 3);
    void *options = arena_take(arena, 1, entry->options_size);
    char *what = arena_format(arena, "network %s", entry->name);
    if (!map || !options || !what)
        return ctx->error.status;
    RETURN_IF(options_bind(ctx, arena, (struct option_set){entry->options, entry->n_options}, map, what, options));
    *layers = entry->layers(ctx, arena, input, options);
    return *layers && ctx->error.status == STATUS_OK ? STATUS_OK : builder_locate(ctx, description);
}

/* first_add: a layer before those of the description, behind the ones that were added already. */
static enum status first_add(struct builder *builder, const char *type, struct value *options)
{
    struct arena *arena = builder->network->arena;
    struct value *list = value_append(arena, value_list(arena), value_set(arena, value_map(arena), type, options));
    return list ? builder_list(builder, "", list, builder->first, &builder->first) : builder->ctx->error.status;
}

/* The layer that `standardise: auto` puts first. A channel that never changes has deviation 0: it is only centred. */
static enum status standardise_add(struct builder *builder, const struct network_input *input)
{
    struct arena *arena = builder->network->arena;
    struct value *mean = value_list(arena), *deviation = value_list(arena);
    for (int i = 0; i < input->channels; i++) {
        mean = value_append(arena, mean, value_real(arena, input->mean[i]));
        deviation =
            value_append(arena, deviation, value_real(arena, input->deviation[i] > 0 ? input->deviation[i] : 1));
    }
    return first_add(builder, "standardise",
                     value_set(arena, value_set(arena, value_map(arena), "mean", mean), "deviation", deviation));
}

static enum status resize_add(struct builder *builder, const struct network_input *input, int64_t height, int64_t width)
{
    struct arena *arena = builder->network->arena;
    struct value *size = value_append(arena, value_list(arena), value_integer(arena, height));
    size = value_append(arena, size, value_integer(arena, width));
    struct value *options = value_set(arena, value_map(arena), "size", size);
    if (height <= input->height && width <= input->width)
        return first_add(builder, "adaptive_average_pool", options);
    return first_add(builder, "resize", value_set(arena, options, "mode", value_text(arena, "bilinear")));
}

/* channels_add: the last layer, or the input, so many times. */
static enum status channels_add(struct builder *builder, int64_t count)
{
    struct arena *arena = builder->network->arena;
    const char *from = builder->first < 0 ? "input" : builder->network->layers[builder->first].name;
    struct value *inputs = value_list(arena);
    for (int64_t i = 0; i < count; i++)
        inputs = value_append(arena, inputs, value_text(arena, from));
    struct value *layer = value_set(arena, value_map(arena), "concat", value_map(arena));
    struct value *list = value_append(arena, value_list(arena), value_set(arena, layer, "inputs", inputs));
    return list ? builder_list(builder, "", list, builder->first, &builder->first) : builder->ctx->error.status;
}

/* view_add: the layers of `input:`, through which the network sees the data; *seen: what the layers behind them see. */
static enum status view_add(struct builder *builder, const struct value *at, const struct input_options *o,
                            struct network_input *seen)
{
    if (o->standardise == STANDARDISE_AUTO && seen->mean && seen->deviation)
        RETURN_IF(standardise_add(builder, seen));
    const bool resized = o->resize.height > 0 && o->resize.width > 0;
    if (resized && (o->resize.height != seen->height || o->resize.width != seen->width)) {
        RETURN_IF(resize_add(builder, seen, o->resize.height, o->resize.width));
        seen->height = (int)o->resize.height;
        seen->width = (int)o->resize.width;
    }
    if (o->channels == 0 || o->channels == seen->channels)
        return STATUS_OK;
    if (seen->channels != 1)
        return value_fail(builder->ctx, value_get(at, "channels"), STATUS_BAD_INPUT,
                          "channels: expected the data's %d, found %lld; only grey images can be seen as more",
                          seen->channels, (long long)o->channels);
    seen->channels = (int)o->channels;
    return channels_add(builder, o->channels);
}

enum status network_build(struct context *ctx, const struct value *description, const char *name,
                          const struct network_input *input, enum element precision, uint64_t seed,
                          struct network **network)
{
    enum status status = STATUS_OK;
    struct builder builder;
    char found[VALUE_FOUND_SIZE];
    RETURN_IF(builder_open(&builder, ctx, name, input, precision, seed, description));

    const struct value *zoo = NULL, *input_value = NULL, *layers = NULL;
    struct arena *arena = builder.network->arena;
    struct network_input seen = *input;
    struct input_options input_options;
    if (description && description->kind == VALUE_TEXT)
        zoo = description;
    else if (description && description->kind == VALUE_MAP)
        zoo = value_get(description, "name");
    else
        TRY(value_fail(ctx, description, STATUS_BAD_INPUT,
                       "network %s: expected {name: NETWORK, …} or {layers: […]}, found %s", name,
                       value_found(description, found)));
    if (zoo) {
        const struct value *beside = description->kind == VALUE_MAP ? description : NULL;
        input_value = value_get(beside, "input");
        builder.outputs = value_get(beside, "outputs");
    } else {
        struct layers_options options;
        TRY(options_bind(ctx, arena, OPTION_SET(layers_specs), description, "a network without a name", &options));
        layers = options.layers;
        input_value = options.input;
        builder.outputs = options.outputs;
    }
    TRY(options_bind(ctx, arena, OPTION_SET(input_specs), input_value, "a network's input", &input_options));
    TRY(view_add(&builder, input_value, &input_options, &seen));
    if (zoo) {
        struct value *made = NULL;
        TRY(zoo_layers(ctx, arena, description, zoo, &seen, &made));
        layers = made;
    }
    int last;
    TRY(builder_list(&builder, "", layers, builder.first, &last));
cleanup:
    return builder_close(&builder, status, network);
}

void network_free(struct network *network)
{
    if (!network)
        return;
    struct context *ctx = network->ctx;
    parameters_free(network->parameters);
    memory_free(ctx, network->layers);
    arena_free(network->arena);
    memory_free(ctx, network);
}

const char *layer_tensor(const char *layer, const char *tensor)
{
    const size_t length = strlen(layer);
    if (strncmp(tensor, layer, length) != 0 || tensor[length] != '.' || strchr(tensor + length + 1, '.'))
        return NULL;
    return tensor + length + 1;
}

int network_layer(const struct network *network, const char *name, const struct value *at)
{
    for (int i = 0; i < network->n_layers; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return i;
    const char **names = memory_new(network->ctx, (size_t)network->n_layers, sizeof(*names));
    if (!names)
        return -1;
    for (int i = 0; i < network->n_layers; i++)
        names[i] = network->layers[i].name;
    const char *nearest = nearest_name(name, names, (size_t)network->n_layers);
    value_fail(network->ctx, at, STATUS_BAD_INPUT, "network %s has no layer \"%s\"%s%s%s", network->name, name,
               nearest ? "; nearest: \"" : "; `retort inspect` shows its layers", nearest ? nearest : "",
               nearest ? "\"" : "");
    memory_free(network->ctx, names);
    return -1;
}
