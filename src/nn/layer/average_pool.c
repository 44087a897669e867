/* nn/layer/average_pool.c: mean of each window, [B,H,W,C] -> [B,H',W',C]; the padding counts as zeros. */
#include "nn/layer/pooling.h"

static struct node *average_pool_build(const struct layer_site *site, const void *options)
{
    struct pooling pooling;
    return pooling_read(site, options, &pooling) ? graph_average_pool(site->graph, site->inputs[0], &pooling) : NULL;
}

const struct layer_type layer_average_pool = {
    .name = "average_pool",
    .summary = "the mean of each window; the padding counts as zeros",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = pooling_specs,
    .n_options = POOLING_OPTIONS,
    .options_size = sizeof(struct pooling_options),
    .build = average_pool_build,
    .resolved = pooling_resolved,
};
