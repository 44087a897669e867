/* groups.c: see groups.h. */
#include "train/optimiser/groups.h"

#include <fnmatch.h>
#include <string.h>

enum { LAYER_NAME_SIZE = 256 };

struct group_section {
    struct option_texts layers;
    double rate;
    const struct value *decay;
};

static const struct option_spec group_options[] = {
    {.name = "layers",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct group_section, layers),
     .help = "names or patterns (conv1*, block?.conv); a layer belongs to the first group that it fits",
     .flags = OPTION_REQUIRED},
    {.name = "rate",
     .type = OPTION_REAL,
     .offset = offsetof(struct group_section, rate),
     .initial = "1",
     .help = "factor of the learning rate; 0: they do not learn",
     .min = 0,
     .max = 1e6},
    {.name = "decay",
     .type = OPTION_VALUE,
     .offset = offsetof(struct group_section, decay),
     .initial = "true",
     .help = "false: no weight decay; a number: a factor of it"},
};

struct option_set layer_groups_options(void)
{
    return OPTION_SET(group_options);
}

/* decay_factor: of true, false or a number. */
static enum status decay_factor(struct context *ctx, const struct value *value, double *factor)
{
    char found[VALUE_FOUND_SIZE];
    bool number = value->kind == VALUE_REAL || value->kind == VALUE_INTEGER;
    if (value->kind != VALUE_BOOLEAN && !(number && value->real >= 0 && value->real <= 1e6))
        return value_fail(ctx, value, STATUS_BAD_INPUT,
                          "group, \"decay\": expected true, false or a number in [0, 1e6], found %s",
                          value_found(value, found));
    *factor = number ? value->real : value->boolean ? 1 : 0;
    return STATUS_OK;
}

static enum status group_bind(struct context *ctx, struct arena *arena, const struct value *item,
                              struct layer_group *group, struct value **resolved)
{
    struct group_section bound = {0};
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(group_options), item, "group", &bound));
    *group = (struct layer_group){.layers = bound.layers, .rate = bound.rate, .at = item};
    RETURN_IF(decay_factor(ctx, bound.decay, &group->decay));
    if (bound.layers.count == 0)
        return value_fail(ctx, item, STATUS_BAD_INPUT, "group: expected at least one layer, found an empty list");
    bound.decay = value_real(arena, group->decay);
    *resolved = bound.decay ? options_value(arena, OPTION_SET(group_options), &bound) : NULL;
    return *resolved ? STATUS_OK : ctx->error.status;
}

enum status layer_groups_bind(struct context *ctx, struct arena *arena, const struct value *list,
                              struct layer_groups *out, struct value **resolved)
{
    char found[VALUE_FOUND_SIZE];
    out->count = 0;
    out->items = NULL;
    *resolved = NULL;
    if (!list)
        return STATUS_OK;
    if (list->kind != VALUE_LIST)
        return value_fail(ctx, list, STATUS_BAD_INPUT, "groups: expected a list of {layers, rate, decay}, found %s",
                          value_found(list, found));
    struct layer_group *items = arena_take(arena, list->count + 1, sizeof *items);
    if (!items)
        return ctx->error.status;
    *resolved = value_list(arena);
    for (size_t i = 0; i < list->count; i++) {
        struct value *one;
        RETURN_IF(group_bind(ctx, arena, list->items[i], &items[i], &one));
        *resolved = value_append(arena, *resolved, one);
    }
    out->count = list->count;
    out->items = items;
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* layer_of: "block1.conv" of "block1.conv.weight". */
static const char *layer_of(const struct parameter *entry, char name[LAYER_NAME_SIZE])
{
    const char *dot = strrchr(entry->name, '.');
    size_t length = dot ? (size_t)(dot - entry->name) : strlen(entry->name);
    if (length >= LAYER_NAME_SIZE)
        length = LAYER_NAME_SIZE - 1;
    memcpy(name, entry->name, length);
    name[length] = '\0';
    return name;
}

/* pattern_fail: names the nearest layer with parameters. */
static enum status pattern_fail(struct context *ctx, const struct layer_group *group, size_t index,
                                const struct network *network)
{
    const struct parameters *parameters = network->parameters;
    const struct value *list = value_get(group->at, "layers"), *at = list ? list : group->at;
    char(*names)[LAYER_NAME_SIZE] = memory_new(ctx, (size_t)parameters->count + 1, sizeof *names);
    const char **candidates = memory_new(ctx, (size_t)parameters->count + 1, sizeof *candidates);
    size_t count = 0;
    for (int i = 0; names && candidates && i < parameters->count; i++)
        if (!parameters->entries[i].state) {
            candidates[count] = layer_of(&parameters->entries[i], names[count]);
            count++;
        }
    if (list && list->kind == VALUE_LIST && index < list->count)
        at = list->items[index];
    if (names && candidates) {
        const char *nearest = nearest_name(group->layers.values[index], candidates, count);
        const char *shown = nearest ? nearest : count ? candidates[0] : "";
        value_fail(ctx, at, STATUS_BAD_INPUT, "groups: no layer of %s with parameters fits \"%s\"; %s\"%s\"",
                   network->name, group->layers.values[index], nearest ? "nearest: " : "the first is ", shown);
    }
    memory_free(ctx, names);
    memory_free(ctx, candidates);
    return ctx->error.status;
}

enum status layer_groups_check(struct context *ctx, const struct layer_groups *groups, const struct network *network)
{
    char name[LAYER_NAME_SIZE];
    const struct parameters *parameters = network->parameters;
    for (size_t i = 0; i < groups->count; i++)
        for (size_t j = 0; j < groups->items[i].layers.count; j++) {
            bool fits = false;
            for (int k = 0; k < parameters->count && !fits; k++)
                fits = !parameters->entries[k].state &&
                       fnmatch(groups->items[i].layers.values[j], layer_of(&parameters->entries[k], name), 0) == 0;
            if (!fits)
                return pattern_fail(ctx, &groups->items[i], j, network);
        }
    return STATUS_OK;
}

struct layer_factors layer_groups_factors(const struct layer_groups *groups, const struct parameter *entry, bool named)
{
    char name[LAYER_NAME_SIZE];
    struct layer_factors factors = {1, 1};
    const struct layer_group *found = NULL;
    layer_of(entry, name);
    for (size_t i = 0; named && i < groups->count && !found; i++)
        for (size_t j = 0; j < groups->items[i].layers.count && !found; j++)
            if (fnmatch(groups->items[i].layers.values[j], name, 0) == 0)
                found = &groups->items[i];
    if (found)
        factors = (struct layer_factors){found->rate, found->decay};
    if (groups->spare_norm_bias && !entry->decay)
        factors.decay = 0;
    return factors;
}
