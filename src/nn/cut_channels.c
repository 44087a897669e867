/* cut_channels.c: see cut_channels.h. Layers whose channels are the same ones form a space: made by some, passed on by others. */
#include "nn/cut_channels.h"

#include "nn/builder.h"
#include "nn/layer/conv_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct spaces {
    struct context *ctx;
    struct arena *arena;
    const struct network *network;
    const bool *dropped; /* [n_layers] */
    int *const *inputs;
    double width;
    const struct value *at;
    int *of;     /* [n_layers] the space of each layer: the number of one of its layers */
    bool *whole; /* [n_layers] by space: all its channels stay */
    struct cut_channels *channels;
};

static const struct layer *layer_of(const struct spaces *s, int i)
{
    return &s->network->layers[i];
}

static int width_of(const struct layer *layer)
{
    return (int)layer->output.dim[layer->output.rank - 1];
}

static bool is_type(const struct layer *layer, const char *name)
{
    return strcmp(layer->type->name, name) == 0;
}

/* width_in: channels of the layer's first input in the whole network. */
static int width_in(const struct network *network, const struct layer *layer)
{
    return layer->inputs[0] < 0 ? network->input.channels : width_of(&network->layers[layer->inputs[0]]);
}

enum cut_kind cut_kind_of(const struct network *network, int index)
{
    static const char *const mixing[] = {"transpose", "tokens", "standardise", "layer_norm", "pad"};
    const struct layer *layer = &network->layers[index];
    const int in = width_in(network, layer), out = width_of(layer);
    if (is_type(layer, "linear"))
        return CUT_MAKES;
    if (is_type(layer, "conv")) {
        const struct conv_options *o = layer->options;
        return o->groups == 1 ? CUT_MAKES : o->groups == in && out == in ? CUT_PASSES : CUT_OTHER;
    }
    if (is_type(layer, "add") || is_type(layer, "mul"))
        return CUT_JOINS;
    if (is_type(layer, "flatten"))
        return CUT_FLATTENS;
    if (is_type(layer, "concat"))
        return CUT_CONCATENATES;
    for (size_t i = 0; i < sizeof mixing / sizeof *mixing; i++)
        if (is_type(layer, mixing[i]) && !(is_type(layer, "pad") && in == out))
            return CUT_OTHER;
    return layer->n_inputs == 1 && in == out && (layer->parameters == 0 || is_type(layer, "batch_norm")) ? CUT_PASSES
                                                                                                         : CUT_OTHER;
}

/* kind_at: a layer that is dropped passes on what it reads. */
static enum cut_kind kind_at(const struct spaces *s, int layer)
{
    return s->dropped[layer] ? CUT_PASSES : cut_kind_of(s->network, layer);
}

/* --- spaces --- */

static int space_of(const struct spaces *s, int layer)
{
    int at = layer;
    while (s->of[at] != at)
        at = s->of[at];
    return at;
}

/* input_note: layer's channels are those of one of its inputs. */
static void input_note(struct spaces *s, int layer, int input)
{
    const int a = space_of(s, layer);
    if (input < 0) {
        s->whole[a] = true;
        return;
    }
    const int b = space_of(s, input), first = a < b ? a : b, second = a < b ? b : a;
    s->of[second] = first;
    s->whole[first] = s->whole[first] || s->whole[second];
}

static void spaces_make(struct spaces *s)
{
    const struct network *network = s->network;
    for (int i = 0; i < network->n_layers; i++)
        s->of[i] = i;
    for (int i = 0; i < network->n_layers; i++) {
        const enum cut_kind kind = kind_at(s, i);
        const struct layer *layer = layer_of(s, i);
        if (kind == CUT_OTHER)
            s->whole[space_of(s, i)] = true;
        for (int j = 0; j < layer->n_inputs && (kind == CUT_JOINS || (kind == CUT_PASSES && j == 0)); j++)
            input_note(s, i, s->inputs[i][j]);
    }
    for (int i = 0; i < network->n_outputs; i++) /* whatever leaves the network leaves it whole */
        s->whole[space_of(s, network->outputs[i].layer)] = true;
}

/* --- norms --- */

static double *values_of(struct spaces *s, const char *layer, const char *suffix)
{
    const char *name = arena_format(s->arena, "%s.%s", layer, suffix);
    const int entry = name ? parameters_find(s->network->parameters, name) : -1;
    if (entry < 0)
        return NULL;
    double *values = arena_take(s->arena, (size_t)s->network->parameters->entries[entry].elements, sizeof *values);
    if (values)
        parameters_get(s->network->parameters, entry, values);
    return values;
}

/* scale_of: what a batch norm right behind the layer multiplies channel c by at inference; 1: there is none. */
static double *scale_of(struct spaces *s, int layer)
{
    const struct network *network = s->network;
    for (int i = layer + 1; i < network->n_layers; i++) {
        const struct layer *norm = layer_of(s, i);
        if (!is_type(norm, "batch_norm") || s->inputs[i][0] != layer)
            continue;
        double *scale = values_of(s, norm->name, "weight"), *variance = values_of(s, norm->name, "running_var");
        for (int c = 0; scale && variance && c < width_of(norm); c++)
            scale[c] = fabs(scale[c]) / sqrt(variance[c] + 1e-5);
        return scale;
    }
    return NULL;
}

/* norms_add: of each channel that the layer makes. */
static enum status norms_add(struct spaces *s, int index, double *norms)
{
    const struct layer *layer = layer_of(s, index);
    const int out = width_of(layer);
    const char *name = arena_format(s->arena, "%s.weight", layer->name);
    const int entry = name ? parameters_find(s->network->parameters, name) : -1;
    const double *weight = entry >= 0 ? values_of(s, layer->name, "weight") : NULL, *scale = scale_of(s, index);
    if (!weight)
        return s->ctx->error.status;
    const int64_t each = s->network->parameters->entries[entry].elements / out;
    for (int o = 0; o < out; o++)
        for (int64_t i = 0; i < each; i++)
            norms[o] += fabs(weight[o * each + i]) * (scale ? scale[o] : 1);
    return s->ctx->error.status;
}

struct ranked {
    double norm;
    int32_t channel;
};

/* by_norm: the largest first, of equal ones that of lower number. */
static int by_norm(const void *a_, const void *b_)
{
    const struct ranked *a = a_, *b = b_;
    return a->norm != b->norm ? (a->norm < b->norm ? 1 : -1) : (int)(a->channel - b->channel);
}

static int by_number(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* --- channels --- */

/* channels_all: every one of `count`. */
static enum status channels_all(const struct spaces *s, int count, struct cut_channels *out)
{
    *out = (struct cut_channels){count, arena_take(s->arena, (size_t)count, sizeof *out->kept)};
    for (int c = 0; out->kept && c < count; c++)
        out->kept[c] = c;
    return s->ctx->error.status;
}

/* space_choose: the channels of the layers that are in the space of layer `first`, its first. */
static enum status space_choose(struct spaces *s, int first, struct cut_channels *out)
{
    const int count = width_of(layer_of(s, first));
    if (s->whole[first])
        return channels_all(s, count, out);
    double *norms = arena_take(s->arena, (size_t)count, sizeof *norms);
    struct ranked *ranked = arena_take(s->arena, (size_t)count, sizeof *ranked);
    int kept = (int)lround(s->width * count);
    kept = kept < 1 ? 1 : kept;
    *out = (struct cut_channels){kept, arena_take(s->arena, (size_t)kept, sizeof *out->kept)};
    if (!norms || !ranked || !out->kept)
        return s->ctx->error.status;
    for (int i = 0; i < s->network->n_layers; i++)
        if (space_of(s, i) == first && kind_at(s, i) == CUT_MAKES)
            RETURN_IF(norms_add(s, i, norms));
    for (int c = 0; c < count; c++)
        ranked[c] = (struct ranked){norms[c], c};
    qsort(ranked, (size_t)count, sizeof *ranked, by_norm);
    for (int k = 0; k < kept; k++)
        out->kept[k] = ranked[k].channel;
    qsort(out->kept, (size_t)kept, sizeof *out->kept, by_number);
    return STATUS_OK;
}

static const struct cut_channels *input_channels(const struct spaces *s, int layer, int j,
                                                 struct cut_channels *of_input)
{
    const int from = s->inputs[layer][j];
    if (from >= 0)
        return &s->channels[from];
    return channels_all(s, s->network->input.channels, of_input) == STATUS_OK ? of_input : NULL;
}

/* flattened: a map's channels as the places of its vector, in the order C, H, W. */
static enum status flattened(const struct spaces *s, int index, struct cut_channels *out)
{
    struct cut_channels of_input;
    const struct layer *layer = layer_of(s, index);
    const struct cut_channels *in = input_channels(s, index, 0, &of_input);
    if (!in)
        return s->ctx->error.status;
    const int positions = width_of(layer) / width_in(s->network, layer);
    *out = (struct cut_channels){in->count * positions,
                                 arena_take(s->arena, (size_t)in->count * (size_t)positions, sizeof *out->kept)};
    for (int k = 0; out->kept && k < in->count; k++)
        for (int p = 0; p < positions; p++)
            out->kept[k * positions + p] = in->kept[k] * positions + p;
    return s->ctx->error.status;
}

static enum status concatenated(const struct spaces *s, int index, struct cut_channels *out)
{
    const struct layer *layer = layer_of(s, index);
    int offset = 0;
    *out = (struct cut_channels){0, arena_take(s->arena, (size_t)width_of(layer), sizeof *out->kept)};
    for (int j = 0; out->kept && j < layer->n_inputs; j++) {
        struct cut_channels of_input;
        const struct cut_channels *in = input_channels(s, index, j, &of_input);
        for (int k = 0; in && k < in->count; k++)
            out->kept[out->count++] = offset + in->kept[k];
        offset += layer->inputs[j] < 0 ? s->network->input.channels : width_of(layer_of(s, layer->inputs[j]));
    }
    return s->ctx->error.status;
}

/* sees_all: a layer of another kind works only on all channels. */
static enum status sees_all(const struct spaces *s, int index)
{
    const struct layer *layer = layer_of(s, index);
    for (int j = 0; j < layer->n_inputs; j++) {
        const int from = s->inputs[index][j];
        if (from >= 0 && s->channels[from].count < width_of(layer_of(s, from)))
            return value_fail(s->ctx, s->at, STATUS_UNSUPPORTED,
                              "cut: layer %s (%s) cannot be cut; use width: 1 and drop layers, or another teacher",
                              layer->name, layer->type->name);
    }
    return STATUS_OK;
}

/* joined_check: channels that are flattened or put together are chosen elsewhere, and cannot also meet others in a sum. */
static enum status joined_check(const struct spaces *s, int index)
{
    for (int i = 0; i < s->network->n_layers; i++) {
        const enum cut_kind kind = kind_at(s, i);
        if (i != index && space_of(s, i) == space_of(s, index) && (kind == CUT_MAKES || kind == CUT_CONCATENATES))
            return value_fail(s->ctx, s->at, STATUS_UNSUPPORTED,
                              "cut: the channels of layer %s (%s) meet those of %s, so that they cannot be cut; use "
                              "width: 1 and drop layers",
                              layer_of(s, index)->name, layer_of(s, index)->type->name, layer_of(s, i)->name);
    }
    return STATUS_OK;
}

static enum status layer_choose(struct spaces *s, int index)
{
    struct cut_channels *out = &s->channels[index];
    const enum cut_kind kind = kind_at(s, index);
    const int space = space_of(s, index);
    if (kind == CUT_FLATTENS || kind == CUT_CONCATENATES) {
        if (s->width < 1)
            RETURN_IF(joined_check(s, index));
        return kind == CUT_FLATTENS ? flattened(s, index, out) : concatenated(s, index, out);
    }
    if (kind == CUT_OTHER)
        RETURN_IF(sees_all(s, index));
    if (space != index) { /* chosen with an earlier layer */
        *out = s->channels[space];
        return STATUS_OK;
    }
    return space_choose(s, index, out);
}

enum status cut_channels_choose(struct context *ctx, struct arena *arena, const struct network *network,
                                const bool *dropped, int *const *inputs, double width, const struct value *at,
                                struct cut_channels *channels)
{
    const size_t n = (size_t)network->n_layers;
    struct spaces s = {.ctx = ctx,
                       .arena = arena,
                       .network = network,
                       .dropped = dropped,
                       .inputs = inputs,
                       .width = width,
                       .at = at,
                       .of = arena_take(arena, n, sizeof *s.of),
                       .whole = arena_take(arena, n, sizeof *s.whole),
                       .channels = channels};
    if (!s.of || !s.whole)
        return ctx->error.status;
    spaces_make(&s);
    for (int i = 0; i < network->n_layers; i++)
        RETURN_IF(layer_choose(&s, i));
    return ctx->error.status;
}
