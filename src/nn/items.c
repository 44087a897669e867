/* items.c: writing a layer list as a recipe would. */
#include "nn/items.h"

struct value *list_add(struct arena *arena, struct value *list, const char *type, const char *name,
                       struct value *options)
{
    struct value *layer = value_set(arena, value_map(arena), type, options ? options : value_map(arena));
    if (name)
        layer = value_set(arena, layer, "name", value_text(arena, name));
    return value_append(arena, list, layer);
}

struct value *list_integer(struct arena *arena, struct value *options, const char *key, int64_t number)
{
    return value_set(arena, options, key, value_integer(arena, number));
}

struct value *list_pair(struct arena *arena, struct option_pair pair)
{
    struct value *list = value_append(arena, value_list(arena), value_integer(arena, pair.height));
    return value_append(arena, list, value_integer(arena, pair.width));
}

struct value *list_rate(struct arena *arena, struct value *list, const char *type, double rate)
{
    if (rate == 0)
        return list;
    return list_add(arena, list, type, NULL, value_set(arena, value_map(arena), "rate", value_real(arena, rate)));
}

struct value *list_activation(struct arena *arena, struct value *list, int choice)
{
    return choice == CHOICE_none ? list : list_add(arena, list, activation_names[choice], NULL, NULL);
}

struct value *list_squeeze(struct arena *arena, struct value *list, int64_t ratio)
{
    if (ratio == 0)
        return list;
    return list_add(arena, list, "squeeze_excite", NULL, list_integer(arena, value_map(arena), "ratio", ratio));
}

struct value *conv_options(struct arena *arena, int64_t out, int64_t kernel, struct option_pair stride, int64_t groups)
{
    struct value *options = list_integer(arena, value_map(arena), "out", out);
    options = list_integer(arena, options, "kernel", kernel);
    options = value_set(arena, options, "stride", list_pair(arena, stride));
    options = list_integer(arena, options, "padding", kernel / 2);
    options = list_integer(arena, options, "groups", groups);
    return value_set(arena, options, "bias", value_boolean(arena, false));
}
