/* nn/zoo/list.c: what networks by name have in common. */
#include "nn/zoo/list.h"

const char *const zoo_heads[] = {"average", "weighting", NULL};
const char *const zoo_forms[] = {"small", "imagenet", NULL};

struct value *zoo_conv(struct arena *arena, struct value *list, int64_t out, int64_t kernel, int64_t stride,
                       int activation)
{
    list =
        list_add(arena, list, "conv", NULL, conv_options(arena, out, kernel, (struct option_pair){stride, stride}, 1));
    list = list_add(arena, list, "batch_norm", NULL, NULL);
    return list_activation(arena, list, activation);
}

struct value *zoo_classifier(struct arena *arena, struct value *list, double dropout, int64_t classes)
{
    list = list_rate(arena, list, "dropout", dropout);
    return list_add(arena, list, "linear", NULL, list_integer(arena, value_map(arena), "out", classes));
}

struct value *zoo_average_head(struct arena *arena, struct value *list, double dropout, int64_t classes)
{
    return zoo_classifier(arena, list_add(arena, list, "global_average_pool", NULL, NULL), dropout, classes);
}

struct value *zoo_head(struct arena *arena, struct value *list, int head, int64_t channels, int64_t height,
                       int64_t width, double dropout, int64_t classes)
{
    if (head == ZOO_HEAD_AVERAGE)
        return zoo_average_head(arena, list, dropout, classes);
    struct value *options = list_integer(arena, value_map(arena), "out", channels);
    options = value_set(arena, options, "kernel", list_pair(arena, (struct option_pair){height, width}));
    options = list_integer(arena, options, "groups", channels);
    options = value_set(arena, options, "bias", value_boolean(arena, false));
    list = list_add(arena, list, "conv", "weighting", options);
    list = list_add(arena, list, "flatten", NULL, NULL);
    return zoo_classifier(arena, list, dropout, classes);
}

struct value *zoo_block(struct arena *arena, struct value *list, const char *type, int64_t number,
                        struct value *options)
{
    return list_add(arena, list, type, arena_format(arena, "block%d", (int)number), options);
}

double zoo_depth_rate(double last, int64_t number, int64_t blocks)
{
    return last * (double)number / (double)blocks;
}
