/* nn/layer/add.c: the sum of all inputs, element by element. All have one rank; an axis of length 1 stretches
 * (a map [B,1,1,C] meets every position). */
#include "nn/builder.h"

static struct node *add_build(const struct layer_site *site, const void *options)
{
    (void)options;
    struct node *result = site->inputs[0];
    for (int i = 1; i < site->n_inputs; i++) {
        if (!layer_same_rank(site, i))
            return NULL;
        result = graph_add(site->graph, result, site->inputs[i]);
    }
    return result;
}

const struct layer_type layer_add = {
    .name = "add",
    .summary = "the sum of its inputs, element by element",
    .inputs_min = 2,
    .inputs_max = OP_MAX_INPUTS,
    .build = add_build,
};
