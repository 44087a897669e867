/* nn/layer/mixture.c: a weighted mean of vectors, weighted for each sample by a gate.
 *
 *     y = sum_m softmax(g)_m z_m
 *
 * g [B,M], the first input; z_1 … z_M [B,K], the others -> y [B,K]. Lan 2018, arXiv 1806.04606, equation 3. */
#include "nn/builder.h"

#include <inttypes.h>

static bool wants_vector(const struct layer_site *site, int i)
{
    const struct shape *found = &site->inputs[i]->spec.shape;
    char text[SHAPE_TEXT_SIZE];
    if (found->rank == 2)
        return true;
    fail(site->graph->ctx, STATUS_BAD_SHAPE,
         "%s.%s: input %d: expected a vector [B,%s], found %s; put a linear layer before it", site->network->name,
         site->name, i + 1, i ? "K" : "M", shape_text(found, text));
    return false;
}

/* inputs_fit: a gate with a number for each vector behind it, and these all of one length. */
static bool inputs_fit(const struct layer_site *site)
{
    for (int i = 0; i < site->n_inputs; i++)
        if (!wants_vector(site, i))
            return false;
    const int64_t weights = site->inputs[0]->spec.shape.dim[1], length = site->inputs[1]->spec.shape.dim[1];
    if (weights != site->n_inputs - 1) {
        fail(site->graph->ctx, STATUS_BAD_SHAPE,
             "%s.%s: its first input, the gate, gives %" PRId64
             " weights; expected one for each of the %d vectors behind it",
             site->network->name, site->name, weights, site->n_inputs - 1);
        return false;
    }
    for (int i = 2; i < site->n_inputs; i++)
        if (site->inputs[i]->spec.shape.dim[1] != length) {
            fail(site->graph->ctx, STATUS_BAD_SHAPE,
                 "%s.%s: the vectors that it mixes have one length; expected %" PRId64 " as in input 2, found %" PRId64
                 " in input %d",
                 site->network->name, site->name, length, site->inputs[i]->spec.shape.dim[1], i + 1);
            return false;
        }
    return true;
}

static struct node *mixture_build(const struct layer_site *site, const void *options)
{
    (void)options;
    struct graph *g = site->graph;
    struct node *weights[OP_MAX_INPUTS], *sum = NULL; /* weights: [B,1] each */
    if (!inputs_fit(site))
        return NULL;
    graph_split(g, graph_softmax(g, site->inputs[0]), 1, site->n_inputs - 1, NULL, weights);
    for (int i = 1; i < site->n_inputs; i++) {
        struct node *part = graph_mul(g, weights[i - 1], site->inputs[i]);
        sum = i == 1 ? part : graph_add(g, sum, part);
    }
    return sum;
}

static int64_t mixture_macs(const struct shape *in, const struct shape *out, const void *options)
{
    (void)options;
    return in[0].dim[1] * out->dim[1];
}

const struct layer_type layer_mixture = {
    .name = "mixture",
    .summary = "the sum of all its inputs but the first, each weighted by its number in the first one's softmax",
    .inputs_min = 3,
    .inputs_max = OP_MAX_INPUTS,
    .build = mixture_build,
    .macs = mixture_macs,
};
