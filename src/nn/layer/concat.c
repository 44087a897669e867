/* nn/layer/concat.c: the channels of all inputs behind one another: maps of one size, or vectors. */
#include "nn/builder.h"

static struct node *concat_build(const struct layer_site *site, const void *options)
{
    (void)options;
    for (int i = 1; i < site->n_inputs; i++)
        if (!layer_same_rank(site, i))
            return NULL;
    return graph_concat(site->graph, site->n_inputs, site->inputs, -1);
}

const struct layer_type layer_concat = {
    .name = "concat",
    .summary = "the channels of its inputs behind one another",
    .inputs_min = 2,
    .inputs_max = OP_MAX_INPUTS,
    .build = concat_build,
};
