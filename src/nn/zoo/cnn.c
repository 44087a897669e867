/* nn/zoo/cnn.c: for each width a 3x3 convolution with batch norm and ReLU, 2x2 maximum pools between them, a head, a
 * linear layer.
 *
 * With widths [32, 32, 64, 64, 128] and pools behind the second and fourth: 140,458 parameters on 1x28x28. */
#include "nn/zoo/list.h"

#include <inttypes.h>

struct cnn_options {
    struct option_integers widths, pools;
    int head;
    double dropout;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct cnn_options, field)
static const struct option_spec cnn_specs[] = {
    {OPTION(widths), .type = OPTION_INTEGERS, .initial = "[32, 32, 64, 64, 128]", .min = 1, .max = INT32_MAX,
     .help = "channels of the convolutions"},
    {OPTION(pools), .type = OPTION_INTEGERS, .min = 0, .max = 4096,
     .help = "the convolutions, counted from 1, that a 2x2 pool follows; [0]: none; default: every second one but the "
             "last"},
    {OPTION(head), .type = OPTION_CHOICE, .initial = "average", .choices = zoo_heads, .help = ZOO_HEAD_HELP},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate before the linear layer"},
};

static bool pooled(const struct cnn_options *o, int64_t convolution)
{
    if (o->pools.count == 0)
        return convolution % 2 == 0 && (size_t)convolution < o->widths.count;
    for (size_t i = 0; i < o->pools.count; i++)
        if (o->pools.values[i] == convolution)
            return true;
    return false;
}

static struct value *cnn_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                const void *options)
{
    const struct cnn_options *o = options;
    if (o->widths.count == 0) {
        fail(ctx, STATUS_BAD_INPUT, "network cnn: expected at least one width, found an empty list");
        return NULL;
    }
    for (size_t i = 0; i < o->pools.count; i++)
        if ((size_t)o->pools.values[i] > o->widths.count) {
            fail(ctx, STATUS_BAD_INPUT, "network cnn: a pool behind convolution %" PRId64 ", but there are %zu widths",
                 o->pools.values[i], o->widths.count);
            return NULL;
        }
    int64_t height = input->height, width = input->width;
    struct value *list = value_list(arena);
    for (size_t i = 0; i < o->widths.count; i++) {
        list = zoo_conv(arena, list, o->widths.values[i], 3, 1, CHOICE_relu);
        if (!pooled(o, (int64_t)i + 1))
            continue;
        list = list_add(arena, list, "max_pool", NULL, list_integer(arena, value_map(arena), "kernel", 2));
        height /= 2;
        width /= 2;
    }
    return zoo_head(arena, list, o->head, o->widths.values[o->widths.count - 1], height, width, o->dropout,
                    input->classes);
}

const struct zoo_entry zoo_cnn = {
    .name = "cnn",
    .summary = "3x3 convolutions with batch norm and ReLU, pools between them",
    .options = cnn_specs,
    .n_options = sizeof(cnn_specs) / sizeof(cnn_specs[0]),
    .options_size = sizeof(struct cnn_options),
    .layers = cnn_layers,
};
