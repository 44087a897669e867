/* nn/layer/global_max_pool.c: the maximum over all positions: [B,H,W,C] -> [B,C]. */
#include "nn/builder.h"

static struct node *global_max_pool_build(const struct layer_site *site, const void *options)
{
    (void)options;
    if (!layer_wants_map(site, 0))
        return NULL;
    return graph_global_max_pool(site->graph, site->inputs[0]);
}

const struct layer_type layer_global_max_pool = {
    .name = "global_max_pool",
    .summary = "the maximum of each channel over the whole map",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = global_max_pool_build,
};
