/* nn/zoo/mobilenet_v2.c: a convolution, 17 inverted residual blocks, a 1x1 convolution to 1280 channels; mean, linear
 * layer; ReLU6 throughout.
 *
 * Sandler 2018, arXiv 1801.04381, table 2. The form `imagenet` has the paper's five strides of 2 (224 -> 7); the form
 * `small` leaves out the first two (of the first convolution and of the 24-channel blocks), so that images of 28x28 and
 * 32x32 end in maps of 4x4. The number of parameters is the same: 3,504,872 on 3 channels with 1000 classes. */
#include "nn/zoo/list.h"

struct mobilenet_options {
    double width, dropout, stochastic_depth;
    int64_t squeeze;
    int form;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct mobilenet_options, field)
static const struct option_spec mobilenet_specs[] = {
    {OPTION(width), .type = OPTION_REAL, .initial = "1", .min = 0, .max = 16, .flags = OPTION_ABOVE_MIN,
     .help = ZOO_WIDTH_HELP ", rounded to multiples of 8; below 1 the last convolution keeps its 1280"},
    {OPTION(form), .type = OPTION_CHOICE, .initial = "small", .choices = zoo_forms,
     .help =
         "small: the first two strides of 2 are 1, for images around 32x32; imagenet: as in the paper, for 224x224"},
    {OPTION(squeeze), .type = OPTION_INTEGER, .initial = "0", .min = 0, .max = 65535, .help = SQUEEZE_HELP},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the linear layer; 0.2 is usual"},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = ZOO_DEPTH_RATE_HELP},
};

enum { STEM = 32, LAST = 1280, MULTIPLE = 8, BLOCKS = 17 };
static const struct {
    int expand, out, count, stride, small_stride;
} stages[] = {
    {1, 16, 1, 1, 1}, {6, 24, 2, 2, 1},  {6, 32, 3, 2, 2},  {6, 64, 4, 2, 2},
    {6, 96, 3, 1, 1}, {6, 160, 3, 2, 2}, {6, 320, 1, 1, 1},
};

/* The nearest multiple of 8, at least 8, that is not below nine tenths. */
static int64_t scaled(int channels, double width)
{
    double exact = channels * width;
    int64_t made = (int64_t)(exact + MULTIPLE / 2.0) / MULTIPLE * MULTIPLE;
    made = made < MULTIPLE ? MULTIPLE : made;
    return (double)made < 0.9 * exact ? made + MULTIPLE : made;
}

static struct value *block_options(struct arena *arena, const struct mobilenet_options *o, int expand, int64_t out,
                                   int64_t stride, int64_t number)
{
    struct value *options = list_integer(arena, value_map(arena), "out", out);
    options = list_integer(arena, options, "expand", expand);
    options = list_integer(arena, options, "stride", stride);
    options = list_integer(arena, options, "squeeze", o->squeeze);
    return value_set(arena, options, "stochastic_depth",
                     value_real(arena, zoo_depth_rate(o->stochastic_depth, number, BLOCKS)));
}

static struct value *mobilenet_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                      const void *options)
{
    (void)ctx;
    const struct mobilenet_options *o = options;
    bool imagenet = o->form == ZOO_FORM_IMAGENET;
    int64_t number = 0;
    struct value *list = zoo_conv(arena, value_list(arena), scaled(STEM, o->width), 3, imagenet ? 2 : 1, CHOICE_relu6);
    for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]); s++)
        for (int i = 0; i < stages[s].count; i++) {
            int stride = i > 0 ? 1 : imagenet ? stages[s].stride : stages[s].small_stride;
            number++;
            list =
                zoo_block(arena, list, "inverted_residual", number,
                          block_options(arena, o, stages[s].expand, scaled(stages[s].out, o->width), stride, number));
        }
    list = zoo_conv(arena, list, scaled(LAST, o->width > 1 ? o->width : 1), 1, 1, CHOICE_relu6);
    return zoo_average_head(arena, list, o->dropout, input->classes);
}

const struct zoo_entry zoo_mobilenet_v2 = {
    .name = "mobilenet-v2",
    .summary = "17 inverted residual blocks: depthwise convolutions between narrow shortcuts",
    .paper = "Sandler 2018, MobileNetV2, arXiv 1801.04381",
    .options = mobilenet_specs,
    .n_options = sizeof(mobilenet_specs) / sizeof(mobilenet_specs[0]),
    .options_size = sizeof(struct mobilenet_options),
    .layers = mobilenet_layers,
};
