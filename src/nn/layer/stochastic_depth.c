/* nn/layer/stochastic_depth.c: dropout of whole samples, for the branch beside a shortcut: in training a sample's branch is
 * kept with probability 1 - rate and divided by it, or set to 0; else nothing happens.
 *
 * Each sample so sees a network of a random depth. Huang 2016, arXiv 1603.09382, who scale in evaluation instead. */
#include "nn/layer/dropping.h"

static struct node *stochastic_depth_build(const struct layer_site *site, const void *options)
{
    return dropping_build(site, options, DROPOUT_SAMPLE);
}

const struct layer_type layer_stochastic_depth = {
    .name = "stochastic_depth",
    .summary = "in training sets the values of a random part of the samples to 0: the branch beside a shortcut",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = dropping_specs,
    .n_options = DROPPING_OPTIONS,
    .options_size = sizeof(struct dropping_options),
    .build = stochastic_depth_build,
};
