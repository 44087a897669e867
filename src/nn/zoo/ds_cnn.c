/* nn/zoo/ds_cnn.c: a convolution, then depthwise-separable blocks, a head, a linear layer: few parameters and
 * multiplications.
 *
 * Zhang 2017, arXiv 1711.07128, figure 2, made for images: square windows. */
#include "nn/zoo/list.h"

#include <inttypes.h>

struct ds_cnn_options {
    int64_t stem, stem_kernel, stem_stride;
    struct option_integers widths, strides;
    int head;
    double dropout;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct ds_cnn_options, field)
static const struct option_spec ds_cnn_specs[] = {
    {OPTION(widths), .type = OPTION_INTEGERS, .initial = "[64, 64, 64, 64]", .min = 1, .max = INT32_MAX,
     .help = "channels of the blocks"},
    {OPTION(strides), .type = OPTION_INTEGERS, .min = 1, .max = 65535, .help = "one a block; default: 1 each"},
    {OPTION(stem), .type = OPTION_INTEGER, .initial = "64", .min = 1, .max = INT32_MAX,
     .help = "channels of the first convolution"},
    {OPTION(stem_kernel), .type = OPTION_INTEGER, .initial = "3", .min = 1, .max = 65535, .help = "its window"},
    {OPTION(stem_stride), .type = OPTION_INTEGER, .initial = "2", .min = 1, .max = 65535, .help = "its stride"},
    {OPTION(head), .type = OPTION_CHOICE, .initial = "average", .choices = zoo_heads, .help = ZOO_HEAD_HELP},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the linear layer"},
};

/* A window padded by half its size. */
static int64_t strided(int64_t size, int64_t kernel, int64_t stride)
{
    return (size + 2 * (kernel / 2) - kernel) / stride + 1;
}

static struct value *ds_cnn_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                   const void *options)
{
    const struct ds_cnn_options *o = options;
    if (o->strides.count != 0 && o->strides.count != o->widths.count) {
        fail(ctx, STATUS_BAD_INPUT, "network ds-cnn: expected a stride for each of the %zu widths, found %zu",
             o->widths.count, o->strides.count);
        return NULL;
    }
    int64_t channels = o->stem;
    int64_t height = strided(input->height, o->stem_kernel, o->stem_stride);
    int64_t width = strided(input->width, o->stem_kernel, o->stem_stride);
    struct value *list = zoo_conv(arena, value_list(arena), o->stem, o->stem_kernel, o->stem_stride, CHOICE_relu);
    for (size_t i = 0; i < o->widths.count; i++) {
        int64_t stride = o->strides.count ? o->strides.values[i] : 1;
        channels = o->widths.values[i];
        struct value *block = list_integer(arena, value_map(arena), "out", channels);
        block = list_integer(arena, block, "stride", stride);
        list = zoo_block(arena, list, "depthwise_separable", (int64_t)i + 1, block);
        height = strided(height, 3, stride);
        width = strided(width, 3, stride);
    }
    return zoo_head(arena, list, o->head, channels, height, width, o->dropout, input->classes);
}

const struct zoo_entry zoo_ds_cnn = {
    .name = "ds-cnn",
    .summary = "a convolution, then depthwise-separable blocks: few parameters and multiplications",
    .paper = "Zhang 2017, Hello Edge, arXiv 1711.07128",
    .options = ds_cnn_specs,
    .n_options = sizeof(ds_cnn_specs) / sizeof(ds_cnn_specs[0]),
    .options_size = sizeof(struct ds_cnn_options),
    .layers = ds_cnn_layers,
};
