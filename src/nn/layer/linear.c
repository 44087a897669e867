/* nn/layer/linear.c: y[b,o] = bias[o] + sum_d x[b,d] weight[o,d].
 *
 * x [B,D] -> y [B,out]; weight [out,D], bias [out]. Initial values: weights uniform in ±1/sqrt(D), biases 0. */
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

static struct node *linear_build(const struct layer_site *site, const void *options)
{
    const struct linear_options *o = options;
    if (!layer_wants_vector(site, 0))
        return NULL;
    int64_t in = site->inputs[0]->spec.shape.dim[1];
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
    return in[0].dim[1] * out->dim[1];
}

static void linear_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options)
{
    (void)options;
    value_set(arena, map, "in", value_integer(arena, in[0].dim[1]));
}

const struct layer_type layer_linear = {
    .name = "linear",
    .summary = "every output is a weighted sum of all inputs",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = linear_specs,
    .n_options = sizeof(linear_specs) / sizeof(linear_specs[0]),
    .options_size = sizeof(struct linear_options),
    .build = linear_build,
    .macs = linear_macs,
    .resolved = linear_resolved,
};
