/* exits.c: see exits.h. */
#include "nn/exits.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_PREFIX "exit"

/* macs_with: of the marked layers [n_layers], `layer` now among them, and of all that they need, which are marked as well. */
static int64_t macs_with(const struct network *network, int layer, bool *marks)
{
    int64_t macs = 0;
    marks[layer] = true;
    network_needs(network, marks);
    for (int i = 0; i < network->n_layers; i++)
        macs += marks[i] ? network->layers[i].macs : 0;
    return macs;
}

static int64_t own_macs(const struct network *network, int layer, bool *marks)
{
    memset(marks, 0, (size_t)network->n_layers * sizeof *marks);
    return macs_with(network, layer, marks);
}

static bool is_exit(const struct network *network, const struct network_output *output)
{
    const struct shape *shape = &network->layers[output->layer].output;
    return strncmp(output->name, EXIT_PREFIX, strlen(EXIT_PREFIX)) == 0 && shape->rank == 2 &&
           shape->dim[1] == network->input.classes;
}

struct place { /* an exit before its place in the order is known */
    const struct network_output *output;
    int64_t macs; /* of what it alone needs */
};

static int places_compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->macs != y->macs)
        return x->macs < y->macs ? -1 : 1;
    return x->output < y->output ? -1 : x->output > y->output;
}

enum status network_exits_find(const struct network *network, struct arena *arena, struct network_exits *out)
{
    const size_t most = (size_t)network->n_outputs + 1;
    struct place *places = arena_take(arena, most, sizeof *places);
    struct network_exit *items = arena_take(arena, most, sizeof *items);
    int *layers = arena_take(arena, most, sizeof *layers);
    bool *marks = arena_take(arena, (size_t)network->n_layers, sizeof *marks);
    const struct network_output logits = {"logits", network->logits};
    int count = 0;
    if (!places || !items || !layers || !marks)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < network->n_outputs; i++)
        if (is_exit(network, &network->outputs[i]))
            places[count++] = (struct place){&network->outputs[i], own_macs(network, network->outputs[i].layer, marks)};
    qsort(places, (size_t)count, sizeof *places, places_compare);
    places[count++] = (struct place){&logits, own_macs(network, network->logits, marks)};
    *out = (struct network_exits){count, items, layers, places[count - 1].macs};
    memset(marks, 0, (size_t)network->n_layers * sizeof *marks);
    for (int i = 0; i < count; i++) {
        items[i] = (struct network_exit){arena_text(arena, places[i].output->name),
                                         macs_with(network, places[i].output->layer, marks)};
        layers[i] = places[i].output->layer;
        if (!items[i].name)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}
