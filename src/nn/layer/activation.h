/* activation.h: layers that are one op of one input, without options.
 *
 *     ACTIVATION_LAYER(relu, "max(x, 0)")    the layer type relu, which is graph_relu */
#ifndef NN_LAYER_ACTIVATION_H
#define NN_LAYER_ACTIVATION_H

#include "nn/builder.h"

#define ACTIVATION_LAYER(identifier, summary_)                                                                         \
    static struct node *identifier##_build(const struct layer_site *site, const void *options)                         \
    {                                                                                                                  \
        (void)options;                                                                                                 \
        return graph_##identifier(site->graph, site->inputs[0]);                                                       \
    }                                                                                                                  \
                                                                                                                       \
    const struct layer_type layer_##identifier = {                                                                     \
        .name = #identifier,                                                                                           \
        .summary = summary_,                                                                                           \
        .inputs_min = 1,                                                                                               \
        .inputs_max = 1,                                                                                               \
        .build = identifier##_build,                                                                                   \
    };

#endif
