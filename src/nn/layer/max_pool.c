/* nn/layer/max_pool.c: maximum of each window, [B,H,W,C] -> [B,H',W',C]; the padding is ignored. */
#include "nn/layer/pooling.h"

static struct node *max_pool_build(const struct layer_site *site, const void *options)
{
    struct pooling pooling;
    return pooling_read(site, options, &pooling) ? graph_max_pool(site->graph, site->inputs[0], &pooling) : NULL;
}

const struct layer_type layer_max_pool = {
    .name = "max_pool",
    .summary = "the maximum of each window; the padding is ignored",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = pooling_specs,
    .n_options = POOLING_OPTIONS,
    .options_size = sizeof(struct pooling_options),
    .build = max_pool_build,
    .resolved = pooling_resolved,
};
