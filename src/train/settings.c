/* settings.c: binds a `train:` section: its own keys, then the optimiser's and the schedule's. */
#include "train/settings.h"

#include <string.h>

struct section {
    int64_t epochs, steps, batch;
    bool shuffle;
    double clip;
    const struct value *optimiser, *schedule, *average, *early_stop, *groups;
    bool decay_norm_bias;
};

static const struct option_spec section_options[] = {
    {.name = "epochs",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct section, epochs),
     .initial = "10",
     .help = "passes over the training data",
     .min = 1,
     .max = 1e6},
    {.name = "steps",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct section, steps),
     .initial = "-1",
     .help = "stop after so many steps, which are then the schedule's length too; 0: keep the initial weights; -1: all "
             "epochs",
     .min = -1,
     .max = 1e9},
    {.name = "batch",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct section, batch),
     .initial = "128",
     .help = "samples in a step",
     .min = 1,
     .max = 65536},
    {.name = "shuffle",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct section, shuffle),
     .initial = "true",
     .help = "a new order every epoch; false: the data's order"},
    {.name = "clip",
     .type = OPTION_REAL,
     .offset = offsetof(struct section, clip),
     .initial = "0",
     .help = "largest common norm of the gradients; 0: no clipping",
     .min = 0,
     .max = 1e9},
    {.name = "optimiser",
     .type = OPTION_VALUE,
     .offset = offsetof(struct section, optimiser),
     .help = "{name: sgd, rate: …}"},
    {.name = "schedule",
     .type = OPTION_VALUE,
     .offset = offsetof(struct section, schedule),
     .help = "{name: one-cycle, …}"},
    {.name = "average",
     .type = OPTION_VALUE,
     .offset = offsetof(struct section, average),
     .help = "{decay: 0.999}: a moving average of the weights is validated and saved instead of the last ones"},
    {.name = "early_stop",
     .type = OPTION_VALUE,
     .offset = offsetof(struct section, early_stop),
     .help = "{patience: 5}: end when validation accuracy no longer rises, and keep the best epoch's weights"},
    {.name = "groups",
     .type = OPTION_VALUE,
     .offset = offsetof(struct section, groups),
     .help = "layers with a rate or a decay of their own: [{layers: [conv1*], rate: 0.1, decay: false}]"},
    {.name = "decay_norm_bias",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct section, decay_norm_bias),
     .initial = "true",
     .help = "weight decay for biases and norms too; false: for weights alone"},
};

static const struct option_spec average_options[] = {
    {.name = "decay",
     .type = OPTION_REAL,
     .offset = offsetof(struct average, decay),
     .initial = "0.999",
     .help = "what is kept of the average in a step; the rest comes from the weights",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN | OPTION_BELOW_MAX},
    {.name = "ramp",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct average, ramp),
     .initial = "true",
     .help = "keep at most 1 - 1/t in step t, so that the initial weights leave no trace; false: average from them on"},
};

struct early_stop_section {
    int64_t patience;
};

static const struct option_spec early_stop_options[] = {
    {.name = "patience",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct early_stop_section, patience),
     .help = "epochs without a better validation accuracy after which the stage ends",
     .flags = OPTION_REQUIRED,
     .min = 1,
     .max = 1e6},
};

struct option_set train_settings_options(void)
{
    return OPTION_SET(section_options);
}

struct option_set train_average_options(void)
{
    return OPTION_SET(average_options);
}

struct option_set train_early_stop_options(void)
{
    return OPTION_SET(early_stop_options);
}

/* part_bind: one of the section's maps with options of its own; left out: *out stays as it is, and that is what is resolved. */
static enum status part_bind(struct context *ctx, struct arena *arena, struct option_set set, const char *what,
                             const struct value **part, void *out)
{
    if (!*part)
        return STATUS_OK;
    RETURN_IF(options_bind(ctx, arena, set, *part, what, out));
    *part = options_value(arena, set, out);
    return *part ? STATUS_OK : ctx->error.status;
}

/* entry_name: `name` of {name: …}, or of a plain text; `initial` where there is none. NULL: error recorded. */
static const char *entry_name(struct context *ctx, const struct value *section, const char *what, const char *initial)
{
    const struct value *name = section && section->kind == VALUE_MAP ? value_get(section, "name") : section;
    if (!name)
        return initial;
    if (name->kind != VALUE_TEXT) {
        value_fail(ctx, name, STATUS_BAD_INPUT, "%s: expected a name, found %s", what, value_kind_text(name->kind));
        return NULL;
    }
    return name->text;
}

struct named {
    const char *name;
    struct option_set options;
    size_t size;
};

/* named_bind: the entry of a table that a section names, with its options; `extra` options are bound by the caller and cut out before. */
static enum status named_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *what,
                              const char *initial, const struct named *table, size_t count, size_t *index,
                              void **options, struct value **resolved)
{
    const char *name = entry_name(ctx, section, what, initial), *key = "name", *names[32];
    if (!name)
        return ctx->error.status;
    for (*index = 0; *index < count && strcmp(table[*index].name, name) != 0; ++*index)
        names[*index] = table[*index].name;
    if (*index == count) {
        const char *nearest = nearest_name(name, names, count);
        const struct value *at = section && section->kind == VALUE_MAP ? value_get(section, "name") : section;
        return value_fail(ctx, at, STATUS_BAD_INPUT, "no %s \"%s\"; %s%s%s", what, name,
                          nearest ? "nearest: \"" : "see retort list ", nearest ? nearest : what, nearest ? "\"" : "s");
    }
    const struct named *entry = &table[*index];
    const struct value *map = section && section->kind == VALUE_MAP ? value_without(arena, section, &key, 1) : NULL;
    *options = arena_take(arena, 1, entry->size);
    if (!*options)
        return ctx->error.status;
    RETURN_IF(options_bind(ctx, arena, entry->options, map, arena_format(arena, "%s %s", what, name), *options));
    struct value *named = value_set(arena, value_map(arena), "name", value_text(arena, name));
    named = value_merge(arena, named, options_value(arena, entry->options, *options));
    *resolved = named;
    return named ? STATUS_OK : ctx->error.status;
}

enum status train_settings_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                struct train_settings *out)
{
    struct section bound = {0};
    struct named optimisers[16], schedules[16];
    struct value *optimiser, *schedule, *groups;
    struct early_stop_section early_stop = {0};
    size_t index;
    void *options;
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(section_options), section, "train", &bound));
    for (size_t i = 0; i < optimiser_table_count; i++)
        optimisers[i] = (struct named){optimiser_table[i]->name,
                                       {optimiser_table[i]->options, optimiser_table[i]->n_options},
                                       optimiser_table[i]->options_size};
    for (size_t i = 0; i < schedule_table_count; i++)
        schedules[i] = (struct named){schedule_table[i]->name,
                                      {schedule_table[i]->options, schedule_table[i]->n_options},
                                      schedule_table[i]->options_size};
    RETURN_IF(named_bind(ctx, arena, bound.optimiser, "optimiser", "sgd", optimisers, optimiser_table_count, &index,
                         &options, &optimiser));
    out->optimiser.type = optimiser_table[index];
    out->optimiser.options = options;
    RETURN_IF(named_bind(ctx, arena, bound.schedule, "schedule", "constant", schedules, schedule_table_count, &index,
                         &options, &schedule));
    out->optimiser.schedule = schedule_table[index];
    out->optimiser.schedule_options = options;
    out->budget = (struct budget){.epochs = bound.epochs,
                                  .steps = bound.steps,
                                  .batch = bound.batch,
                                  .shuffle = bound.shuffle,
                                  .clip = bound.clip,
                                  .at = section};
    RETURN_IF(part_bind(ctx, arena, train_average_options(), "average", &bound.average, &out->budget.average));
    RETURN_IF(part_bind(ctx, arena, train_early_stop_options(), "early_stop", &bound.early_stop, &early_stop));
    out->budget.patience = early_stop.patience;
    RETURN_IF(layer_groups_bind(ctx, arena, bound.groups, &out->optimiser.groups, &groups));
    out->optimiser.groups.spare_norm_bias = !bound.decay_norm_bias;
    bound.groups = groups;
    bound.optimiser = optimiser;
    bound.schedule = schedule;
    out->resolved = options_value(arena, OPTION_SET(section_options), &bound);
    return out->resolved ? STATUS_OK : ctx->error.status;
}
