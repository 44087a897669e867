/* nn/layer/relu6.c: min(max(x, 0), 6). */
#include "nn/builder.h"

static struct node *relu6_build(const struct layer_site *site, const void *options)
{
    (void)options;
    return graph_relu6(site->graph, site->inputs[0]);
}

const struct layer_type layer_relu6 = {
    .name = "relu6",
    .summary = "min(max(x, 0), 6)",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = relu6_build,
};
