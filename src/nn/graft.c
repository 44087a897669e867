/* graft.c: see graft.h. */
#include "nn/graft.h"

#include <string.h>

struct graft graft_open(const struct network *network, const struct value *at, struct arena *arena)
{
    struct graft graft = {.network = network, .arena = arena, .at = at};
    graft.description = network_description(arena, network);
    graft.layers = value_get(graft.description, "layers");
    graft.outputs = value_get(graft.description, "outputs");
    return graft;
}

static bool failed(const struct graft *graft)
{
    return graft->network->ctx->error.status != STATUS_OK;
}

/* layers_lack: has the network no layer called `name`, and none whose name begins as those of a block of that name do? */
static bool layers_lack(const struct graft *graft, const char *name)
{
    const struct network *network = graft->network;
    const size_t length = strlen(name);
    for (int i = 0; i < network->n_layers; i++) {
        const char *found = network->layers[i].name;
        if (strncmp(found, name, length) != 0 || (found[length] != '\0' && found[length] != '_'))
            continue;
        value_fail(network->ctx, graft->at, STATUS_BAD_INPUT,
                   "network %s: the name \"%s\" is wanted for a layer that is added, but its layer \"%s\" has it%s; "
                   "expected another name there",
                   network->name, name, found, found[length] ? " before an underscore" : "");
        return false;
    }
    return true;
}

void graft_add(struct graft *graft, const char *type, const char *name, const struct value *inputs,
               struct value *options)
{
    if (failed(graft) || !layers_lack(graft, name))
        return;
    struct value *item =
        value_set(graft->arena, value_map(graft->arena), type, options ? options : value_map(graft->arena));
    item = value_set(graft->arena, item, "name", value_text(graft->arena, name));
    item = value_set(graft->arena, item, "inputs", value_copy(graft->arena, inputs));
    value_append(graft->arena, graft->layers, item);
}

void graft_follow(struct graft *graft, const char *type, const char *name, const char *input, struct value *options)
{
    if (failed(graft))
        return;
    const struct value *inputs = value_append(graft->arena, value_list(graft->arena), value_text(graft->arena, input));
    if (inputs)
        graft_add(graft, type, name, inputs, options);
}

void graft_output(struct graft *graft, const char *name, const char *layer)
{
    const struct network *network = graft->network;
    if (failed(graft))
        return;
    if (network_output(network, name) >= 0) {
        value_fail(network->ctx, graft->at, STATUS_BAD_INPUT,
                   "network %s: the name \"%s\" is wanted for an output that is added, but one of its outputs has it; "
                   "expected another name there",
                   network->name, name);
        return;
    }
    value_set(graft->arena, graft->outputs, name, value_text(graft->arena, layer));
}

void graft_logits(struct graft *graft, const char *layer)
{
    if (!failed(graft))
        value_set(graft->arena, graft->outputs, "logits", value_text(graft->arena, layer));
}

enum status graft_close(struct graft *graft, struct value **description)
{
    *description = failed(graft) ? NULL : graft->description;
    return graft->network->ctx->error.status;
}
