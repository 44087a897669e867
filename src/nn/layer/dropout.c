/* nn/layer/dropout.c: in training each value is kept with probability 1 - rate and divided by it, or set to 0; else
 * nothing happens.
 *
 * The random numbers belong to the layer's full name NETWORK.LAYER: two networks in one graph draw different ones.
 * Srivastava 2014, JMLR 15. */
#include "nn/builder.h"

#include "base/random.h"

struct dropout_options {
    double rate;
};

static const struct option_spec dropout_specs[] = {
    {.name = "rate",
     .offset = offsetof(struct dropout_options, rate),
     .type = OPTION_REAL,
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX,
     .help = "the fraction that is set to 0"},
};

static struct node *dropout_build(const struct layer_site *site, const void *options)
{
    const struct dropout_options *o = options;
    if (!site->mode.training || o->rate == 0)
        return site->inputs[0];
    char *name = arena_format(site->graph->arena, "%s.%s", site->network->name, site->name);
    return name ? graph_dropout(site->graph, site->inputs[0], o->rate, random_stream(name)) : NULL;
}

const struct layer_type layer_dropout = {
    .name = "dropout",
    .summary = "in training sets a random part of the values to 0",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = dropout_specs,
    .n_options = sizeof(dropout_specs) / sizeof(dropout_specs[0]),
    .options_size = sizeof(struct dropout_options),
    .build = dropout_build,
};
