/* nn/layer/dropout.c: in training each value is kept with probability 1 - rate and divided by it, or set to 0; else
 * nothing happens. Srivastava 2014, JMLR 15. */
#include "nn/layer/dropping.h"

static struct node *dropout_build(const struct layer_site *site, const void *options)
{
    return dropping_build(site, options, DROPOUT_ELEMENT);
}

const struct layer_type layer_dropout = {
    .name = "dropout",
    .summary = "in training sets a random part of the values to 0",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = dropping_specs,
    .n_options = DROPPING_OPTIONS,
    .options_size = sizeof(struct dropping_options),
    .build = dropout_build,
};
