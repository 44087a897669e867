/* nn/layer/flatten.c: a map as a vector, [B,H,W,C] -> [B, C*H*W], in the order C, H, W; tokens, [B,T,C] -> [B, T*C]. */
#include "nn/builder.h"

static struct node *flatten_build(const struct layer_site *site, const void *options)
{
    (void)options;
    return graph_flatten(site->graph, site->inputs[0]);
}

const struct layer_type layer_flatten = {
    .name = "flatten",
    .summary = "a map as a vector, in the order channel, row, column; tokens as one, token by token",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = flatten_build,
};
