/* nn/layer/dropping.h: what dropout, spatial_dropout and stochastic_depth share: the rate, and when they drop. */
#ifndef NN_LAYER_DROPPING_H
#define NN_LAYER_DROPPING_H

#include "nn/builder.h"

struct dropping_options {
    double rate;
};

enum { DROPPING_OPTIONS = 1 };
extern const struct option_spec dropping_specs[DROPPING_OPTIONS];

/* dropping_build: in training units of the site's input dropped, else the input itself. The random numbers belong to the
 * layer's full name NETWORK.LAYER: two networks in one graph draw different ones. NULL: error recorded. */
struct node *dropping_build(const struct layer_site *site, const struct dropping_options *options,
                            enum dropout_unit unit);

#endif
