/* nn/layer/leaky_relu.c: x where x >= 0, else slope x. Maas 2013. */
#include "nn/builder.h"

struct leaky_relu_options {
    double slope;
};

static const struct option_spec leaky_relu_specs[] = {
    {.name = "slope",
     .offset = offsetof(struct leaky_relu_options, slope),
     .type = OPTION_REAL,
     .initial = "0.01",
     .min = 0,
     .max = 1e6,
     .help = "of the negative part"},
};

static struct node *leaky_relu_build(const struct layer_site *site, const void *options)
{
    const struct leaky_relu_options *o = options;
    return graph_leaky_relu(site->graph, site->inputs[0], o->slope);
}

const struct layer_type layer_leaky_relu = {
    .name = "leaky_relu",
    .summary = "x where it is positive, else slope * x",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = leaky_relu_specs,
    .n_options = sizeof(leaky_relu_specs) / sizeof(leaky_relu_specs[0]),
    .options_size = sizeof(struct leaky_relu_options),
    .build = leaky_relu_build,
};
