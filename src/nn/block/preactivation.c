/* nn/block/preactivation.c: a residual block whose norms and activations come before its convolutions.
 *
 *     a = activation(batch_norm(x));  y = shortcut + conv2(dropout(activation(batch_norm(conv1(a)))))
 *
 * The shortcut is x; where the channels or the size change, a 1x1 convolution of a (NAME_conv_shortcut). NAME is the
 * sum, which no activation follows: the network ends in a batch norm and an activation of its own. He 2016, arXiv
 * 1603.05027; dropout: Zagoruyko 2016, arXiv 1605.07146. */
#include "nn/block.h"

struct preactivation_options {
    int64_t out;
    struct option_pair stride;
    int activation;
    int64_t squeeze;
    double dropout, stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct preactivation_options, field)
static const struct option_spec preactivation_specs[] = {
    {OPTION(out), .type = OPTION_INTEGER, .min = 1, .max = INT32_MAX, .flags = OPTION_REQUIRED,
     .help = "channels of the output"},
    {OPTION(stride), .type = OPTION_PAIR, .initial = "1", .min = 1, .max = 65535, .help = "of the first convolution"},
    {OPTION(activation), .type = OPTION_CHOICE, .initial = "relu", .choices = activation_names,
     .help = "behind both batch norms"},
    {OPTION(squeeze), .type = OPTION_INTEGER, .initial = "0", .min = 0, .max = INT32_MAX, .help = SQUEEZE_HELP},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the second convolution"},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = STOCHASTIC_DEPTH_HELP},
};

static enum status preactivation_expand(const struct block_site *site, const void *options)
{
    const struct preactivation_options *o = options;
    struct arena *arena = site->builder->network->arena;
    struct shape in;
    RETURN_IF(block_map(site, "preactivation", &in));
    struct value *before = list_add(arena, value_list(arena), "batch_norm", NULL, NULL);
    before = list_activation(arena, before, o->activation);
    struct value *list = list_add(arena, value_list(arena), "conv", NULL, conv_options(arena, o->out, 3, o->stride, 1));
    list = list_add(arena, list, "batch_norm", NULL, NULL);
    list = list_activation(arena, list, o->activation);
    list = list_rate(arena, list, "dropout", o->dropout);
    list = list_add(arena, list, "conv", NULL, conv_options(arena, o->out, 3, SQUARE(1), 1));
    list = list_squeeze(arena, list, o->squeeze);

    int shortcut = site->input, activated = site->input;
    RETURN_IF(block_list(site, before, &activated));
    int branch = activated, sum;
    RETURN_IF(block_list(site, list, &branch));
    if (in.dim[3] != o->out || o->stride.height > 1 || o->stride.width > 1) {
        shortcut = activated;
        RETURN_IF(block_add(site, "conv", "conv_shortcut", conv_options(arena, o->out, 1, o->stride, 1), &shortcut));
    }
    return block_sum(site, NULL, branch, shortcut, o->stochastic_depth, &sum);
}

const struct block_type block_preactivation = {
    .name = "preactivation",
    .summary = "a residual block of two 3x3 convolutions, each behind its batch norm and activation",
    .options = preactivation_specs,
    .n_options = sizeof(preactivation_specs) / sizeof(preactivation_specs[0]),
    .options_size = sizeof(struct preactivation_options),
    .expand = preactivation_expand,
};
