/* nn/layer/adaptive_average_pool.c: a map of any size averaged to the size wanted, [B,H,W,C] -> [B,height,width,C]. Bin
 * i of m along an axis of n: positions from floor(i n / m) to ceil((i + 1) n / m). */
#include "nn/builder.h"

struct adaptive_average_pool_options {
    struct option_pair size;
};

static const struct option_spec adaptive_average_pool_specs[] = {
    {.name = "size",
     .offset = offsetof(struct adaptive_average_pool_options, size),
     .type = OPTION_PAIR,
     .min = 1,
     .max = 65535,
     .flags = OPTION_REQUIRED,
     .help = "height and width of the output"},
};

static struct node *adaptive_average_pool_build(const struct layer_site *site, const void *options)
{
    const struct adaptive_average_pool_options *o = options;
    if (!layer_wants_map(site, 0))
        return NULL;
    return graph_adaptive_average_pool(site->graph, site->inputs[0], (int)o->size.height, (int)o->size.width);
}

const struct layer_type layer_adaptive_average_pool = {
    .name = "adaptive_average_pool",
    .summary = "averages over bins that divide the map, so that any map gets the size wanted",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = adaptive_average_pool_specs,
    .n_options = sizeof(adaptive_average_pool_specs) / sizeof(adaptive_average_pool_specs[0]),
    .options_size = sizeof(struct adaptive_average_pool_options),
    .build = adaptive_average_pool_build,
};
