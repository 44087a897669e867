/* nn/block/depthwise_separable.c: a depthwise convolution, then a 1x1 convolution, each with batch norm and ReLU.
 *
 * NAME_conv1 (one kernel a channel, padded so that stride 1 keeps the size), NAME_batch_norm1, NAME_relu1, NAME_conv2,
 * NAME_batch_norm2, NAME (the last ReLU). Howard 2017, arXiv 1704.04861. */
#include "nn/block.h"

struct separable_options {
    int64_t out, kernel;
    struct option_pair stride;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct separable_options, field)
static const struct option_spec separable_specs[] = {
    {OPTION(out), .type = OPTION_INTEGER, .min = 1, .max = INT32_MAX, .flags = OPTION_REQUIRED,
     .help = "channels of the output"},
    {OPTION(kernel), .type = OPTION_INTEGER, .initial = "3", .min = 1, .max = 65535,
     .help = "size of the depthwise window, odd"},
    {OPTION(stride), .type = OPTION_PAIR, .initial = "1", .min = 1, .max = 65535,
     .help = "of the depthwise convolution"},
};

static enum status separable_expand(const struct block_site *site, const void *options)
{
    const struct separable_options *o = options;
    struct arena *arena = site->builder->network->arena;
    struct shape in;
    if (o->kernel % 2 == 0)
        return value_fail(site->builder->ctx, block_at(site), STATUS_BAD_INPUT,
                          "depthwise_separable %s: expected an odd kernel, found %d", site->name, (int)o->kernel);
    RETURN_IF(block_map(site, "depthwise_separable", &in));
    struct value *depthwise = conv_options(arena, in.dim[3], o->kernel, o->stride, in.dim[3]);

    int layer = site->input;
    RETURN_IF(block_add(site, "conv", "conv1", depthwise, &layer));
    RETURN_IF(block_add(site, "batch_norm", "batch_norm1", NULL, &layer));
    RETURN_IF(block_add(site, "relu", "relu1", NULL, &layer));
    RETURN_IF(block_add(site, "conv", "conv2", conv_options(arena, o->out, 1, SQUARE(1), 1), &layer));
    RETURN_IF(block_add(site, "batch_norm", "batch_norm2", NULL, &layer));
    return block_add(site, "relu", NULL, NULL, &layer);
}

const struct block_type block_depthwise_separable = {
    .name = "depthwise_separable",
    .summary = "a depthwise and a 1x1 convolution, each with batch norm and ReLU",
    .options = separable_specs,
    .n_options = sizeof(separable_specs) / sizeof(separable_specs[0]),
    .options_size = sizeof(struct separable_options),
    .expand = separable_expand,
};
