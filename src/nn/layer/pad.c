/* nn/layer/pad.c: zeros around a map, and channels of zeros: [B,H,W,C] -> [B, top+H+bottom, left+W+right, front+C+back]. */
#include "nn/builder.h"

struct pad_options {
    int64_t top, bottom, left, right, front, back;
};

#define OPTION(field)                                                                                                  \
    .name = #field, .offset = offsetof(struct pad_options, field), .type = OPTION_INTEGER, .initial = "0", .max = 65535
static const struct option_spec pad_specs[] = {
    {OPTION(top), .help = "rows above"},
    {OPTION(bottom), .help = "rows below"},
    {OPTION(left), .help = "columns at the left"},
    {OPTION(right), .help = "columns at the right"},
    {OPTION(front), .help = "channels before the first"},
    {OPTION(back), .help = "channels behind the last"},
};

static struct node *pad_build(const struct layer_site *site, const void *options)
{
    const struct pad_options *o = options;
    struct node *x = site->inputs[0];
    if (!layer_wants_map(site, 0))
        return NULL;
    const bool channels = o->front > 0 || o->back > 0, around = o->top + o->bottom + o->left + o->right > 0;
    if (around || !channels)
        x = graph_pad(site->graph, x, (int)o->top, (int)o->bottom, (int)o->left, (int)o->right);
    return channels ? graph_pad_axis(site->graph, x, -1, o->front, o->back, 0) : x;
}

const struct layer_type layer_pad = {
    .name = "pad",
    .summary = "zeros around a map, and channels of zeros",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = pad_specs,
    .n_options = sizeof(pad_specs) / sizeof(pad_specs[0]),
    .options_size = sizeof(struct pad_options),
    .build = pad_build,
};
