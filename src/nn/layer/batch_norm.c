/* nn/layer/batch_norm.c: y = (x - mean) / sqrt(variance + epsilon) * weight + bias, a channel at a time (the last
 * axis).
 *
 * Training: mean and biased variance of the batch and its positions; the running ones move by 0.1 at commit, towards
 * the unbiased variance. Else: the running ones. weight, bias, running_mean, running_var [C] start at 1, 0, 0, 1. Ioffe
 * and Szegedy 2015, arXiv 1502.03167. */
#include "nn/builder.h"

struct batch_norm_options {
    double epsilon;
};

static const struct option_spec batch_norm_specs[] = {
    {.name = "epsilon",
     .offset = offsetof(struct batch_norm_options, epsilon),
     .type = OPTION_REAL,
     .initial = "1e-5",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN,
     .help = "added to the variance before the root"},
};

static struct node *batch_norm_build(const struct layer_site *site, const void *options)
{
    const struct batch_norm_options *o = options;
    const struct shape *in = &site->inputs[0]->spec.shape;
    struct shape channels = SHAPE(in->dim[in->rank - 1]);
    struct init zero = {INIT_ZERO, 0}, one = {INIT_CONSTANT, 1};
    struct node *weight = layer_parameter(site, "weight", channels, one);
    struct node *bias = weight ? layer_parameter(site, "bias", channels, zero) : NULL;
    struct node *mean = bias ? layer_state(site, "running_mean", channels, zero) : NULL;
    struct node *variance = mean ? layer_state(site, "running_var", channels, one) : NULL;
    if (!variance)
        return NULL;
    return site->mode.training
               ? graph_batch_norm(site->graph, site->inputs[0], weight, bias, mean, variance, o->epsilon)
               : graph_batch_norm_inference(site->graph, site->inputs[0], weight, bias, mean, variance, o->epsilon);
}

const struct layer_type layer_batch_norm = {
    .name = "batch_norm",
    .summary = "normalises each channel by the batch's statistics, in evaluation by running ones",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = batch_norm_specs,
    .n_options = sizeof(batch_norm_specs) / sizeof(batch_norm_specs[0]),
    .options_size = sizeof(struct batch_norm_options),
    .build = batch_norm_build,
};
