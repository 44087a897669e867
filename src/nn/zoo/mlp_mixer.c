/* nn/zoo/mlp_mixer.c: patches of the image as tokens; blocks of two small perceptrons beside shortcuts, one over the tokens
 * of each channel, one over the channels of each token; layer norm, mean, linear layer. Neither convolution nor attention.
 *
 * Tolstikhin 2021, arXiv 2105.01601. Mixer-S/16 on 3x224x224 with 1000 classes is {patch: 16, width: 512, depth: 8,
 * token_hidden: 256, channel_hidden: 2048}: 18,528,264 parameters. The defaults are small, for images around 32x32. */
#include "nn/zoo/list.h"

#include <inttypes.h>

struct mixer_options {
    int64_t patch, width, depth, token_hidden, channel_hidden;
    double dropout, stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct mixer_options, field)
static const struct option_spec mixer_specs[] = {
    {OPTION(patch), .type = OPTION_INTEGER, .initial = "4", .min = 1, .max = 65535,
     .help = "side of a patch; divides the image's height and width"},
    {OPTION(width), .type = OPTION_INTEGER, .initial = "64", .min = 1, .max = INT32_MAX, .help = "channels of a token"},
    {OPTION(depth), .type = OPTION_INTEGER, .initial = "4", .min = 1, .max = 4096, .help = "blocks"},
    {OPTION(token_hidden), .type = OPTION_INTEGER, .initial = "64", .min = 1, .max = INT32_MAX,
     .help = "hidden length of the perceptron over the tokens"},
    {OPTION(channel_hidden), .type = OPTION_INTEGER, .initial = "256", .min = 1, .max = INT32_MAX,
     .help = "hidden length of the perceptron over the channels"},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate behind each GELU and each perceptron"},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = ZOO_DEPTH_RATE_HELP},
};

static struct value *add_linear(struct arena *arena, struct value *list, int64_t out)
{
    return list_add(arena, list, "linear", NULL, list_integer(arena, value_map(arena), "out", out));
}

static struct value *add_perceptron(struct arena *arena, struct value *list, int64_t hidden, int64_t out,
                                    double dropout)
{
    list = add_linear(arena, list, hidden);
    list = list_add(arena, list, "gelu", NULL, NULL);
    list = list_rate(arena, list, "dropout", dropout);
    list = add_linear(arena, list, out);
    return list_rate(arena, list, "dropout", dropout);
}

static struct value *add_residual(struct arena *arena, struct value *list, const char *name, struct value *inner,
                                  double rate)
{
    struct value *options = value_set(arena, value_map(arena), "layers", inner);
    options = value_set(arena, options, "activation", value_text(arena, "none"));
    options = value_set(arena, options, "stochastic_depth", value_real(arena, rate));
    return list_add(arena, list, "residual", name, options);
}

static struct value *add_block(struct arena *arena, struct value *list, const struct mixer_options *o, int number,
                               int64_t tokens)
{
    double rate = zoo_depth_rate(o->stochastic_depth, number, o->depth);
    struct value *over_tokens = list_add(arena, value_list(arena), "layer_norm", NULL, NULL);
    over_tokens = list_add(arena, over_tokens, "transpose", NULL, NULL);
    over_tokens = add_perceptron(arena, over_tokens, o->token_hidden, tokens, o->dropout);
    over_tokens = list_add(arena, over_tokens, "transpose", NULL, NULL);
    struct value *over_channels = list_add(arena, value_list(arena), "layer_norm", NULL, NULL);
    over_channels = add_perceptron(arena, over_channels, o->channel_hidden, o->width, o->dropout);
    list = add_residual(arena, list, arena_format(arena, "block%d_tokens", number), over_tokens, rate);
    return add_residual(arena, list, arena_format(arena, "block%d_channels", number), over_channels, rate);
}

static struct value *mixer_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                  const void *options)
{
    const struct mixer_options *o = options;
    if (input->height % o->patch || input->width % o->patch) {
        fail(ctx, STATUS_BAD_SHAPE, "network mlp-mixer: expected a patch that divides the image, %dx%d, found %" PRId64,
             input->height, input->width, o->patch);
        return NULL;
    }
    struct value *stem = list_integer(arena, value_map(arena), "out", o->width);
    stem = list_integer(arena, stem, "kernel", o->patch);
    stem = list_integer(arena, stem, "stride", o->patch);
    struct value *list = list_add(arena, value_list(arena), "conv", NULL, stem);
    list = list_add(arena, list, "tokens", NULL, NULL);
    for (int number = 1; number <= o->depth; number++)
        list = add_block(arena, list, o, number, (input->height / o->patch) * (input->width / o->patch));
    list = list_add(arena, list, "layer_norm", NULL, NULL);
    return zoo_average_head(arena, list, 0, input->classes);
}

const struct zoo_entry zoo_mlp_mixer = {
    .name = "mlp-mixer",
    .summary = "perceptrons over patches and over channels in turn, without convolution or attention",
    .paper = "Tolstikhin 2021, MLP-Mixer, arXiv 2105.01601",
    .options = mixer_specs,
    .n_options = sizeof(mixer_specs) / sizeof(mixer_specs[0]),
    .options_size = sizeof(struct mixer_options),
    .layers = mixer_layers,
};
