/* nn/layer/global_average_pool.c: the mean over all positions: [B,H,W,C] -> [B,C]. */
#include "nn/builder.h"

static struct node *global_average_pool_build(const struct layer_site *site, const void *options)
{
    (void)options;
    if (!layer_wants_map(site, 0))
        return NULL;
    return graph_global_average_pool(site->graph, site->inputs[0]);
}

const struct layer_type layer_global_average_pool = {
    .name = "global_average_pool",
    .summary = "the mean of each channel over the whole map",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = global_average_pool_build,
};
