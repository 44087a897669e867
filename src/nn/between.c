/* between.c: the layers of a network between two of them, and those that some of them need. */
#include "nn/builder.h"

#include <string.h>

/* needs_fail: layer `index` reads what lies in front of `from`. */
static enum status needs_fail(struct context *ctx, const struct network *network, int from, int index, int input,
                              const struct value *at)
{
    const struct layer *layers = network->layers;
    return value_fail(ctx, at, STATUS_BAD_INPUT,
                      "network %s: expected that the layers behind %s need nothing else in front of them, but %s reads "
                      "%s; name a layer that all paths go through",
                      network->name, layers[from].name, layers[index].name,
                      input == BUILDER_INPUT ? "the images" : layers[input].name);
}

void network_needs(const struct network *network, bool *marks)
{
    for (int i = network->n_layers - 1; i >= 0; i--) /* a layer's inputs lie before it */
        for (int j = 0; marks[i] && j < network->layers[i].n_inputs; j++)
            if (network->layers[i].inputs[j] != BUILDER_INPUT)
                marks[network->layers[i].inputs[j]] = true;
}

enum status network_between(struct context *ctx, const struct network *network, int from, int to,
                            const struct value *at, bool *marks)
{
    memset(marks, 0, (size_t)network->n_layers * sizeof *marks);
    if (to <= from)
        return value_fail(ctx, at, STATUS_BAD_INPUT, "network %s: expected a layer behind %s, found %s", network->name,
                          network->layers[from].name, network->layers[to].name);
    marks[to] = true;
    for (int i = to; i > from; i--) /* a layer's inputs lie before it */
        for (int j = 0; marks[i] && j < network->layers[i].n_inputs; j++) {
            const int input = network->layers[i].inputs[j];
            if (input < from)
                return needs_fail(ctx, network, from, i, input, at);
            if (input > from)
                marks[input] = true;
        }
    return STATUS_OK;
}
