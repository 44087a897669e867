/* nn/zoo/resnet.c: a 3x3 convolution, then three stages of residual blocks of two 3x3 convolutions, each stage with half the
 * size and twice the channels of the one before; mean, linear layer. depth = 6n + 2, n blocks a stage.
 *
 * He 2016, arXiv 1512.03385, section 4.2. Shortcuts across stages are the paper's option A by default: no parameters. On
 * 3x32x32 with 10 classes: depth 20 has 269,722 parameters, 56 has 853,018, 110 has 1,727,962. */
#include "nn/zoo/list.h"

#include <inttypes.h>

enum { STAGES = 3 };
static const char *const shortcuts[] = {"zeros", "projection", NULL};

struct resnet_options {
    int64_t depth, width, squeeze;
    int shortcut;
    double dropout, stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct resnet_options, field)
static const struct option_spec resnet_specs[] = {
    {OPTION(depth), .type = OPTION_INTEGER, .initial = "20", .min = 8, .max = 3002,
     .help = "layers with weights, 6n + 2: 8, 14, 20, 26, 32, 44, 56, 110 …"},
    {OPTION(width), .type = OPTION_INTEGER, .initial = "16", .min = 1, .max = 65535,
     .help = "channels of the first stage"},
    {OPTION(shortcut), .type = OPTION_CHOICE, .initial = "zeros", .choices = shortcuts,
     .help = "between stages: zeros: positions left out and channels of zeros (the paper's option A); projection: a "
             "1x1 convolution with batch norm (option B)"},
    {OPTION(squeeze), .type = OPTION_INTEGER, .initial = "0", .min = 0, .max = 65535, .help = SQUEEZE_HELP},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the linear layer"},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = ZOO_DEPTH_RATE_HELP},
};

static struct value *residual_options(struct arena *arena, const struct resnet_options *o, int64_t out, int64_t stride,
                                      double rate)
{
    struct value *inner = zoo_conv(arena, value_list(arena), out, 3, stride, CHOICE_relu);
    inner = zoo_conv(arena, inner, out, 3, 1, CHOICE_none);
    inner = list_squeeze(arena, inner, o->squeeze);
    struct value *options = value_set(arena, value_map(arena), "layers", inner);
    options = value_set(arena, options, "shortcut", value_text(arena, shortcuts[o->shortcut]));
    return value_set(arena, options, "stochastic_depth", value_real(arena, rate));
}

static struct value *resnet_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                   const void *options)
{
    const struct resnet_options *o = options;
    if (o->depth % 6 != 2) {
        fail(ctx, STATUS_BAD_INPUT,
             "network resnet: expected a depth of 6n + 2 (8, 14, 20, 26, 32, 44, 56, 110 …), found %" PRId64, o->depth);
        return NULL;
    }
    int64_t each = (o->depth - 2) / 6, number = 0;
    struct value *list = zoo_conv(arena, value_list(arena), o->width, 3, 1, CHOICE_relu);
    for (int stage = 0; stage < STAGES; stage++)
        for (int64_t i = 0; i < each; i++) {
            number++;
            double rate = zoo_depth_rate(o->stochastic_depth, number, STAGES * each);
            list = zoo_block(arena, list, "residual", number,
                             residual_options(arena, o, o->width << stage, stage > 0 && i == 0 ? 2 : 1, rate));
        }
    return zoo_average_head(arena, list, o->dropout, input->classes);
}

const struct zoo_entry zoo_resnet = {
    .name = "resnet",
    .summary = "residual blocks of two 3x3 convolutions in three stages, for small images",
    .paper = "He 2016, Deep Residual Learning for Image Recognition, arXiv 1512.03385, section 4.2",
    .options = resnet_specs,
    .n_options = sizeof(resnet_specs) / sizeof(resnet_specs[0]),
    .options_size = sizeof(struct resnet_options),
    .layers = resnet_layers,
};
