/* builder.c: adding layers to a network under construction. Reading a recipe's list is in list.c. */
#include "nn/builder.h"

#include <inttypes.h>
#include <string.h>

static const struct instance_mode scratch_mode = {.training = true, .frozen = false};

enum status builder_open(struct builder *builder, struct context *ctx, const char *name,
                         const struct network_input *input, enum element precision, uint64_t seed,
                         const struct value *at)
{
    enum status status = STATUS_OK;
    *builder = (struct builder){.ctx = ctx, .first = BUILDER_INPUT, .at = at};
    int64_t dim[] = {input->channels, input->height, input->width, input->classes};
    for (int i = 0; i < 4; i++)
        if (dim[i] < 1)
            return value_fail(ctx, at, STATUS_BAD_SHAPE,
                              "network %s: expected channels, height, width and classes of at least 1, found %" PRId64
                              "x%" PRId64 "x%" PRId64 " and %" PRId64,
                              name, dim[0], dim[1], dim[2], dim[3]);

    struct network *network = memory_new(ctx, 1, sizeof(*network));
    if (!network)
        return ctx->error.status;
    builder->network = network;
    network->ctx = ctx;
    network->logits = -1;
    network->arena = arena_new(ctx);
    TRY(network->arena ? STATUS_OK : ctx->error.status);
    network->name = arena_text(network->arena, name);
    network->parameters = parameters_new(ctx, precision, seed);
    network->input = *input;
    size_t bytes = (size_t)input->channels * sizeof(double);
    if (input->mean)
        network->input.mean = arena_copy(network->arena, input->mean, bytes);
    if (input->deviation)
        network->input.deviation = arena_copy(network->arena, input->deviation, bytes);
    builder->graph = graph_new(ctx);
    if (builder->graph)
        builder->input = graph_input(builder->graph, "images", ELEMENT_REAL,
                                     SHAPE(SHAPE_BATCH, input->height, input->width, input->channels));
    TRY(ctx->error.status);
cleanup:
    if (status != STATUS_OK)
        builder_close(builder, status, NULL);
    return status;
}

enum status builder_close(struct builder *builder, enum status status, struct network **network)
{
    if (status == STATUS_OK)
        status = builder_outputs(builder);
    memory_free(builder->ctx, builder->nodes);
    graph_free(builder->graph);
    if (status == STATUS_OK)
        *network = builder->network;
    else
        network_free(builder->network);
    *builder = (struct builder){.ctx = builder->ctx};
    return status;
}

const struct shape *builder_shape(const struct builder *builder, int layer)
{
    return layer == BUILDER_INPUT ? &builder->input->spec.shape : &builder->network->layers[layer].output;
}

static enum status reserve(struct builder *builder)
{
    struct network *network = builder->network;
    if (network->n_layers < builder->capacity)
        return STATUS_OK;
    size_t old_count = (size_t)builder->capacity, new_count = old_count ? 2 * old_count : 32;
    struct layer *layers = memory_grow(builder->ctx, network->layers, old_count, new_count, sizeof(*layers));
    if (!layers)
        return builder->ctx->error.status;
    network->layers = layers;
    struct node **nodes = memory_grow(builder->ctx, builder->nodes, old_count, new_count, sizeof(struct node *));
    if (!nodes)
        return builder->ctx->error.status;
    builder->nodes = nodes;
    builder->capacity = (int)new_count;
    return STATUS_OK;
}

enum status builder_locate(struct context *ctx, const struct value *at)
{
    struct error error = ctx->error;
    error_clear(ctx);
    return value_fail(ctx, at, error.status, "%s", error.message);
}

static enum status check_output(struct builder *builder, const struct value *at, const struct layer *layer)
{
    const struct shape *out = &layer->output;
    double elements = 1;
    bool empty = false;
    char text[SHAPE_TEXT_SIZE];
    for (int i = 1; i < out->rank; i++) {
        elements *= (double)out->dim[i];
        empty = empty || out->dim[i] < 1;
    }
    if (empty)
        return value_fail(builder->ctx, at, STATUS_BAD_SHAPE,
                          "%s.%s: its output %s is empty; the map is too small for this layer", builder->network->name,
                          layer->name, shape_text(out, text));
    if (elements > 2147483648.0)
        return value_fail(builder->ctx, at, STATUS_BAD_SHAPE,
                          "%s.%s: its output %s has more than 2^31 elements a sample", builder->network->name,
                          layer->name, shape_text(out, text));
    return STATUS_OK;
}

enum status builder_layer(struct builder *builder, const struct value *at, const struct layer_type *type,
                          const char *name, int n_inputs, const int *inputs, const struct value *options, int *index)
{
    struct network *network = builder->network;
    struct context *ctx = builder->ctx;
    RETURN_IF(reserve(builder));
    at = at && at->line > 0 ? at : builder->at;
    if (n_inputs < type->inputs_min || n_inputs > type->inputs_max)
        return value_fail(ctx, at, STATUS_BAD_INPUT, "layer %s: %s takes %s%d input%s, found %d", name, type->name,
                          n_inputs < type->inputs_min ? "at least " : "at most ",
                          n_inputs < type->inputs_min ? type->inputs_min : type->inputs_max,
                          (n_inputs < type->inputs_min ? type->inputs_min : type->inputs_max) == 1 ? "" : "s",
                          n_inputs);

    struct layer *layer = &network->layers[network->n_layers];
    *layer = (struct layer){.type = type, .n_inputs = n_inputs};
    layer->name = arena_text(network->arena, name);
    layer->inputs = arena_copy(network->arena, inputs, (size_t)n_inputs * sizeof(int));
    void *bound = arena_take(network->arena, 1, type->options_size ? type->options_size : 1);
    char *what = arena_format(network->arena, "layer %s", type->name);
    if (!layer->name || !layer->inputs || !bound || !what)
        return ctx->error.status;
    RETURN_IF(
        options_bind(ctx, network->arena, (struct option_set){type->options, type->n_options}, options, what, bound));
    layer->options = bound;

    struct node *nodes[OP_MAX_INPUTS];
    struct shape shapes[OP_MAX_INPUTS];
    for (int i = 0; i < n_inputs; i++) {
        nodes[i] = inputs[i] == BUILDER_INPUT ? builder->input : builder->nodes[inputs[i]];
        shapes[i] = nodes[i]->spec.shape;
    }
    int entries_before = network->parameters->count, nodes_before = builder->graph->n_nodes;
    struct node *node = layer_build(builder->graph, network, layer, nodes, scratch_mode);
    if (!node)
        return builder_locate(ctx, at); /* an op knows its layer's name alone */
    layer->output = node->spec.shape;
    RETURN_IF(check_output(builder, at, layer));
    for (int i = entries_before; i < network->parameters->count; i++)
        if (!network->parameters->entries[i].state)
            layer->parameters += network->parameters->entries[i].elements;
    layer->macs = type->macs ? type->macs(shapes, &layer->output, layer->options) : builder_macs(builder, nodes_before);
    builder->nodes[network->n_layers] = node;
    if (index)
        *index = network->n_layers;
    network->n_layers++;
    return STATUS_OK;
}
