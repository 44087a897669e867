/* nn/block/residual.c: y = activation(layers(x) + shortcut(x)).
 *
 * The shortcut is x itself where the shapes fit. Else, by `shortcut`: a 1x1 convolution without bias and a batch norm
 * (NAME_conv_shortcut, NAME_norm_shortcut), with the stride that gives the size of the inner layers' map; or, without
 * parameters, every such position of x (NAME_pool_shortcut) with channels of zeros behind its own (NAME_pad_shortcut).
 * He 2016, arXiv 1512.03385, options B and A. In training the inner layers can be left out for whole samples
 * (stochastic depth). */
#include "nn/block.h"

enum { SHORTCUT_PROJECTION, SHORTCUT_ZEROS };
static const char *const shortcuts[] = {"projection", "zeros", NULL};

struct residual_options {
    const struct value *layers;
    int activation, shortcut;
    double stochastic_depth;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct residual_options, field)
static const struct option_spec residual_specs[] = {
    {OPTION(layers), .type = OPTION_VALUE, .flags = OPTION_REQUIRED,
     .help = "the list of the layers beside the shortcut"},
    {OPTION(activation), .type = OPTION_CHOICE, .initial = "relu", .choices = activation_names,
     .help = "what follows the sum"},
    {OPTION(shortcut), .type = OPTION_CHOICE, .initial = "projection", .choices = shortcuts,
     .help = "where the shapes differ: a 1x1 convolution with batch norm, or positions left out and channels of zeros"},
    {OPTION(stochastic_depth), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = STOCHASTIC_DEPTH_HELP},
};

/* stride_between: the smallest stride of a 1x1 window that makes `to` positions of `from`; 0: there is none. */
static int64_t stride_between(int64_t from, int64_t to)
{
    for (int64_t stride = 1; stride <= from; stride++)
        if ((from + stride - 1) / stride == to)
            return stride;
    return 0;
}

static enum status add_projection(const struct block_site *site, const struct shape *out, struct option_pair stride,
                                  int *layer)
{
    struct value *options = conv_options(site->builder->network->arena, out->dim[3], 1, stride, 1);
    RETURN_IF(block_add(site, "conv", "conv_shortcut", options, layer));
    return block_add(site, "batch_norm", "norm_shortcut", NULL, layer);
}

static enum status add_zeros(const struct block_site *site, const struct shape *in, const struct shape *out,
                             struct option_pair stride, int *layer)
{
    struct arena *arena = site->builder->network->arena;
    if (out->dim[3] < in->dim[3])
        return value_fail(site->builder->ctx, block_at(site), STATUS_BAD_SHAPE,
                          "residual %s: `shortcut: zeros` cannot take %d channels to %d; use `projection`", site->name,
                          (int)in->dim[3], (int)out->dim[3]);
    if (stride.height > 1 || stride.width > 1) {
        struct value *options = list_integer(arena, value_map(arena), "kernel", 1);
        options = value_set(arena, options, "stride", list_pair(arena, stride));
        RETURN_IF(block_add(site, "average_pool", "pool_shortcut", options, layer));
    }
    if (out->dim[3] == in->dim[3])
        return STATUS_OK;
    return block_add(site, "pad", "pad_shortcut",
                     list_integer(arena, value_map(arena), "back", out->dim[3] - in->dim[3]), layer);
}

static enum status add_shortcut(const struct block_site *site, const struct residual_options *o, int inner, int *layer)
{
    struct builder *builder = site->builder;
    struct shape in = *builder_shape(builder, site->input), out = *builder_shape(builder, inner);
    struct option_pair stride = {0, 0};
    *layer = site->input;
    if (shape_equal(&in, &out))
        return STATUS_OK;
    if (in.rank == 4 && out.rank == 4)
        stride = (struct option_pair){stride_between(in.dim[1], out.dim[1]), stride_between(in.dim[2], out.dim[2])};
    if (!stride.height || !stride.width) {
        char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
        return value_fail(
            builder->ctx, block_at(site), STATUS_BAD_SHAPE,
            "residual %s: no 1x1 convolution takes the input %s to the size of the inner layers' output %s", site->name,
            shape_text(&in, expected), shape_text(&out, found));
    }
    return o->shortcut == SHORTCUT_ZEROS ? add_zeros(site, &in, &out, stride, layer)
                                         : add_projection(site, &out, stride, layer);
}

static enum status residual_expand(const struct block_site *site, const void *options)
{
    const struct residual_options *o = options;
    int inner = site->input, shortcut, sum;
    bool plain = o->activation == CHOICE_none;
    RETURN_IF(block_list(site, o->layers, &inner));
    RETURN_IF(add_shortcut(site, o, inner, &shortcut));
    RETURN_IF(block_sum(site, plain ? NULL : "add", inner, shortcut, o->stochastic_depth, &sum));
    return plain ? STATUS_OK : block_add(site, activation_names[o->activation], NULL, NULL, &sum);
}

const struct block_type block_residual = {
    .name = "residual",
    .summary = "inner layers beside a shortcut; their sum, then an activation",
    .options = residual_specs,
    .n_options = sizeof(residual_specs) / sizeof(residual_specs[0]),
    .options_size = sizeof(struct residual_options),
    .expand = residual_expand,
};
