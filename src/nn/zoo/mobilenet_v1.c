/* nn/zoo/mobilenet_v1.c: a convolution, then 13 depthwise-separable blocks; mean, linear layer.
 *
 * Howard 2017, arXiv 1704.04861, table 1. The form `imagenet` has the paper's five strides of 2 (224 -> 7); the form
 * `small` leaves out the first, so that images of 28x28 and 32x32 end in maps of 2x2. The number of parameters is the
 * same: 4,231,976 on 3 channels with 1000 classes. */
#include "nn/zoo/list.h"

struct mobilenet_options {
    double width, dropout;
    int form;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct mobilenet_options, field)
static const struct option_spec mobilenet_specs[] = {
    {OPTION(width), .type = OPTION_REAL, .initial = "1", .min = 0, .max = 16, .flags = OPTION_ABOVE_MIN,
     .help = ZOO_WIDTH_HELP ", rounded down, at least 8; the paper: 1, 0.75, 0.5, 0.25"},
    {OPTION(form), .type = OPTION_CHOICE, .initial = "small", .choices = zoo_forms,
     .help = "small: the first convolution has stride 1, for images around 32x32; imagenet: 2, for 224x224"},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the linear layer"},
};

static const struct {
    int out, stride;
} blocks[] = {
    {64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2},  {512, 1},
    {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
};

static int64_t scaled(int channels, double width)
{
    int64_t made = (int64_t)(channels * width);
    return made < 8 ? 8 : made;
}

static struct value *mobilenet_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                      const void *options)
{
    (void)ctx;
    const struct mobilenet_options *o = options;
    struct value *list =
        zoo_conv(arena, value_list(arena), scaled(32, o->width), 3, o->form == ZOO_FORM_IMAGENET ? 2 : 1, CHOICE_relu);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct value *block = list_integer(arena, value_map(arena), "out", scaled(blocks[i].out, o->width));
        block = list_integer(arena, block, "stride", blocks[i].stride);
        list = zoo_block(arena, list, "depthwise_separable", (int64_t)i + 1, block);
    }
    return zoo_average_head(arena, list, o->dropout, input->classes);
}

const struct zoo_entry zoo_mobilenet_v1 = {
    .name = "mobilenet-v1",
    .summary = "13 depthwise-separable blocks: few parameters and multiplications",
    .paper = "Howard 2017, MobileNets, arXiv 1704.04861",
    .options = mobilenet_specs,
    .n_options = sizeof(mobilenet_specs) / sizeof(mobilenet_specs[0]),
    .options_size = sizeof(struct mobilenet_options),
    .layers = mobilenet_layers,
};
