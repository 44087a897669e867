/* nn/zoo/vgg.c: five stages of 3x3 convolutions with ReLU, each stage followed by a 2x2 maximum pool; a head.
 *
 * Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, A, B, D and E; a batch norm behind each convolution unless told
 * otherwise. Without `hidden` the head is the mean and one linear layer, as is usual for small images: depth 16 on
 * 3x32x32 with 10 classes has 14,728,266 parameters. With it the last map is flattened: [4096, 4096] on 3x224x224 with
 * 1000 classes is the paper's network, 138,357,544 parameters without batch norm. A pool is left out where the map is one
 * row or column small, so 28x28 images pass four. */
#include "nn/zoo/list.h"

#include <inttypes.h>

#include <inttypes.h>

enum { STAGES = 5 };
static const struct {
    int64_t depth;
    int convolutions[STAGES];
} forms[] = {
    {11, {1, 1, 2, 2, 2}},
    {13, {2, 2, 2, 2, 2}},
    {16, {2, 2, 3, 3, 3}},
    {19, {2, 2, 4, 4, 4}},
};
static const int64_t factors[STAGES] = {1, 2, 4, 8, 8};

struct vgg_options {
    int64_t depth, width;
    bool batch_norm;
    struct option_integers hidden;
    double dropout;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct vgg_options, field)
static const struct option_spec vgg_specs[] = {
    {OPTION(depth), .type = OPTION_INTEGER, .initial = "11", .min = 11, .max = 19,
     .help = "layers with weights, counted with two hidden ones: 11, 13, 16 or 19"},
    {OPTION(width), .type = OPTION_INTEGER, .initial = "64", .min = 1, .max = 65535,
     .help = "channels of the first stage; the others have 2, 4, 8 and 8 times as many"},
    {OPTION(batch_norm), .type = OPTION_BOOLEAN, .initial = "true", .help = "a batch norm behind each convolution"},
    {OPTION(hidden), .type = OPTION_INTEGERS, .min = 1, .max = INT32_MAX,
     .help =
         "lengths of linear layers before the last; the paper: [4096, 4096]; default: none, and the mean of the map"},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate behind each hidden linear layer; the paper: 0.5"},
};

static struct value *add_convolution(struct arena *arena, struct value *list, const struct vgg_options *o, int64_t out)
{
    struct value *options = conv_options(arena, out, 3, SQUARE(1), 1);
    options = value_set(arena, options, "bias", value_boolean(arena, true));
    list = list_add(arena, list, "conv", NULL, options);
    if (o->batch_norm)
        list = list_add(arena, list, "batch_norm", NULL, NULL);
    return list_add(arena, list, "relu", NULL, NULL);
}

static struct value *add_head(struct arena *arena, struct value *list, const struct vgg_options *o, int64_t classes)
{
    if (o->hidden.count == 0)
        return zoo_average_head(arena, list, 0, classes);
    list = list_add(arena, list, "flatten", NULL, NULL);
    for (size_t i = 0; i < o->hidden.count; i++) {
        list = list_add(arena, list, "linear", NULL, list_integer(arena, value_map(arena), "out", o->hidden.values[i]));
        list = list_add(arena, list, "relu", NULL, NULL);
        list = list_rate(arena, list, "dropout", o->dropout);
    }
    return zoo_classifier(arena, list, 0, classes);
}

static struct value *vgg_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                const void *options)
{
    const struct vgg_options *o = options;
    const int *convolutions = NULL;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].depth == o->depth)
            convolutions = forms[i].convolutions;
    if (!convolutions) {
        fail(ctx, STATUS_BAD_INPUT, "network vgg: expected a depth of 11, 13, 16 or 19, found %" PRId64, o->depth);
        return NULL;
    }
    int height = input->height, width = input->width;
    struct value *list = value_list(arena);
    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < convolutions[stage]; i++)
            list = add_convolution(arena, list, o, o->width * factors[stage]);
        if (height < 2 || width < 2)
            continue;
        list = list_add(arena, list, "max_pool", NULL, list_integer(arena, value_map(arena), "kernel", 2));
        height /= 2;
        width /= 2;
    }
    return add_head(arena, list, o, input->classes);
}

const struct zoo_entry zoo_vgg = {
    .name = "vgg",
    .summary = "stages of 3x3 convolutions with a maximum pool behind each",
    .paper = "Simonyan 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv 1409.1556",
    .options = vgg_specs,
    .n_options = sizeof(vgg_specs) / sizeof(vgg_specs[0]),
    .options_size = sizeof(struct vgg_options),
    .layers = vgg_layers,
};
