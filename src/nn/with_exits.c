/* with_exits.c: see with_exits.h.
 *
 * Bottleneck of a map [B,H,W,C]: depthwise separable convolutions C -> D -> … -> D of stride 2 until the map is no larger than the last
 * one that the network learns, then the mean of each channel. Of a vector [B,C]: linear to D, batch norm, ReLU; of tokens [B,T,C] the
 * same on their mean. */
#include "nn/with_exits.h"

#include "nn/graft.h"
#include "nn/waypoints.h"

#include <string.h>

struct exits {
    struct context *ctx;
    const struct network *network;
    const struct value *at;
    int deepest; /* the layer of the deepest features */
    int64_t width;
    struct waypoints waypoints;
    bool *in_front; /* [n_layers] the deepest features are computed by it */
    bool *chosen;   /* [n_layers] an exit stands behind it */
    struct graft graft;
};

/* deepest_find: -1: none, error recorded. */
static int deepest_find(const struct network *network, const struct value *at)
{
    const struct layer *logits = &network->layers[network->logits];
    if (strcmp(logits->type->name, "linear") == 0 && logits->inputs[0] != BUILDER_INPUT)
        return logits->inputs[0];
    value_fail(network->ctx, at, STATUS_BAD_INPUT,
               "network %s: expected that a linear layer on a vector [B,D] gives its logits, found %s, of type %s",
               network->name, logits->name, logits->type->name);
    return -1;
}

const char *network_deepest_features(const struct network *network, const struct value *at)
{
    const int layer = deepest_find(network, at);
    return layer < 0 ? NULL : network->layers[layer].name;
}

/* --- where the exits stand --- */

static enum status layers_named(struct exits *e, const struct exits_spec *spec)
{
    const struct network *network = e->network;
    for (int i = 0; i < spec->count; i++) {
        const int layer = network_layer(network, spec->layers[i], e->at);
        if (layer < 0)
            return e->ctx->error.status;
        if (layer == e->deepest || !e->in_front[layer])
            return value_fail(
                e->ctx, e->at, STATUS_BAD_INPUT,
                "network %s: expected exits behind layers that its deepest features, %s, are computed by, "
                "found %s",
                network->name, network->layers[e->deepest].name, spec->layers[i]);
        if (e->chosen[layer])
            return value_fail(e->ctx, e->at, STATUS_BAD_INPUT,
                              "network %s: expected one exit behind a layer, found %s twice", network->name,
                              spec->layers[i]);
        e->chosen[layer] = true;
    }
    return STATUS_OK;
}

static enum status layers_choose(struct exits *e)
{
    int count = 0;
    const struct waypoints *w = &e->waypoints;
    const bool staged = waypoints_staged(w);
    for (int i = 0; i < e->deepest; i++)
        if (staged ? waypoints_ends_stage(w, i) : waypoints_activates(w, i) && waypoints_learns(w, i, e->deepest)) {
            e->chosen[staged ? waypoints_behind(w, i) : i] = true;
            count++;
        }
    return count > 0 ? STATUS_OK
                     : value_fail(e->ctx, e->at, STATUS_BAD_INPUT,
                                  "network %s: expected several hidden activations that all "
                                  "paths to its logits pass, found none for an early exit; name layers by exits: [...]",
                                  e->network->name);
}

/* --- what an exit consists of --- */

static void features_map(struct exits *e, const struct layer *from, int number, const char *features)
{
    struct arena *arena = e->graft.arena;
    const int last_map = e->waypoints.last_map;
    const struct shape *last = last_map < 0 ? &from->output : &e->network->layers[last_map].output;
    struct option_pair size = {from->output.dim[1], from->output.dim[2]};
    const char *input = from->name;
    for (int block = 1; block == 1 || size.height > last->dim[1] || size.width > last->dim[2]; block++) {
        const struct option_pair stride = {size.height > last->dim[1] ? 2 : 1, size.width > last->dim[2] ? 2 : 1};
        struct value *options = list_integer(arena, value_map(arena), "out", e->width);
        options = value_set(arena, options, "stride", list_pair(arena, stride));
        const char *name = arena_format(arena, "exit%d_block%d", number, block);
        if (!name || !options)
            return;
        graft_follow(&e->graft, "depthwise_separable", name, input, options);
        input = name;
        size = (struct option_pair){(size.height + stride.height - 1) / stride.height,
                                    (size.width + stride.width - 1) / stride.width};
    }
    graft_follow(&e->graft, "global_average_pool", features, input, NULL);
}

static void features_vector(struct exits *e, const struct layer *from, int number, const char *features)
{
    struct arena *arena = e->graft.arena;
    const char *pool = arena_format(arena, "exit%d_pool", number), *input = from->name;
    const char *linear = arena_format(arena, "exit%d_linear", number), *norm = arena_format(arena, "exit%d_bn", number);
    struct value *options = list_integer(arena, value_map(arena), "out", e->width);
    options =
        value_set(arena, options, "bias", value_boolean(arena, false)); /* the batch norm would take it out again */
    if (!pool || !linear || !norm || !options)
        return;
    if (from->output.rank == 3) {
        graft_follow(&e->graft, "global_average_pool", pool, input, NULL);
        input = pool;
    }
    graft_follow(&e->graft, "linear", linear, input, options);
    graft_follow(&e->graft, "batch_norm", norm, linear, NULL);
    graft_follow(&e->graft, "relu", features, norm, NULL);
}

static void exit_add(struct exits *e, const struct layer *from, int number)
{
    struct arena *arena = e->graft.arena;
    const char *name = arena_format(arena, "exit%d", number);
    const char *features = arena_format(arena, "exit%d_features", number);
    struct value *options = list_integer(arena, value_map(arena), "out", e->network->input.classes);
    if (!name || !features || !options)
        return;
    if (from->output.rank == 4)
        features_map(e, from, number, features);
    else
        features_vector(e, from, number, features);
    graft_follow(&e->graft, "linear", name, features, options);
    graft_output(&e->graft, name, name);
}

static enum status exits_open(struct exits *e, struct arena *arena)
{
    const size_t n = (size_t)e->network->n_layers;
    e->deepest = deepest_find(e->network, e->at);
    if (e->deepest < 0)
        return e->ctx->error.status;
    e->in_front = arena_take(arena, n, sizeof *e->in_front);
    e->chosen = arena_take(arena, n, sizeof *e->chosen);
    if (!e->in_front || !e->chosen)
        return e->ctx->error.status;
    RETURN_IF(network_between(e->ctx, e->network, BUILDER_INPUT, e->deepest, e->at, e->in_front));
    return waypoints_find(e->network, arena, &e->waypoints);
}

enum status network_exits(const struct network *network, const struct exits_spec *spec, const struct value *at,
                          struct arena *arena, struct value **description)
{
    struct exits e = {.ctx = network->ctx, .network = network, .at = at};
    *description = NULL;
    RETURN_IF(exits_open(&e, arena));
    RETURN_IF(spec->count > 0 ? layers_named(&e, spec) : layers_choose(&e));
    e.width = spec->width > 0 ? spec->width : network->layers[e.deepest].output.dim[1];
    e.graft = graft_open(network, at, arena);
    int number = 0;
    for (int i = 0; i < network->n_layers; i++)
        if (e.chosen[i])
            exit_add(&e, &network->layers[i], ++number);
    return graft_close(&e.graft, description);
}
