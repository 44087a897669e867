/* nn/layer/resize.c: a map of another height and width, [B,H,W,C] -> [B, size, C], as PyTorch's `interpolate` with
 * align_corners=false. The formulas are graph/op/resize.c's. */
#include "nn/builder.h"

struct resize_options {
    struct option_pair size;
    int mode; /* enum interpolation */
};

static const char *const modes[] = {
    [INTERPOLATION_NEAREST] = "nearest",
    [INTERPOLATION_BILINEAR] = "bilinear",
    NULL,
};

#define OPTION(field) .name = #field, .offset = offsetof(struct resize_options, field)
static const struct option_spec resize_specs[] = {
    {OPTION(size), .type = OPTION_PAIR, .min = 1, .max = 65535, .flags = OPTION_REQUIRED, .help = "of the output"},
    {OPTION(mode), .type = OPTION_CHOICE, .initial = "nearest", .choices = modes,
     .help = "nearest: each pixel is that of the input at its place; bilinear: mixed from the four around it"},
};

static struct node *resize_build(const struct layer_site *site, const void *options)
{
    const struct resize_options *o = options;
    if (!layer_wants_map(site, 0))
        return NULL;
    return graph_resize(site->graph, site->inputs[0], (enum interpolation)o->mode, o->size.height, o->size.width);
}

const struct layer_type layer_resize = {
    .name = "resize",
    .summary = "a map of another height and width",
    .inputs_min = 1,
    .inputs_max = 1,
    .options = resize_specs,
    .n_options = sizeof(resize_specs) / sizeof(resize_specs[0]),
    .options_size = sizeof(struct resize_options),
    .build = resize_build,
};
