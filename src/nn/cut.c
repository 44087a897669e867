/* cut.c: see cut.h. Which channels stay: cut_channels.c. */
#include "nn/cut_channels.h"

#include "nn/builder.h"

#include <fnmatch.h>
#include <string.h>

struct cutting {
    struct context *ctx;
    struct arena *arena;
    const struct network *from;
    const struct network_cut *how;
    const struct value *at;
    bool *dropped; /* [n_layers] */
    int **inputs;  /* [n_layers][n_inputs] what a layer reads now */
    struct cut_channels *channels;
};

/* --- layers that go --- */

static enum status drops_find(struct cutting *c)
{
    for (int i = 0; i < c->how->n_drop; i++) {
        bool found = false;
        for (int j = 0; j < c->from->n_layers; j++)
            if (fnmatch(c->how->drop[i], c->from->layers[j].name, 0) == 0)
                found = c->dropped[j] = true;
        if (!found)
            return value_fail(c->ctx, c->at, STATUS_BAD_INPUT, "cut: no layer \"%s\" to drop; see retort inspect",
                              c->how->drop[i]);
    }
    return STATUS_OK;
}

/* stands_for: what is read instead of a layer that is dropped: its first input, or what stands for that. */
static int stands_for(const struct cutting *c, int layer)
{
    while (layer >= 0 && c->dropped[layer])
        layer = c->from->layers[layer].inputs[0];
    return layer;
}

static struct shape shape_at(const struct cutting *c, int layer)
{
    const struct network_input *input = &c->from->input;
    return layer >= 0 ? c->from->layers[layer].output
                      : SHAPE(SHAPE_BATCH, input->height, input->width, input->channels);
}

static enum status inputs_rewire(struct cutting *c)
{
    for (int i = 0; i < c->from->n_layers; i++) {
        const struct layer *layer = &c->from->layers[i];
        c->inputs[i] = arena_take(c->arena, (size_t)layer->n_inputs, sizeof **c->inputs);
        if (!c->inputs[i])
            return c->ctx->error.status;
        const int instead = stands_for(c, i);
        const struct shape now = shape_at(c, instead);
        if (c->dropped[i] && !shape_equal(&layer->output, &now))
            return value_fail(c->ctx, c->at, STATUS_BAD_INPUT,
                              "cut: layer %s cannot be dropped: it changes the shape of what it reads; drop others",
                              layer->name);
        for (int j = 0; j < layer->n_inputs; j++)
            c->inputs[i][j] = stands_for(c, layer->inputs[j]);
    }
    for (int i = 0; i < c->from->n_outputs; i++)
        if (c->dropped[c->from->outputs[i].layer])
            return value_fail(c->ctx, c->at, STATUS_BAD_INPUT, "cut: layer %s is an output of the network, and stays",
                              c->from->layers[c->from->outputs[i].layer].name);
    return STATUS_OK;
}

/* --- the new network --- */

static struct value *inputs_value(const struct cutting *c, int index)
{
    struct value *list = value_list(c->arena);
    for (int j = 0; j < c->from->layers[index].n_inputs; j++) {
        const int from = c->inputs[index][j];
        list = value_append(c->arena, list, value_text(c->arena, from < 0 ? "input" : c->from->layers[from].name));
    }
    return list;
}

/* item_cut: the layer's description with as many channels as stay. */
static struct value *item_cut(const struct cutting *c, int index, const struct value *item)
{
    const struct layer *layer = &c->from->layers[index];
    struct value *copy = value_copy(c->arena, item);
    struct value *options = value_get(copy, layer->type->name);
    const int64_t out = c->channels[index].count;
    if (value_get(options, "out"))
        value_set(c->arena, options, "out", value_integer(c->arena, out));
    if (strcmp(layer->type->name, "conv") == 0 && cut_kind_of(c->from, index) == CUT_PASSES)
        value_set(c->arena, options, "groups", value_integer(c->arena, out));
    return value_set(c->arena, copy, "inputs", inputs_value(c, index));
}

static enum status network_make(const struct cutting *c, const char *name, struct network **cut)
{
    struct value *description = network_description(c->arena, c->from), *layers = value_list(c->arena);
    const struct value *all = value_get(description, "layers");
    for (int i = 0; all && i < c->from->n_layers; i++)
        if (!c->dropped[i])
            layers = value_append(c->arena, layers, item_cut(c, i, all->items[i]));
    description = value_set(c->arena, description, "layers", layers);
    if (!description)
        return c->ctx->error.status;
    return network_rebuild(c->ctx, description, name, c->from->parameters->element, 0, cut);
}

/* --- values --- */

/* layer_named: the layer that a tensor "LAYER.suffix" belongs to. */
static int layer_named(const struct network *network, const char *tensor)
{
    const char *dot = strrchr(tensor, '.');
    const size_t length = dot ? (size_t)(dot - tensor) : 0;
    for (int i = 0; i < network->n_layers; i++)
        if (strlen(network->layers[i].name) == length && strncmp(network->layers[i].name, tensor, length) == 0)
            return i;
    return -1;
}

/* read_channels: of what the layer reads; NULL: those of the network's input, or of a depthwise weight: all. */
static const struct cut_channels *read_channels(const struct cutting *c, int layer)
{
    const int from = c->inputs[layer][0];
    return from < 0 || cut_kind_of(c->from, layer) != CUT_MAKES ? NULL : &c->channels[from];
}

/* tensor_cut: values [out, in, rest] of which some of out and in stay. */
static enum status tensor_cut(const struct cutting *c, int layer, int source, struct parameters *to, int target)
{
    const struct parameter *whole = &c->from->parameters->entries[source], *part = &to->entries[target];
    const struct cut_channels *out = &c->channels[layer], *in = part->shape.rank > 1 ? read_channels(c, layer) : NULL;
    double *from = arena_take(c->arena, (size_t)whole->elements, sizeof *from);
    double *kept = arena_take(c->arena, (size_t)part->elements, sizeof *kept);
    if (!from || !kept)
        return c->ctx->error.status;
    parameters_get(c->from->parameters, source, from);
    const int64_t n_in = part->shape.rank > 1 ? part->shape.dim[1] : 1;
    const int64_t all_in = whole->shape.rank > 1 ? whole->shape.dim[1] : 1;
    const int64_t rest = part->elements / (part->shape.dim[0] * n_in);
    for (int64_t o = 0; o < part->shape.dim[0]; o++)
        for (int64_t i = 0; i < n_in; i++)
            memcpy(kept + (o * n_in + i) * rest, from + (out->kept[o] * all_in + (in ? in->kept[i] : i)) * rest,
                   (size_t)rest * sizeof *kept);
    parameters_set(to, target, kept);
    return STATUS_OK;
}

static enum status values_cut(const struct cutting *c, struct network *cut)
{
    struct parameters *to = cut->parameters;
    for (int i = 0; i < to->count; i++) {
        const int layer = layer_named(c->from, to->entries[i].name);
        const int source = parameters_find(c->from->parameters, to->entries[i].name);
        if (layer < 0 || source < 0)
            return fail(c->ctx, STATUS_UNSUPPORTED, "cut: %s has no tensor \"%s\"", c->from->name, to->entries[i].name);
        if (shape_equal(&to->entries[i].shape, &c->from->parameters->entries[source].shape))
            memcpy(parameters_value(to, i), parameters_value(c->from->parameters, source),
                   (size_t)to->entries[i].elements * element_size(to->element));
        else
            RETURN_IF(tensor_cut(c, layer, source, to, i));
    }
    parameters_touch(to);
    return STATUS_OK;
}

enum status network_cut_make(struct context *ctx, const struct network *from, const struct network_cut *how,
                             const struct value *at, const char *name, struct network **cut)
{
    enum status status = STATUS_OK;
    const size_t n = (size_t)from->n_layers;
    struct cutting c = {.ctx = ctx, .arena = arena_new(ctx), .from = from, .how = how, .at = at};
    *cut = NULL;
    if (!c.arena)
        return ctx->error.status;
    c.dropped = arena_take(c.arena, n, sizeof *c.dropped);
    c.inputs = arena_take(c.arena, n, sizeof *c.inputs);
    c.channels = arena_take(c.arena, n, sizeof *c.channels);
    if (!c.dropped || !c.inputs || !c.channels)
        TRY(ctx->error.status);
    TRY(drops_find(&c));
    TRY(inputs_rewire(&c));
    TRY(cut_channels_choose(ctx, c.arena, from, c.dropped, c.inputs, how->width, at, c.channels));
    TRY(network_make(&c, name, cut));
    TRY(values_cut(&c, *cut));
cleanup:
    if (status != STATUS_OK) {
        network_free(*cut);
        *cut = NULL;
    }
    arena_free(c.arena);
    return status;
}
