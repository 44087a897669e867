/* nn/layer/conv_transpose.c: transposed convolution, which makes maps larger.
 *
 *     y[b, i*stride + u*dilation - padding, j*… + v*… - …, o] += x[b,i,j,c] weight[c,o,u,v],  y starts at bias[o]
 *
 * x [B,H,W,C] -> y [B,H',W',out], H' = (H-1) stride - 2 padding + dilation (kernel-1) + output_padding + 1; weight [C,
 * out/groups, kernel], bias [out]. Initial values as in conv: an input reaches out/groups * kernel height * width
 * outputs. */
#include "nn/layer/conv_options.h"

static struct node *conv_transpose_build(const struct layer_site *site, const void *options)
{
    const struct conv_options *o = options;
    struct convolution_transpose convolution;
    struct node *weight, *bias;
    if (!conv_read(site, o, &convolution.c))
        return NULL;
    convolution.output_padding[0] = (int)o->output_padding.height;
    convolution.output_padding[1] = (int)o->output_padding.width;
    int64_t in = site->inputs[0]->spec.shape.dim[3];
    struct shape shape = SHAPE(in, o->out / o->groups, o->kernel.height, o->kernel.width);
    if (!conv_parameters(site, o, shape, o->out / o->groups, &weight, &bias))
        return NULL;
    return graph_convolution_transpose(site->graph, site->inputs[0], weight, bias, &convolution);
}

static int64_t conv_transpose_macs(const struct shape *in, const struct shape *out, const void *options)
{
    const struct conv_options *o = options;
    (void)out;
    return in[0].dim[1] * in[0].dim[2] * in[0].dim[3] * (o->out / o->groups) * o->kernel.height * o->kernel.width;
}

const struct layer_type layer_conv_transpose = {
    .name = "conv_transpose",
    .summary = "transposed convolution: spreads each input over a window; with a stride it makes maps larger",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = conv_specs,
    .n_options = CONV_TRANSPOSE_OPTIONS,
    .options_size = sizeof(struct conv_options),
    .build = conv_transpose_build,
    .macs = conv_transpose_macs,
    .resolved = conv_resolved,
};
