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

enum status network_instantiate(struct graph *graph, const struct network *network, struct node *images,
                                struct instance_mode mode, struct instance *instance)
{
    struct context *ctx = graph->ctx;
    if (!images)
        return ctx->error.status != STATUS_OK
                   ? ctx->error.status
                   : fail(ctx, STATUS_BAD_INPUT, "network %s was instantiated without images", network->name);
    RETURN_IF(check_images(graph, network, images));
    struct node **nodes = arena_take(graph->arena, (size_t)network->n_layers, sizeof(struct node *));
    if (!nodes)
        return ctx->error.status;
    struct node *converted = NULL;
    for (int i = 0; i < network->n_layers; i++) {
        const struct layer *layer = &network->layers[i];
        bool takes_bytes = strcmp(layer->type->name, "standardise") == 0;
        struct node *inputs[OP_MAX_INPUTS];
        for (int j = 0; j < layer->n_inputs; j++) {
            int from = layer->inputs[j];
            if (from == BUILDER_INPUT)
                inputs[j] = takes_bytes ? images : real_images(graph, images, &converted);
            else
                inputs[j] = nodes[from];
            if (!inputs[j])
                return ctx->error.status;
        }
        nodes[i] = layer_build(graph, network, layer, inputs, mode);
        if (!nodes[i])
            return ctx->error.status;
    }
    *instance =
        (struct instance){.network = network, .input = images, .layers = nodes, .logits = nodes[network->logits]};
    return STATUS_OK;
}
