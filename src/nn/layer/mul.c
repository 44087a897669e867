/* nn/layer/mul.c: the product of all inputs, element by element. All have the first one's rank, but for vectors [B,C], which
 * meet every position of a map; an axis of length 1 stretches (a map [B,1,1,C] too meets every position). */
#include "nn/builder.h"

static struct node *mul_build(const struct layer_site *site, const void *options)
{
    (void)options;
    struct node *result = site->inputs[0];
    for (int i = 1; i < site->n_inputs; i++)
        result = graph_mul(site->graph, result, layer_beside(site, i));
    return result;
}

const struct layer_type layer_mul = {
    .name = "mul",
    .summary = "the product of its inputs, element by element",
    .inputs_min = 2,
    .inputs_max = OP_MAX_INPUTS,
    .build = mul_build,
};
