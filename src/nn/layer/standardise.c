/* nn/layer/standardise.c: (x - mean) / deviation, each one number or one a channel. On bytes x counts as byte/255. */
#include "nn/builder.h"

struct standardise_options {
    struct option_reals mean, deviation;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct standardise_options, field)
static const struct option_spec standardise_specs[] = {
    {OPTION(mean), .type = OPTION_REALS, .initial = "[0]", .help = "subtracted; a number or one a channel"},
    {OPTION(deviation), .type = OPTION_REALS, .initial = "[1]", .min = 0, .max = 1e30, .flags = OPTION_ABOVE_MIN,
     .help = "then divided by; a number or one a channel"},
};

static struct node *standardise_build(const struct layer_site *site, const void *options)
{
    const struct standardise_options *o = options;
    const struct shape *in = &site->inputs[0]->spec.shape;
    size_t channels = (size_t)in->dim[in->rank - 1];
    size_t count = o->mean.count > o->deviation.count ? o->mean.count : o->deviation.count;
    bool fit = (o->mean.count == 1 || o->mean.count == count) &&
               (o->deviation.count == 1 || o->deviation.count == count) && (count == 1 || count == channels);
    if (!fit) {
        fail(site->graph->ctx, STATUS_BAD_SHAPE,
             "%s.%s: expected 1 or %zu numbers (one a channel), found %zu for mean and %zu for deviation",
             site->network->name, site->name, channels, o->mean.count, o->deviation.count);
        return NULL;
    }
    double *mean = arena_take(site->graph->arena, count, sizeof(*mean));
    double *deviation = arena_take(site->graph->arena, count, sizeof(*deviation));
    if (!mean || !deviation)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        mean[i] = o->mean.values[o->mean.count == 1 ? 0 : i];
        deviation[i] = o->deviation.values[o->deviation.count == 1 ? 0 : i];
    }
    return graph_standardise(site->graph, site->inputs[0], (int)count, mean, deviation);
}

const struct layer_type layer_standardise = {
    .name = "standardise",
    .summary = "(x - mean) / deviation",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = standardise_specs,
    .n_options = sizeof(standardise_specs) / sizeof(standardise_specs[0]),
    .options_size = sizeof(struct standardise_options),
    .build = standardise_build,
};
