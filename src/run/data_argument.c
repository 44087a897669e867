/* data_argument.c: from a name or a file to splits. */
#include "run/data_argument.h"

#include "base/file.h"
#include "data/reader.h"
#include "recipe/recipe.h"

static enum status unknown_data(struct context *ctx, struct arena *arena, const char *argument)
{
    size_t count = 0;
    const struct reader *const *table = reader_table(&count);
    const char **names = arena_take(arena, count, sizeof *names);
    if (names == NULL)
        return ctx->error.status;
    for (size_t i = 0; i < count; i++)
        names[i] = table[i]->name;
    const char *nearest = nearest_name(argument, names, count);
    return fail(ctx, STATUS_BAD_INPUT,
                "no data \"%s\": expected a name of `retort list data` or a YAML file with a data: section%s%s%s",
                argument, nearest != NULL ? "; nearest: \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\"" : "");
}

enum status data_argument_open(struct context *ctx, struct arena *arena, const char *argument, struct data **out)
{
    *out = NULL;
    if (reader_find(argument) != NULL) {
        struct value *section = value_set(arena, value_map(arena), "name", value_text(arena, argument));
        return section == NULL ? ctx->error.status : data_open(ctx, arena, section, NULL, out);
    }
    if (!file_exists(argument))
        return unknown_data(ctx, arena, argument);
    struct value *recipe = NULL;
    char found[VALUE_FOUND_SIZE];
    RETURN_IF(recipe_read(ctx, arena, argument, &recipe));
    const struct value *section = recipe->kind == VALUE_MAP ? value_get(recipe, "data") : NULL;
    if (section == NULL)
        return value_fail(ctx, recipe, STATUS_BAD_INPUT, "expected a map with a data: section, found %s%s",
                          value_found(recipe, found), recipe->kind == VALUE_MAP ? " without one" : "");
    return data_open(ctx, arena, section, argument, out);
}

enum status data_argument_split(struct context *ctx, const struct data *data, const char *name, bool labels,
                                const struct split **out)
{
    int kind = split_find(name);
    if (kind < 0)
        return fail(ctx, STATUS_BAD_INPUT, "no split \"%s\": expected train, validation or test", name);
    return data_split(ctx, data, (enum split_kind)kind, labels, out);
}

enum status data_network_input(struct context *ctx, struct arena *arena, const struct data *data,
                               struct network_input *out)
{
    const struct split *train = &data->splits[SPLIT_TRAIN];
    if (data->classes == 0)
        return fail(
            ctx, STATUS_BAD_INPUT,
            "data %s has no labels, so that the number of classes is unknown; add classes: N to the data: section",
            data->name);
    *out = (struct network_input){.channels = (int)data->channels,
                                  .height = (int)data->height,
                                  .width = (int)data->width,
                                  .classes = data->classes};
    if (train->count == 0)
        return STATUS_OK;
    double *mean = arena_take(arena, 2 * (size_t)data->channels, sizeof *mean);
    if (mean == NULL)
        return ctx->error.status;
    split_channel_statistics(train, mean, mean + data->channels);
    out->mean = mean;
    out->deviation = mean + data->channels;
    return STATUS_OK;
}
