/* nn/layer/global_average_pool.c: the mean over all positions: a map [B,H,W,C] or tokens [B,T,C] -> [B,C]. */
#include "nn/builder.h"

static struct node *global_average_pool_build(const struct layer_site *site, const void *options)
{
    (void)options;
    if (!layer_wants_positions(site, 0))
        return NULL;
    return site->inputs[0]->spec.shape.rank == 3 ? graph_mean(site->graph, site->inputs[0], 1U << 1, false)
                                                 : graph_global_average_pool(site->graph, site->inputs[0]);
}

const struct layer_type layer_global_average_pool = {
    .name = "global_average_pool",
    .summary = "the mean of each channel over the whole map, or over all tokens",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = global_average_pool_build,
};
