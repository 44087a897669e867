/* nn/layer/conv.c: two-dimensional convolution (cross-correlation, as everywhere in the field).
 *
 *     y[b,i,j,o] = bias[o] + sum_{u,v,c} x[b, i*stride + u*dilation - padding, j*… + v*… - …, c] weight[o,c,u,v]
 *
 * x [B,H,W,C] -> y [B,H',W',out]; weight [out, C/groups, kernel], bias [out]; outside of x are zeros. Initial values:
 * weights normal with deviation sqrt(2 / fan-out), fan-out = out/groups * kernel height * width (He 2015, arXiv
 * 1502.01852, for networks of ReLUs), biases 0. */
#include "nn/builder.h"

#include <inttypes.h>
#include <math.h>

struct conv_options {
    int64_t out;
    struct option_pair kernel, stride, padding, dilation;
    int64_t groups;
    bool bias;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct conv_options, field)
static const struct option_spec conv_specs[] = {
    {OPTION(out), .type = OPTION_INTEGER, .min = 1, .max = INT32_MAX, .flags = OPTION_REQUIRED,
     .help = "channels of the output"},
    {OPTION(kernel), .type = OPTION_PAIR, .min = 1, .max = 65535, .flags = OPTION_REQUIRED,
     .help = "size of the window"},
    {OPTION(stride), .type = OPTION_PAIR, .initial = "1", .min = 1, .max = 65535, .help = "step between windows"},
    {OPTION(padding), .type = OPTION_PAIR, .initial = "0", .min = 0, .max = 65535, .help = "zeros around the map"},
    {OPTION(dilation), .type = OPTION_PAIR, .initial = "1", .min = 1, .max = 65535, .help = "step inside a window"},
    {OPTION(groups), .type = OPTION_INTEGER, .initial = "1", .min = 1, .max = INT32_MAX,
     .help = "groups of channels that do not see each other; as many as input channels: depthwise"},
    {OPTION(bias), .type = OPTION_BOOLEAN, .initial = "true", .help = "add a learnt number to each channel"},
};

static struct node *conv_build(const struct layer_site *site, const void *options)
{
    const struct conv_options *o = options;
    if (!layer_wants_map(site, 0))
        return NULL;
    int64_t in = site->inputs[0]->spec.shape.dim[3];
    if (in % o->groups || o->out % o->groups) {
        fail(site->graph->ctx, STATUS_BAD_SHAPE,
             "%s.%s: %" PRId64 " groups must divide the channels of the input, %" PRId64
             ", and of the output, %" PRId64,
             site->network->name, site->name, o->groups, in, o->out);
        return NULL;
    }
    struct convolution convolution = {
        .out = (int)o->out,
        .kernel = {(int)o->kernel.height, (int)o->kernel.width},
        .stride = {(int)o->stride.height, (int)o->stride.width},
        .padding = {(int)o->padding.height, (int)o->padding.width},
        .dilation = {(int)o->dilation.height, (int)o->dilation.width},
        .groups = (int)o->groups,
    };
    int64_t readers = o->out / o->groups; /* outputs that an input reaches, a position of the window each */
    double fan_out = (double)readers * (double)o->kernel.height * (double)o->kernel.width;
    struct init normal = {INIT_NORMAL, sqrt(2 / fan_out)}, zero = {INIT_ZERO, 0};
    struct node *weight =
        layer_parameter(site, "weight", SHAPE(o->out, in / o->groups, o->kernel.height, o->kernel.width), normal);
    struct node *bias = o->bias && weight ? layer_parameter(site, "bias", SHAPE(o->out), zero) : NULL;
    if (!weight || (o->bias && !bias))
        return NULL;
    return graph_convolution(site->graph, site->inputs[0], weight, bias, &convolution);
}

static int64_t conv_macs(const struct shape *in, const struct shape *out, const void *options)
{
    const struct conv_options *o = options;
    return out->dim[1] * out->dim[2] * o->out * (in[0].dim[3] / o->groups) * o->kernel.height * o->kernel.width;
}

static void conv_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options)
{
    (void)options;
    value_set(arena, map, "in", value_integer(arena, in[0].dim[3]));
}

const struct layer_type layer_conv = {
    .name = "conv",
    .summary = "convolution; with groups equal to the input's channels a depthwise one",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = conv_specs,
    .n_options = sizeof(conv_specs) / sizeof(conv_specs[0]),
    .options_size = sizeof(struct conv_options),
    .build = conv_build,
    .macs = conv_macs,
    .resolved = conv_resolved,
};
