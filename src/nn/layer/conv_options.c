/* nn/layer/conv_options.c: options and parameters of convolutions. */
#include "nn/layer/conv_options.h"

#include <inttypes.h>
#include <math.h>

#define OPTION(field) .name = #field, .offset = offsetof(struct conv_options, field)
const struct option_spec conv_specs[CONV_TRANSPOSE_OPTIONS] = {
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
    {OPTION(output_padding), .type = OPTION_PAIR, .initial = "0", .min = 0, .max = 65535,
     .help = "rows and columns added at the end; below the stride or the dilation"},
};

bool conv_read(const struct layer_site *site, const struct conv_options *o, struct convolution *convolution)
{
    if (!layer_wants_map(site, 0))
        return false;
    int64_t in = site->inputs[0]->spec.shape.dim[3];
    if (in % o->groups || o->out % o->groups) {
        fail(site->graph->ctx, STATUS_BAD_SHAPE,
             "%s.%s: %" PRId64 " groups must divide the channels of the input, %" PRId64
             ", and of the output, %" PRId64,
             site->network->name, site->name, o->groups, in, o->out);
        return false;
    }
    *convolution = (struct convolution){
        .out = (int)o->out,
        .kernel = {(int)o->kernel.height, (int)o->kernel.width},
        .stride = {(int)o->stride.height, (int)o->stride.width},
        .padding = {(int)o->padding.height, (int)o->padding.width},
        .dilation = {(int)o->dilation.height, (int)o->dilation.width},
        .groups = (int)o->groups,
    };
    return true;
}

bool conv_parameters(const struct layer_site *site, const struct conv_options *o, struct shape weight_shape,
                     int64_t readers, struct node **weight, struct node **bias)
{
    double fan_out = (double)readers * (double)o->kernel.height * (double)o->kernel.width;
    struct init normal = {INIT_NORMAL, sqrt(2 / fan_out)}, zero = {INIT_ZERO, 0};
    *weight = layer_parameter(site, "weight", weight_shape, normal);
    *bias = o->bias && *weight ? layer_parameter(site, "bias", SHAPE(o->out), zero) : NULL;
    return *weight && (!o->bias || *bias);
}

void conv_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options)
{
    (void)options;
    value_set(arena, map, "in", value_integer(arena, in[0].dim[3]));
}
