/* nn/layer/tokens.c: each position of a map as a token, row by row: [B,H,W,C] -> [B, H*W, C]. */
#include "nn/builder.h"

static struct node *tokens_build(const struct layer_site *site, const void *options)
{
    (void)options;
    if (!layer_wants_map(site, 0))
        return NULL;
    const int64_t *dim = site->inputs[0]->spec.shape.dim;
    return graph_reshape(site->graph, site->inputs[0], SHAPE(dim[0], dim[1] * dim[2], dim[3]));
}

const struct layer_type layer_tokens = {
    .name = "tokens",
    .summary = "each position of a map as a token, row by row",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = tokens_build,
};
