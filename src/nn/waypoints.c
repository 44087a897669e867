/* waypoints.c: see waypoints.h. */
#include "nn/waypoints.h"

#include "nn/activation.h"

#include <string.h>

/* A map of one position is a vector that a convolution made. */
static bool is_map(const struct layer *layer)
{
    return layer->output.rank == 4 && layer->output.dim[1] * layer->output.dim[2] > 1;
}

static bool same_size(const struct layer *a, const struct layer *b)
{
    return is_map(a) && is_map(b) && a->output.dim[1] == b->output.dim[1] && a->output.dim[2] == b->output.dim[2];
}

/* passed_mark: layers stand in an order in which they can be evaluated, so a path goes round a layer exactly where a needed layer
 * behind it reads one in front of it. */
static void passed_mark(struct waypoints *w)
{
    const struct network *network = w->network;
    int lowest = network->logits; /* that the needed layers behind layer i read */
    for (int i = network->logits; i >= 0; i--) {
        w->passed[i] = w->needed[i] && lowest >= i;
        for (int j = 0; w->needed[i] && j < network->layers[i].n_inputs; j++)
            lowest = network->layers[i].inputs[j] < lowest ? network->layers[i].inputs[j] : lowest;
    }
}

enum status waypoints_find(const struct network *network, struct arena *arena, struct waypoints *waypoints)
{
    const size_t n = (size_t)network->n_layers;
    *waypoints = (struct waypoints){.network = network, .last_map = -1};
    waypoints->needed = arena_take(arena, n, sizeof *waypoints->needed);
    waypoints->passed = arena_take(arena, n, sizeof *waypoints->passed);
    if (!waypoints->needed || !waypoints->passed)
        return network->ctx->error.status;
    RETURN_IF(network_between(network->ctx, network, BUILDER_INPUT, network->logits, NULL, waypoints->needed));
    passed_mark(waypoints);
    for (int i = 0; i < network->n_layers; i++)
        if (waypoints->needed[i] && is_map(&network->layers[i]) && network->layers[i].parameters > 0)
            waypoints->last_map = i;
    return STATUS_OK;
}

bool waypoints_ends_stage(const struct waypoints *w, int layer)
{
    const struct layer *layers = w->network->layers, *own = &layers[layer];
    if (!w->passed[layer] || layer >= w->last_map || !is_map(own) || same_size(own, &layers[w->last_map]))
        return false;
    bool learns = false;
    for (int i = 0; i <= layer; i++)
        learns = learns || (w->needed[i] && layers[i].parameters > 0 && same_size(own, &layers[i]));
    for (int i = layer + 1; i < w->last_map; i++)
        if (w->passed[i] && same_size(own, &layers[i]))
            return false;
    return learns;
}

int waypoints_behind(const struct waypoints *w, int layer)
{
    const struct layer *layers = w->network->layers;
    while (layer + 1 < w->last_map && w->passed[layer + 1] && layers[layer + 1].parameters == 0 &&
           is_map(&layers[layer + 1]))
        layer++;
    return layer;
}

bool waypoints_staged(const struct waypoints *w)
{
    for (int i = 0; i < w->last_map; i++)
        if (waypoints_ends_stage(w, i))
            return true;
    return false;
}

bool waypoints_activates(const struct waypoints *w, int layer)
{
    const struct layer *own = &w->network->layers[layer];
    if (!w->passed[layer] || (w->last_map >= 0 ? !is_map(own) : own->output.rank != 2))
        return false;
    for (int choice = 0; choice < CHOICE_none; choice++)
        if (strcmp(own->type->name, activation_names[choice]) == 0)
            return true;
    return false;
}

bool waypoints_learns(const struct waypoints *w, int from, int to)
{
    for (int i = from + 1; i <= to; i++)
        if (w->needed[i] && w->network->layers[i].parameters > 0)
            return true;
    return false;
}
