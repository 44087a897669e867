/* nn/layer/spatial_dropout.c: dropout of whole channels: in training each channel of a sample is kept at all positions
 * with probability 1 - rate and divided by it, or set to 0; else nothing happens.
 *
 * Neighbours in a map are alike, so that dropping single values hides little. Tompson 2015, arXiv 1411.4280. */
#include "nn/layer/dropping.h"

static struct node *spatial_dropout_build(const struct layer_site *site, const void *options)
{
    return dropping_build(site, options, DROPOUT_CHANNEL);
}

const struct layer_type layer_spatial_dropout = {
    .name = "spatial_dropout",
    .summary = "in training sets a random part of the channels to 0",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = dropping_specs,
    .n_options = DROPPING_OPTIONS,
    .options_size = sizeof(struct dropping_options),
    .build = spatial_dropout_build,
};
