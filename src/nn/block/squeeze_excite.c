/* nn/block/squeeze_excite.c: each channel weighted by what all channels' means say: y = x * gate(W2 activation(W1 mean(x)
 * + b1) + b2).
 *
 * NAME_squeeze (the mean of each channel, [B,C]), NAME_linear1 (to C / ratio, at least 1), its activation, NAME_linear2
 * (to C), NAME_gate, NAME (the product). Hu 2018, arXiv 1709.01507; with hard_sigmoid as in Howard 2019, arXiv
 * 1905.02244. */
#include "nn/block.h"

static const char *const gates[] = {"sigmoid", "hard_sigmoid", NULL};

struct squeeze_options {
    int64_t ratio;
    int activation, gate;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct squeeze_options, field)
static const struct option_spec squeeze_specs[] = {
    {OPTION(ratio), .type = OPTION_INTEGER, .initial = "16", .min = 1, .max = INT32_MAX,
     .help = "channels are divided by this between the two linear layers"},
    {OPTION(activation), .type = OPTION_CHOICE, .initial = "relu", .choices = activation_names,
     .help = "between the two linear layers"},
    {OPTION(gate), .type = OPTION_CHOICE, .initial = "sigmoid", .choices = gates,
     .help = "what turns the second one's outputs into weights"},
};

static enum status squeeze_expand(const struct block_site *site, const void *options)
{
    const struct squeeze_options *o = options;
    struct arena *arena = site->builder->network->arena;
    struct shape in;
    RETURN_IF(block_map(site, "squeeze_excite", &in));
    int64_t channels = in.dim[3], inside = channels / o->ratio > 1 ? channels / o->ratio : 1;

    int layer = site->input;
    RETURN_IF(block_add(site, "global_average_pool", "squeeze", NULL, &layer));
    RETURN_IF(block_add(site, "linear", "linear1", list_integer(arena, value_map(arena), "out", inside), &layer));
    if (o->activation != CHOICE_none)
        RETURN_IF(block_add(site, activation_names[o->activation], activation_names[o->activation], NULL, &layer));
    RETURN_IF(block_add(site, "linear", "linear2", list_integer(arena, value_map(arena), "out", channels), &layer));
    RETURN_IF(block_add(site, gates[o->gate], "gate", NULL, &layer));
    return block_join(site, "mul", NULL, site->input, layer, NULL, &layer);
}

const struct block_type block_squeeze_excite = {
    .name = "squeeze_excite",
    .summary = "each channel weighted by what the means of all channels say",
    .options = squeeze_specs,
    .n_options = sizeof(squeeze_specs) / sizeof(squeeze_specs[0]),
    .options_size = sizeof(struct squeeze_options),
    .expand = squeeze_expand,
};
