/* instance.c: a network in a graph. */
#include "nn/builder.h"

#include <string.h>

/* Images as every layer but standardise sees them: bytes become [0,1], made once. */
static struct node *real_images(struct graph *graph, struct node *images, struct node **made)
{
    const double zero = 0, one = 1;
    if (images->spec.element != ELEMENT_U8)
        return images;
    if (!*made)
        *made = graph_standardise(graph, images, 1, &zero, &one);
    return *made;
}

static enum status check_images(struct graph *graph, const struct network *network, const struct node *images)
{
    if (!images)
        return graph->ctx->error.status != STATUS_OK
                   ? graph->ctx->error.status
                   : fail(graph->ctx, STATUS_BAD_INPUT, "network %s was instantiated without images", network->name);
    const struct network_input *input = &network->input;
    const struct shape *shape = &images->spec.shape;
    enum element element = images->spec.element;
    char found[SHAPE_TEXT_SIZE];
    bool fits = shape->rank == 4 && shape->dim[1] == input->height && shape->dim[2] == input->width &&
                shape->dim[3] == input->channels;
    if (!fits)
        return fail(graph->ctx, STATUS_BAD_SHAPE, "network %s: expected images [B,%d,%d,%d], found %s", network->name,
                    input->height, input->width, input->channels, shape_text(shape, found));
    if (element != ELEMENT_U8 && element != ELEMENT_REAL)
        return fail(graph->ctx, STATUS_BAD_INPUT, "network %s: expected images of bytes or real numbers, found %s",
                    network->name, element_text(element));
    return STATUS_OK;
}

/* layers_build: the layers that are marked (all, without marks) and not there yet. */
static enum status layers_build(struct graph *graph, const struct network *network, struct node *images,
                                const bool *marks, struct instance_mode mode, struct node **nodes)
{
    struct node *converted = NULL;
    for (int i = 0; i < network->n_layers; i++) {
        const struct layer *layer = &network->layers[i];
        bool takes_bytes = strcmp(layer->type->name, "standardise") == 0;
        struct node *inputs[OP_MAX_INPUTS];
        if (marks && !marks[i])
            continue;
        for (int j = 0; j < layer->n_inputs; j++) {
            int from = layer->inputs[j];
            if (from == BUILDER_INPUT)
                inputs[j] = takes_bytes ? images : real_images(graph, images, &converted);
            else
                inputs[j] = nodes[from];
            if (!inputs[j])
                return graph->ctx->error.status;
        }
        nodes[i] = layer_build(graph, network, layer, inputs, mode);
        if (!nodes[i])
            return graph->ctx->error.status;
    }
    return STATUS_OK;
}

static struct instance instance_of(const struct network *network, struct node *images, struct node **nodes)
{
    return (struct instance){.network = network, .input = images, .layers = nodes, .logits = nodes[network->logits]};
}

enum status network_instantiate(struct graph *graph, const struct network *network, struct node *images,
                                struct instance_mode mode, struct instance *instance)
{
    RETURN_IF(check_images(graph, network, images));
    struct node **nodes = arena_take(graph->arena, (size_t)network->n_layers, sizeof(struct node *));
    if (!nodes)
        return graph->ctx->error.status;
    RETURN_IF(layers_build(graph, network, images, NULL, mode, nodes));
    *instance = instance_of(network, images, nodes);
    return STATUS_OK;
}

/* given_check: the values are those of a layer of that shape. */
static enum status given_check(struct graph *graph, const struct network *network, const struct instance_block *block)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (!block->given)
        return graph->ctx->error.status;
    const struct layer *layer = &network->layers[block->from];
    if (shape_equal(&block->given->spec.shape, &layer->output))
        return STATUS_OK;
    return fail(graph->ctx, STATUS_BAD_SHAPE, "network %s: expected values of layer %s %s, found %s", network->name,
                layer->name, shape_text(&layer->output, expected), shape_text(&block->given->spec.shape, found));
}

enum status network_instantiate_block(struct graph *graph, const struct network *network, struct node *images,
                                      const struct instance_block *block, struct instance_mode mode,
                                      struct instance *instance)
{
    struct context *ctx = graph->ctx;
    RETURN_IF(check_images(graph, network, images));
    struct node **nodes = arena_take(graph->arena, (size_t)network->n_layers, sizeof(struct node *));
    bool *marks = arena_take(graph->arena, (size_t)network->n_layers, sizeof *marks);
    if (!nodes || !marks)
        return ctx->error.status;
    RETURN_IF(network_between(ctx, network, block->from, block->to, NULL, marks));
    if (block->from >= 0) {
        RETURN_IF(given_check(graph, network, block));
        nodes[block->from] = block->given;
    }
    RETURN_IF(layers_build(graph, network, images, marks, mode, nodes));
    *instance = instance_of(network, images, nodes);
    return ctx->error.status;
}
