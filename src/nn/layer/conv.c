/* nn/layer/conv.c: two-dimensional convolution (cross-correlation, as everywhere in the field).
 *
 *     y[b,i,j,o] = bias[o] + sum_{u,v,c} x[b, i*stride + u*dilation - padding, j*… + v*… - …, c] weight[o,c,u,v]
 *
 * x [B,H,W,C] -> y [B,H',W',out]; weight [out, C/groups, kernel], bias [out]; outside of x are zeros. Initial values:
 * conv_options.h, fan-out = out/groups * kernel height * width. */
#include "nn/layer/conv_options.h"

static struct node *conv_build(const struct layer_site *site, const void *options)
{
    const struct conv_options *o = options;
    struct convolution convolution;
    struct node *weight, *bias;
    if (!conv_read(site, o, &convolution))
        return NULL;
    int64_t in = site->inputs[0]->spec.shape.dim[3];
    struct shape shape = SHAPE(o->out, in / o->groups, o->kernel.height, o->kernel.width);
    if (!conv_parameters(site, o, shape, o->out / o->groups, &weight, &bias))
        return NULL;
    return graph_convolution(site->graph, site->inputs[0], weight, bias, &convolution);
}

static int64_t conv_macs(const struct shape *in, const struct shape *out, const void *options)
{
    const struct conv_options *o = options;
    return out->dim[1] * out->dim[2] * o->out * (in[0].dim[3] / o->groups) * o->kernel.height * o->kernel.width;
}

const struct layer_type layer_conv = {
    .name = "conv",
    .summary = "convolution; with groups equal to the input's channels a depthwise one",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = conv_specs,
    .n_options = CONV_OPTIONS,
    .options_size = sizeof(struct conv_options),
    .build = conv_build,
    .macs = conv_macs,
    .resolved = conv_resolved,
};
