/* nn/layer/layer_norm.c: y = (x - mean) / sqrt(variance + epsilon) * weight + bias over the features of a sample's
 * vector, of each token, or of each position of a map: always the last axis inside (channels), biased variance.
 *
 * [B,D], [B,T,C] or [B,H,W,C]; weight, bias [C] start at 1, 0. Ba 2016, arXiv 1607.06450; on maps as in ConvNeXt. */
#include "nn/builder.h"

struct layer_norm_options {
    double epsilon;
};

static const struct option_spec layer_norm_specs[] = {
    {.name = "epsilon",
     .offset = offsetof(struct layer_norm_options, epsilon),
     .type = OPTION_REAL,
     .initial = "1e-5",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN,
     .help = "added to the variance before the root"},
};

static struct node *layer_norm_build(const struct layer_site *site, const void *options)
{
    const struct layer_norm_options *o = options;
    const struct shape *in = &site->inputs[0]->spec.shape;
    struct shape channels = SHAPE(in->dim[in->rank - 1]);
    struct init zero = {INIT_ZERO, 0}, one = {INIT_CONSTANT, 1};
    struct node *weight = layer_parameter(site, "weight", channels, one);
    struct node *bias = weight ? layer_parameter(site, "bias", channels, zero) : NULL;
    return bias ? graph_layer_norm(site->graph, site->inputs[0], weight, bias, 1, o->epsilon) : NULL;
}

const struct layer_type layer_layer_norm = {
    .name = "layer_norm",
    .summary = "normalises the channels of each sample, token or position by their own mean and variance",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = layer_norm_specs,
    .n_options = sizeof(layer_norm_specs) / sizeof(layer_norm_specs[0]),
    .options_size = sizeof(struct layer_norm_options),
    .build = layer_norm_build,
};
