/* nn/zoo/wrn.c: a wide residual network: a 3x3 convolution to 16 channels, then three stages of preactivation blocks of
 * 16, 32 and 64 times `width` channels, each stage with half the size of the one before; batch norm, ReLU, mean, linear
 * layer. depth = 6n + 4, n blocks a stage.
 *
 * Zagoruyko 2016, arXiv 1605.07146. On 3x32x32 with 10 classes: WRN-16-4 has 2,748,890 parameters, WRN-28-10 has
 * 36,479,194. */
#include "nn/zoo/list.h"

#include <inttypes.h>

enum { STAGES = 3, STEM = 16 };

struct wrn_options {
    int64_t depth, width, squeeze;
    double dropout, stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct wrn_options, field)
static const struct option_spec wrn_specs[] = {
    {OPTION(depth), .type = OPTION_INTEGER, .initial = "16", .min = 10, .max = 3004,
     .help = "layers with weights, 6n + 4: 10, 16, 22, 28, 40 …"},
    {OPTION(width), .type = OPTION_INTEGER, .initial = "2", .min = 1, .max = 4096,
     .help = "factor on the stages' 16, 32 and 64 channels"},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate between the two convolutions of each block; the paper: 0.3"},
    {OPTION(squeeze), .type = OPTION_INTEGER, .initial = "0", .min = 0, .max = 65535, .help = SQUEEZE_HELP},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = ZOO_DEPTH_RATE_HELP},
};

static struct value *block_options(struct arena *arena, const struct wrn_options *o, int64_t out, int64_t stride,
                                   double rate)
{
    struct value *options = list_integer(arena, value_map(arena), "out", out);
    options = list_integer(arena, options, "stride", stride);
    options = list_integer(arena, options, "squeeze", o->squeeze);
    options = value_set(arena, options, "dropout", value_real(arena, o->dropout));
    return value_set(arena, options, "stochastic_depth", value_real(arena, rate));
}

static struct value *wrn_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                const void *options)
{
    const struct wrn_options *o = options;
    if (o->depth % 6 != 4) {
        fail(ctx, STATUS_BAD_INPUT, "network wrn: expected a depth of 6n + 4 (10, 16, 22, 28, 40 …), found %" PRId64,
             o->depth);
        return NULL;
    }
    int64_t each = (o->depth - 4) / 6, number = 0;
    struct value *list = list_add(arena, value_list(arena), "conv", NULL, conv_options(arena, STEM, 3, SQUARE(1), 1));
    for (int stage = 0; stage < STAGES; stage++)
        for (int64_t i = 0; i < each; i++) {
            number++;
            double rate = zoo_depth_rate(o->stochastic_depth, number, STAGES * each);
            list = zoo_block(arena, list, "preactivation", number,
                             block_options(arena, o, (STEM * o->width) << stage, stage > 0 && i == 0 ? 2 : 1, rate));
        }
    list = list_add(arena, list, "batch_norm", NULL, NULL);
    list = list_add(arena, list, "relu", NULL, NULL);
    return zoo_average_head(arena, list, 0, input->classes);
}

const struct zoo_entry zoo_wrn = {
    .name = "wrn",
    .summary = "a residual network of few, wide preactivation blocks in three stages, for small images",
    .paper = "Zagoruyko 2016, Wide Residual Networks, arXiv 1605.07146",
    .options = wrn_specs,
    .n_options = sizeof(wrn_specs) / sizeof(wrn_specs[0]),
    .options_size = sizeof(struct wrn_options),
    .layers = wrn_layers,
};
