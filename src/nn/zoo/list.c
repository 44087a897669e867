/* nn/zoo/list.c: writing a layer list as a recipe would. */
#include "nn/zoo/list.h"

const char *const zoo_heads[] = {"average", "weighting", NULL};

struct value *zoo_add(struct arena *arena, struct value *list, const char *type, const char *name,
                      struct value *options)
{
    struct value *layer = value_set(arena, value_map(arena), type, options ? options : value_map(arena));
    if (name)
        layer = value_set(arena, layer, "name", value_text(arena, name));
    return value_append(arena, list, layer);
}

struct value *zoo_integer(struct arena *arena, struct value *options, const char *key, int64_t number)
{
    return value_set(arena, options, key, value_integer(arena, number));
}

struct value *zoo_conv(struct arena *arena, struct value *list, int64_t out, int64_t kernel, int64_t stride)
{
    struct value *options = zoo_integer(arena, value_map(arena), "out", out);
    options = zoo_integer(arena, options, "kernel", kernel);
    options = zoo_integer(arena, options, "stride", stride);
    options = zoo_integer(arena, options, "padding", kernel / 2);
    options = value_set(arena, options, "bias", value_boolean(arena, false));
    if (!options)
        return NULL;
    list = zoo_add(arena, list, "conv", NULL, options);
    list = zoo_add(arena, list, "batch_norm", NULL, NULL);
    return zoo_add(arena, list, "relu", NULL, NULL);
}

struct value *zoo_dropout(struct arena *arena, struct value *list, double rate)
{
    if (rate == 0)
        return list;
    struct value *options = value_set(arena, value_map(arena), "rate", value_real(arena, rate));
    return options ? zoo_add(arena, list, "dropout", NULL, options) : NULL;
}

struct value *zoo_head(struct arena *arena, struct value *list, int head, int64_t channels, int64_t height,
                       int64_t width, double dropout, int64_t classes)
{
    if (head == ZOO_HEAD_WEIGHTING) {
        struct value *kernel = value_append(arena, value_list(arena), value_integer(arena, height));
        kernel = value_append(arena, kernel, value_integer(arena, width));
        struct value *options = zoo_integer(arena, value_map(arena), "out", channels);
        options = value_set(arena, options, "kernel", kernel);
        options = zoo_integer(arena, options, "groups", channels);
        options = value_set(arena, options, "bias", value_boolean(arena, false));
        if (!options)
            return NULL;
        list = zoo_add(arena, list, "conv", "weighting", options);
        list = zoo_add(arena, list, "flatten", NULL, NULL);
    } else {
        list = zoo_add(arena, list, "global_average_pool", NULL, NULL);
    }
    list = zoo_dropout(arena, list, dropout);
    struct value *options = zoo_integer(arena, value_map(arena), "out", classes);
    return options ? zoo_add(arena, list, "linear", NULL, options) : NULL;
}
