/* branches.c: see branches.h. */
#include "nn/branches.h"

#include "nn/graft.h"
#include "nn/waypoints.h"

struct branches {
    struct context *ctx;
    const struct network *network;
    const struct value *at;
    int count, from;
    bool *behind; /* [n_layers] from `from` to the logits */
    struct graft graft;
};

static enum status from_choose(struct branches *b, struct arena *arena)
{
    struct waypoints w;
    RETURN_IF(waypoints_find(b->network, arena, &w));
    const bool staged = waypoints_staged(&w), maps = w.last_map >= 0;
    for (int i = 0; i < b->network->logits; i++)
        if (staged ? waypoints_ends_stage(&w, i)
                   : waypoints_activates(&w, i) && (maps ? waypoints_learns(&w, i, w.last_map) : b->from < 0))
            b->from = staged ? waypoints_behind(&w, i) : i;
    return b->from >= 0
               ? STATUS_OK
               : value_fail(b->ctx, b->at, STATUS_BAD_INPUT,
                            "network %s: expected a hidden activation that all "
                            "paths to its logits pass, found none to branch behind; name its last layer by trunk: NAME",
                            b->network->name);
}

static enum status branches_open(struct branches *b, const char *from, struct arena *arena)
{
    if (b->count < 2 || b->count > BRANCHES_MOST)
        return value_fail(b->ctx, b->at, STATUS_BAD_INPUT, "network %s: expected 2 to %d branches, found %d",
                          b->network->name, BRANCHES_MOST, b->count);
    if (from)
        b->from = network_layer(b->network, from, b->at);
    else
        RETURN_IF(from_choose(b, arena));
    b->behind = arena_take(arena, (size_t)b->network->n_layers, sizeof *b->behind);
    if (b->from < 0 || !b->behind)
        return b->ctx->error.status;
    RETURN_IF(network_between(b->ctx, b->network, b->from, b->network->logits, b->at, b->behind));
    int64_t parameters = 0;
    for (int i = 0; i < b->network->n_layers; i++)
        parameters += b->behind[i] ? b->network->layers[i].parameters : 0;
    return parameters > 0
               ? STATUS_OK
               : value_fail(
                     b->ctx, b->at, STATUS_BAD_INPUT,
                     "network %s: expected layers behind %s that learn, found none: all branches would be equal; "
                     "name a layer in front of it",
                     b->network->name, b->network->layers[b->from].name);
}

/* branch_name: what the layer is called in branch `number`; NULL: error recorded. */
static const char *branch_name(const struct branches *b, int number, int layer)
{
    const char *name = b->network->layers[layer].name;
    return number == 1 || !b->behind[layer] ? name : arena_format(b->graft.arena, "branch%d_%s", number, name);
}

/* name_append: sticky, as value_append. */
static struct value *name_append(const struct branches *b, struct value *list, int number, int layer)
{
    const char *name = branch_name(b, number, layer);
    return name ? value_append(b->graft.arena, list, value_text(b->graft.arena, name)) : NULL;
}

/* branch_add: its layers, of which branch 1 has its own already, and its output. */
static void branch_add(struct branches *b, int number)
{
    struct arena *arena = b->graft.arena;
    const struct network *network = b->network;
    for (int i = b->from + 1; number > 1 && i < network->n_layers; i++) {
        const struct layer *layer = &network->layers[i];
        struct value *inputs = value_list(arena);
        if (!b->behind[i])
            continue;
        for (int j = 0; j < layer->n_inputs; j++)
            inputs = name_append(b, inputs, number, layer->inputs[j]);
        const char *name = branch_name(b, number, i);
        const struct value *item = b->graft.layers ? b->graft.layers->items[i] : NULL;
        if (!name || !inputs || !item)
            return;
        graft_add(&b->graft, layer->type->name, name, inputs, value_get(item, layer->type->name));
    }
    const char *output = arena_format(arena, "branch%d", number), *logits = branch_name(b, number, network->logits);
    if (output && logits)
        graft_output(&b->graft, output, logits);
}

static void gate_add(struct branches *b)
{
    const struct layer *trunk = &b->network->layers[b->from];
    const char *input = trunk->name;
    struct value *options = list_integer(b->graft.arena, value_map(b->graft.arena), "out", b->count);
    if (!options)
        return;
    if (trunk->output.rank > 2) {
        graft_follow(&b->graft, "global_average_pool", "gate_pool", input, NULL);
        input = "gate_pool";
    }
    graft_follow(&b->graft, "linear", "gate_linear", input, options);
    graft_follow(&b->graft, "batch_norm", "gate_bn", "gate_linear", NULL);
    graft_follow(&b->graft, "relu", "gate_relu", "gate_bn", NULL);
}

static void ensemble_add(struct branches *b)
{
    struct arena *arena = b->graft.arena;
    struct value *inputs = value_append(arena, value_list(arena), value_text(arena, "gate_relu"));
    for (int number = 1; number <= b->count; number++)
        inputs = name_append(b, inputs, number, b->network->logits);
    if (!inputs)
        return;
    graft_add(&b->graft, "mixture", "ensemble", inputs, NULL);
    graft_logits(&b->graft, "ensemble");
}

enum status network_branches(const struct network *network, const struct branches_spec *spec, const struct value *at,
                             struct arena *arena, struct value **description)
{
    struct branches b = {.ctx = network->ctx, .network = network, .at = at, .count = spec->count, .from = -1};
    *description = NULL;
    RETURN_IF(branches_open(&b, spec->from, arena));
    b.graft = graft_open(network, at, arena);
    for (int number = 1; number <= b.count; number++)
        branch_add(&b, number);
    gate_add(&b);
    ensemble_add(&b);
    return graft_close(&b.graft, description);
}
