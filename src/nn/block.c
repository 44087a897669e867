/* block.c: what blocks are written with: single layers, lists and sums. */
#include "nn/block.h"

#include <string.h>

const struct value *block_at(const struct block_site *site)
{
    return site->at && site->at->line > 0 ? site->at : site->builder->at;
}

static enum status add_layer(const struct block_site *site, const char *type, const char *suffix, int n_inputs,
                             const int *inputs, struct value *options, int *layer)
{
    struct builder *builder = site->builder;
    struct network *network = builder->network;
    const char *name = suffix ? arena_format(network->arena, "%s_%s", site->name, suffix) : site->name;
    if (!name || builder->ctx->error.status != STATUS_OK)
        return builder->ctx->error.status;
    for (int i = 0; i < network->n_layers; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return value_fail(builder->ctx, site->at, STATUS_BAD_INPUT,
                              "a layer named \"%s\" is there already; rename it or the block \"%s\"", name, site->name);
    return builder_layer(builder, site->at, layer_find_type(builder->ctx, type), name, n_inputs, inputs, options,
                         layer);
}

enum status block_add(const struct block_site *site, const char *type, const char *suffix, struct value *options,
                      int *layer)
{
    int input = *layer;
    return add_layer(site, type, suffix, 1, &input, options, layer);
}

enum status block_join(const struct block_site *site, const char *type, const char *suffix, int a, int b,
                       struct value *options, int *layer)
{
    return add_layer(site, type, suffix, 2, (const int[]){a, b}, options, layer);
}

enum status block_list(const struct block_site *site, const struct value *list, int *layer)
{
    struct builder *builder = site->builder;
    char *prefix = arena_format(builder->network->arena, "%s_", site->name);
    if (!prefix || builder->ctx->error.status != STATUS_OK)
        return builder->ctx->error.status;
    return builder_list(builder, prefix, list, *layer, layer);
}

enum status block_sum(const struct block_site *site, const char *suffix, int branch, int shortcut, double rate,
                      int *layer)
{
    struct arena *arena = site->builder->network->arena;
    if (rate > 0)
        RETURN_IF(block_add(site, "stochastic_depth", "stochastic_depth",
                            value_set(arena, value_map(arena), "rate", value_real(arena, rate)), &branch));
    return block_join(site, "add", suffix, branch, shortcut, NULL, layer);
}

enum status block_map(const struct block_site *site, const char *type, struct shape *shape)
{
    char found[SHAPE_TEXT_SIZE];
    *shape = *builder_shape(site->builder, site->input);
    if (shape->rank == 4)
        return STATUS_OK;
    return value_fail(site->builder->ctx, block_at(site), STATUS_BAD_SHAPE, "%s %s: expected a map [B,H,W,C], found %s",
                      type, site->name, shape_text(shape, found));
}
