/* nn/layer/linear.c: y[…,o] = bias[o] + sum_d x[…,d] weight[o,d].
 *
 * x [B,D] -> y [B,out], or tokens x [B,T,D] -> y [B,T,out], all with the same weights; weight [out,D], bias [out].
 * Initial values: weights uniform in ±1/sqrt(D), biases 0. */
#include "nn/builder.h"

#include <math.h>

struct linear_options {
    int64_t out;
    bool bias;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct linear_options, field)
static const struct option_spec linear_specs[] = {
    {OPTION(out), .type = OPTION_INTEGER, .min = 1, .max = INT32_MAX, .flags = OPTION_REQUIRED,
     .help = "length of the output"},
    {OPTION(bias), .type = OPTION_BOOLEAN, .initial = "true", .help = "add a learnt number to each output"},
};

static int64_t features(const struct shape *shape)
{
    return shape->dim[shape->rank - 1];
}

static struct node *linear_build(const struct layer_site *site, const void *options)
{
    const struct linear_options *o = options;
    if (!layer_wants_rows(site, 0))
        return NULL;
    int64_t in = features(&site->inputs[0]->spec.shape);
    struct init uniform = {INIT_UNIFORM, 1 / sqrt((double)in)}, zero = {INIT_ZERO, 0};
    struct node *weight = layer_parameter(site, "weight", SHAPE(o->out, in), uniform);
    struct node *bias = o->bias && weight ? layer_parameter(site, "bias", SHAPE(o->out), zero) : NULL;
    if (!weight || (o->bias && !bias))
        return NULL;
    return graph_linear(site->graph, site->inputs[0], weight, bias);
}

static int64_t linear_macs(const struct shape *in, const struct shape *out, const void *options)
{
    (void)options;
    const int64_t tokens = out->rank == 3 ? out->dim[1] : 1;
    return tokens * features(&in[0]) * features(out);
}

static void linear_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options)
{
    (void)options;
    value_set(arena, map, "in", value_integer(arena, features(&in[0])));
}

const struct layer_type layer_linear = {
    .name = "linear",
    .summary = "every output is a weighted sum of all inputs; of tokens, each token's of its own",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = linear_specs,
    .n_options = sizeof(linear_specs) / sizeof(linear_specs[0]),
    .options_size = sizeof(struct linear_options),
    .build = linear_build,
    .macs = linear_macs,
    .resolved = linear_resolved,
};
