/* nn/layer/relu.c: max(x, 0). */
#include "nn/builder.h"

static struct node *relu_build(const struct layer_site *site, const void *options)
{
    (void)options;
    return graph_relu(site->graph, site->inputs[0]);
}

const struct layer_type layer_relu = {
    .name = "relu",
    .summary = "max(x, 0)",
    .inputs_min = 1,
    .inputs_max = 1,
    .build = relu_build,
};
