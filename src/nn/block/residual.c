/* nn/block/residual.c: y = activation(layers(x) + shortcut(x)).
 *
 * The shortcut is x itself where the shapes fit, else a 1x1 convolution without bias and a batch norm
 * (NAME_conv_shortcut, NAME_norm_shortcut), with the stride that gives the size of the inner layers' map. He 2016,
 * arXiv 1512.03385. */
#include "nn/block.h"

#include <string.h>

enum { RESIDUAL_RELU, RESIDUAL_RELU6, RESIDUAL_NONE };
static const char *const activations[] = {"relu", "relu6", "none", NULL};

struct residual_options {
    const struct value *layers;
    int activation;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct residual_options, field)
static const struct option_spec residual_specs[] = {
    {OPTION(layers), .type = OPTION_VALUE, .flags = OPTION_REQUIRED,
     .help = "the list of the layers beside the shortcut"},
    {OPTION(activation), .type = OPTION_CHOICE, .initial = "relu", .choices = activations,
     .help = "what follows the sum"},
};

/* stride_between: the smallest stride of a 1x1 window that makes `to` positions of `from`; 0: there is none. */
static int64_t stride_between(int64_t from, int64_t to)
{
    for (int64_t stride = 1; stride <= from; stride++)
        if ((from + stride - 1) / stride == to)
            return stride;
    return 0;
}

static enum status add_projection(const struct block_site *site, const struct shape *in, const struct shape *out,
                                  int *layer)
{
    struct builder *builder = site->builder;
    struct arena *arena = builder->network->arena;
    int64_t height = in->rank == 4 && out->rank == 4 ? stride_between(in->dim[1], out->dim[1]) : 0;
    int64_t width = in->rank == 4 && out->rank == 4 ? stride_between(in->dim[2], out->dim[2]) : 0;
    if (!height || !width) {
        char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
        return value_fail(
            builder->ctx, site->at && site->at->line > 0 ? site->at : builder->at, STATUS_BAD_SHAPE,
            "residual %s: no 1x1 convolution takes the input %s to the size of the inner layers' output %s", site->name,
            shape_text(in, expected), shape_text(out, found));
    }
    struct value *stride = value_append(arena, value_list(arena), value_integer(arena, height));
    stride = value_append(arena, stride, value_integer(arena, width));
    struct value *options = value_set(arena, value_map(arena), "out", value_integer(arena, out->dim[3]));
    options = value_set(arena, options, "kernel", value_integer(arena, 1));
    options = value_set(arena, options, "stride", stride);
    options = value_set(arena, options, "bias", value_boolean(arena, false));
    RETURN_IF(block_add(site, "conv", "conv_shortcut", options, layer));
    return block_add(site, "batch_norm", "norm_shortcut", NULL, layer);
}

static enum status residual_expand(const struct block_site *site, const void *options)
{
    const struct residual_options *o = options;
    struct builder *builder = site->builder;
    int inner, shortcut = site->input;
    char *prefix = arena_format(builder->network->arena, "%s_", site->name);
    if (!prefix)
        return builder->ctx->error.status;
    RETURN_IF(builder_list(builder, prefix, o->layers, site->input, &inner));
    struct shape in = *builder_shape(builder, site->input), out = *builder_shape(builder, inner);
    if (!shape_equal(&in, &out))
        RETURN_IF(add_projection(site, &in, &out, &shortcut));

    bool plain = o->activation == RESIDUAL_NONE;
    char *sum_name = plain ? arena_text(builder->network->arena, site->name)
                           : arena_format(builder->network->arena, "%s_add", site->name);
    if (!sum_name)
        return builder->ctx->error.status;
    int sum;
    RETURN_IF(builder_layer(builder, site->at, layer_find_type("add"), sum_name, 2, (const int[]){inner, shortcut},
                            NULL, &sum));
    return plain ? STATUS_OK : block_add(site, activations[o->activation], NULL, NULL, &sum);
}

const struct block_type block_residual = {
    .name = "residual",
    .summary = "inner layers beside a shortcut; their sum, then an activation",
    .options = residual_specs,
    .n_options = sizeof(residual_specs) / sizeof(residual_specs[0]),
    .options_size = sizeof(struct residual_options),
    .expand = residual_expand,
};
