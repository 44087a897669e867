/* nn/layer/transpose.c: the two axes of tokens exchanged: [B,T,C] -> [B,C,T]. */
#include "nn/builder.h"

static struct node *transpose_build(const struct layer_site *site, const void *options)
{
    (void)options;
    if (!layer_wants_tokens(site, 0))
        return NULL;
    return graph_transpose(site->graph, site->inputs[0], 3, (const int[]){0, 2, 1});
}

const struct layer_type layer_transpose = {
    .name = "transpose",
    .summary = "the two axes of tokens exchanged",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = transpose_build,
};
