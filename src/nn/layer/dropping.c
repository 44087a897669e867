/* nn/layer/dropping.c: what dropout, spatial_dropout and stochastic_depth share. */
#include "nn/layer/dropping.h"

#include "base/random.h"

const struct option_spec dropping_specs[DROPPING_OPTIONS] = {
    {.name = "rate",
     .offset = offsetof(struct dropping_options, rate),
     .type = OPTION_REAL,
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX,
     .help = "the fraction that is set to 0"},
};

struct node *dropping_build(const struct layer_site *site, const struct dropping_options *options,
                            enum dropout_unit unit)
{
    if (!site->mode.training || options->rate == 0)
        return site->inputs[0];
    char *name = arena_format(site->graph->arena, "%s.%s", site->network->name, site->name);
    return name ? graph_dropout(site->graph, site->inputs[0], options->rate, unit, random_stream(name)) : NULL;
}
