/* nn/block/inverted_residual.c: a 1x1 convolution to more channels, a depthwise one, a 1x1 convolution to few, which no
 * activation follows; around them a shortcut where the shapes fit.
 *
 * NAME_expand (left out where `expand` is 1), NAME_depthwise, NAME_project, a batch norm behind each; NAME is the sum,
 * or the last batch norm where there is no shortcut. Sandler 2018, arXiv 1801.04381. */
#include "nn/block.h"

struct inverted_options {
    int64_t out, expand, kernel;
    struct option_pair stride;
    int activation;
    int64_t squeeze;
    double stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct inverted_options, field)
static const struct option_spec inverted_specs[] = {
    {OPTION(out), .type = OPTION_INTEGER, .min = 1, .max = INT32_MAX, .flags = OPTION_REQUIRED,
     .help = "channels of the output"},
    {OPTION(expand), .type = OPTION_INTEGER, .initial = "6", .min = 1, .max = 65535,
     .help = "how many times the input's channels the depthwise convolution has"},
    {OPTION(kernel), .type = OPTION_INTEGER, .initial = "3", .min = 1, .max = 65535,
     .help = "size of the depthwise window, odd"},
    {OPTION(stride), .type = OPTION_PAIR, .initial = "1", .min = 1, .max = 65535,
     .help = "of the depthwise convolution"},
    {OPTION(activation), .type = OPTION_CHOICE, .initial = "relu6", .choices = activation_names,
     .help = "behind the first two batch norms"},
    {OPTION(squeeze), .type = OPTION_INTEGER, .initial = "0", .min = 0, .max = INT32_MAX, .help = SQUEEZE_HELP},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = STOCHASTIC_DEPTH_HELP},
};

/* The layers up to the last convolution. */
static struct value *inner_layers(struct arena *arena, const struct inverted_options *o, int64_t channels)
{
    struct value *list = value_list(arena);
    int64_t inside = channels * o->expand;
    if (o->expand > 1) {
        list = list_add(arena, list, "conv", "expand", conv_options(arena, inside, 1, SQUARE(1), 1));
        list = list_add(arena, list, "batch_norm", NULL, NULL);
        list = list_activation(arena, list, o->activation);
    }
    list = list_add(arena, list, "conv", "depthwise", conv_options(arena, inside, o->kernel, o->stride, inside));
    list = list_add(arena, list, "batch_norm", NULL, NULL);
    list = list_activation(arena, list, o->activation);
    list = list_squeeze(arena, list, o->squeeze);
    return list_add(arena, list, "conv", "project", conv_options(arena, o->out, 1, SQUARE(1), 1));
}

static enum status inverted_expand(const struct block_site *site, const void *options)
{
    const struct inverted_options *o = options;
    struct shape in;
    if (o->kernel % 2 == 0)
        return value_fail(site->builder->ctx, block_at(site), STATUS_BAD_INPUT,
                          "inverted_residual %s: expected an odd kernel, found %d", site->name, (int)o->kernel);
    RETURN_IF(block_map(site, "inverted_residual", &in));
    bool shortcut = in.dim[3] == o->out && o->stride.height == 1 && o->stride.width == 1;

    int layer = site->input;
    RETURN_IF(block_list(site, inner_layers(site->builder->network->arena, o, in.dim[3]), &layer));
    RETURN_IF(block_add(site, "batch_norm", shortcut ? "norm" : NULL, NULL, &layer));
    return shortcut ? block_sum(site, NULL, layer, site->input, o->stochastic_depth, &layer) : STATUS_OK;
}

const struct block_type block_inverted_residual = {
    .name = "inverted_residual",
    .summary = "a depthwise convolution between 1x1 ones that widen and narrow, beside a shortcut",
    .options = inverted_specs,
    .n_options = sizeof(inverted_specs) / sizeof(inverted_specs[0]),
    .options_size = sizeof(struct inverted_options),
    .expand = inverted_expand,
};
