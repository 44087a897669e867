/* pairing.c: see pairing.h. */
#include "knowledge/pairing.h"

#include "nn/activation.h"
#include "nn/layer.h"

#include <string.h>

/* The last maps of a network's resolutions, shallow to deep: the layer, and what stands before its activation. */
struct places {
    int count;
    int last[METHOD_TAPS], before[METHOD_TAPS];
};

static bool is_activation(const struct layer *layer)
{
    for (int i = 0; i < CHOICE_none; i++)
        if (strcmp(layer->type->name, activation_names[i]) == 0)
            return true;
    return false;
}

static bool drops(const struct layer *layer)
{
    return strstr(layer->type->name, "drop") != NULL || strcmp(layer->type->name, "stochastic_depth") == 0;
}

static bool same_size(const struct layer *a, const struct layer *b)
{
    return a->output.rank == 4 && b->output.rank == 4 && a->output.dim[1] == b->output.dim[1] &&
           a->output.dim[2] == b->output.dim[2];
}

/* places_note: layer i is the last so far of the deepest resolution. */
static void places_note(struct places *places, const struct network *network, int i)
{
    const struct layer *layer = &network->layers[i];
    const int input = layer->n_inputs > 0 ? layer->inputs[0] : -1, at = places->count - 1;
    places->last[at] = i;
    if (!is_activation(layer))
        places->before[at] = i;
    else if (input >= 0 && same_size(layer, &network->layers[input]))
        places->before[at] = input;
}

/* places_of: a resolution counts where something is learnt at it, and there is more than one position. */
static void places_of(const struct network *network, struct places *places)
{
    const struct layer *first = NULL;
    int64_t learnt = 0;
    *places = (struct places){0};
    for (int i = 0; i < network->n_layers; i++) {
        const struct layer *layer = &network->layers[i];
        if (layer->output.rank != 4 || layer->output.dim[1] * layer->output.dim[2] <= 1)
            continue;
        if (!first || !same_size(first, layer)) {
            places->count += (!first || learnt > 0) && places->count < METHOD_TAPS;
            first = layer;
            learnt = 0;
        }
        learnt += layer->parameters;
        if (!drops(layer))
            places_note(places, network, i);
    }
    places->count -= first && learnt == 0;
}

static bool reads_map(enum tap_role role)
{
    return role == ROLE_MAP || role == ROLE_MAP_BEFORE_ACTIVATION || role == ROLE_ACTIVATIONS;
}

static int embedding_of(const struct network *network)
{
    const struct layer *layer = &network->layers[network->logits];
    do {
        if (layer->n_inputs == 0 || layer->inputs[0] < 0)
            return network->logits;
        layer = &network->layers[layer->inputs[0]];
    } while (drops(layer));
    return (int)(layer - network->layers);
}

/* maps_wanted: how many maps a method takes of a side at least, and at most. */
static void maps_wanted(const struct method *method, enum side side, int *min, int *max)
{
    *min = *max = 0;
    for (int i = 0; i < method->n_inputs; i++)
        if (method->inputs[i].side == side && reads_map(method->inputs[i].role)) {
            *min += method->inputs[i].min;
            *max += method->inputs[i].max;
        }
}

/* side_fill: of `count` places (by index in `chosen`) those that the inputs of a side take, in their order. */
static void side_fill(const struct method *method, enum side side, const struct network *network,
                      const struct places *places, const int *chosen, int count, struct pairing *out)
{
    int at = 0;
    for (int i = 0; i < method->n_inputs; i++) {
        const struct method_input *input = &method->inputs[i];
        if (input->side != side)
            continue;
        const int taps = reads_map(input->role) && input->max > 1 ? count - at : 1;
        for (int n = 0; n < taps && out->n[side] < METHOD_TAPS; n++) {
            int layer = network->logits;
            if (input->role == ROLE_EMBEDDING)
                layer = embedding_of(network);
            else if (reads_map(input->role)) {
                const int place = chosen[at++];
                layer = input->role == ROLE_MAP_BEFORE_ACTIVATION ? places->before[place] : places->last[place];
            }
            out->layers[side][out->n[side]++] = layer;
        }
    }
}

static enum status too_few(struct context *ctx, const struct method *method, const char *side, int wanted,
                           const struct network *network, int found)
{
    return fail(
        ctx, STATUS_BAD_INPUT,
        "method %s: expected at least %d map%s of different resolution in the %s, found %d; name layers, e.g. %s: [%s]",
        method->name, wanted, wanted == 1 ? "" : "s", side, found, side, network->layers[0].name);
}

/* With a number of pairs, the deepest; without (a side for itself), all of its own. */
enum status pairing_choose(struct context *ctx, const struct method *method, const void *options,
                           const struct network *student, const struct network *teacher, struct pairing *out)
{
    struct places places[2];
    int chosen[2][METHOD_TAPS] = {{0}}, min[2] = {0}, max[2] = {0}, count[2] = {0};
    const struct network *networks[2] = {student, teacher};
    *out = (struct pairing){0};
    for (int side = 0; side < 2; side++) {
        maps_wanted(method, side, &min[side], &max[side]);
        places[side].count = 0;
        if (networks[side])
            places_of(networks[side], &places[side]);
        if (networks[side] && places[side].count < min[side])
            return too_few(ctx, method, side == SIDE_STUDENT ? "student" : "teacher", min[side], networks[side],
                           places[side].count);
    }
    const int pairs = places[SIDE_STUDENT].count;
    const bool paired = teacher && (method->wants & (METHOD_PAIRWISE | METHOD_SAME_NUMBER) || max[0] == min[0]);
    for (int side = 0; side < 2; side++)
        count[side] = places[side].count < max[side] ? places[side].count : max[side];
    if (paired && count[SIDE_STUDENT] > 0 && count[SIDE_TEACHER] > 0)
        count[SIDE_TEACHER] = count[SIDE_STUDENT];
    for (int i = 0; i < count[SIDE_STUDENT]; i++)
        chosen[SIDE_STUDENT][i] = pairs - count[SIDE_STUDENT] + i;
    for (int i = 0; i < count[SIDE_TEACHER]; i++) {
        const int n = paired && pairs > 0 ? pairs : places[SIDE_TEACHER].count, m = places[SIDE_TEACHER].count;
        const int place = (2 * (n - count[SIDE_TEACHER] + i + 1) * m + n) / (2 * n) - 1; /* rounded */
        chosen[SIDE_TEACHER][i] = place < 0 ? 0 : place;
    }
    for (int side = 0; side < 2; side++)
        if (networks[side])
            side_fill(method, side, networks[side], &places[side], chosen[side], count[side], out);
    if (method->teacher_alone && method->teacher_alone(options))
        out->n[SIDE_STUDENT] = 0;
    return STATUS_OK;
}
