/* teachers.c: see teachers.h. */
#include "run/teachers.h"

#include "base/file.h"
#include "run/losses.h"
#include "scheme/terms.h"

#include <string.h>

struct teacher_section {
    const struct value *network, *train, *names;
    int64_t seed, members;
    const char *weights, *model, *recorded, *command;
    double timeout, weight, smoothing;
    int labels;
    struct option_integers classes;
};

static const char *const labels_given[] = {"given", "all", NULL};

static const struct option_spec teacher_options[] = {
    {.name = "network",
     .type = OPTION_VALUE,
     .offset = offsetof(struct teacher_section, network),
     .help = "{name: cnn, widths: …} or {layers: […]}"},
    {.name = "train",
     .type = OPTION_VALUE,
     .offset = offsetof(struct teacher_section, train),
     .help = "epochs, batch, optimiser, schedule … of the network"},
    {.name = "seed",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct teacher_section, seed),
     .initial = "0",
     .help = "of the network's initial weights and order",
     .min = 0,
     .max = 9e15},
    {.name = "labels",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct teacher_section, labels),
     .initial = "given",
     .choices = labels_given,
     .help = "all: it learns also from the labels that data.labelled takes away"},
    {.name = "smoothing",
     .type = OPTION_REAL,
     .offset = offsetof(struct teacher_section, smoothing),
     .initial = "0",
     .help = "of the labels that it learns from; a teacher of smoothed labels teaches less",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "members",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct teacher_section, members),
     .initial = "1",
     .help = "so many networks, trained from this seed and those that follow it: an ensemble",
     .min = 1,
     .max = ENSEMBLE_MAX},
    {.name = "weights",
     .type = OPTION_TEXT,
     .offset = offsetof(struct teacher_section, weights),
     .help = "instead of train: a safetensors file of another framework with the network's weights"},
    {.name = "names",
     .type = OPTION_VALUE,
     .offset = offsetof(struct teacher_section, names),
     .help = "what the file of `weights` calls a layer or a tensor: {our name: theirs}; the others have our names"},
    {.name = "model",
     .type = OPTION_TEXT,
     .offset = offsetof(struct teacher_section, model),
     .help = "instead of network: a model file of retort"},
    {.name = "recorded",
     .type = OPTION_TEXT,
     .offset = offsetof(struct teacher_section, recorded),
     .help = "instead of network: an NPZ file with logits, probabilities or the largest of them for each training "
             "sample"},
    {.name = "command",
     .type = OPTION_TEXT,
     .offset = offsetof(struct teacher_section, command),
     .help = "instead of network: a program that reads batches as NPY and writes logits as NPY"},
    {.name = "timeout",
     .type = OPTION_REAL,
     .offset = offsetof(struct teacher_section, timeout),
     .initial = "60",
     .help = "seconds without a byte from or to the command, after which it is stopped",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_ABOVE_MIN},
    {.name = "weight",
     .type = OPTION_REAL,
     .offset = offsetof(struct teacher_section, weight),
     .initial = "1",
     .help = "of its say among several teachers",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_ABOVE_MIN},
    {.name = "classes",
     .type = OPTION_INTEGERS,
     .offset = offsetof(struct teacher_section, classes),
     .help = "the class of the data that each of its outputs is, -1: none of them; default: they are the classes",
     .min = -1,
     .max = 1e6},
};

struct option_set teachers_options(void)
{
    return OPTION_SET(teacher_options);
}

bool teachers_combined(const struct teachers *teachers)
{
    return teachers->count > 1 || (teachers->count == 1 && teachers->items[0].classes);
}

const struct teacher_plan *teachers_find(const struct teachers *teachers, const char *name)
{
    for (int i = 0; i < teachers->count; i++)
        if (strcmp(teachers->items[i].name, name) == 0)
            return &teachers->items[i];
    return NULL;
}

/* The keys that go with a training alone. */
static const char *const of_training[] = {"train", "seed", "members", "labels", "smoothing"};
enum { OF_TRAINING = sizeof of_training / sizeof *of_training, KEYS_WITH = OF_TRAINING + 2 };

/* kind_of: which of the ways to be a teacher the section is; one must be given, and nothing that belongs to another. */
static enum status kind_of(struct context *ctx, const struct value *section, enum teacher_kind *kind)
{
    static const struct {
        const char *key;
        enum teacher_kind kind;
        const char *with[KEYS_WITH]; /* the keys that go with it alone */
    } ways[] = {
        {"network", TEACHER_TRAINED, {"train", "seed", "members", "labels", "smoothing", "weights", "names"}},
        {"model", TEACHER_MODEL, {NULL}},
        {"recorded", TEACHER_RECORDED, {NULL}},
        {"command", TEACHER_COMMAND, {"timeout"}},
    };
    enum { WAYS = sizeof ways / sizeof *ways };
    int way = -1;
    for (int i = 0; i < WAYS; i++) {
        const struct value *at = value_get(section, ways[i].key);
        if (at && way >= 0)
            return value_fail(ctx, at, STATUS_BAD_INPUT,
                              "teacher: expected one of network, model, recorded and "
                              "command, found %s and %s; make a list of two teachers, or leave one out",
                              ways[way].key, ways[i].key);
        way = at ? i : way;
    }
    if (way < 0)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "teacher: expected network, model, recorded or command, found none of them");
    for (int i = 0; i < WAYS; i++)
        for (int j = 0; i != way && j < KEYS_WITH && ways[i].with[j]; j++) {
            const struct value *at = value_get(section, ways[i].with[j]);
            if (at)
                return value_fail(ctx, at, STATUS_BAD_INPUT,
                                  "teacher: %s goes with %s, and this is one of %s; leave it out", ways[i].with[j],
                                  ways[i].key, ways[way].key);
        }
    *kind = value_get(section, "weights") ? TEACHER_WEIGHTS : ways[way].kind;
    return STATUS_OK;
}

/* weights_check: weights that are given are not trained, and there are names only for them. */
static enum status weights_check(struct context *ctx, const struct value *section, enum teacher_kind kind)
{
    const struct value *names = value_get(section, "names");
    if (names && kind != TEACHER_WEIGHTS)
        return value_fail(ctx, names, STATUS_BAD_INPUT, "teacher: names goes with weights; leave it out");
    if (names && names->kind != VALUE_MAP)
        return value_fail(ctx, names, STATUS_BAD_INPUT, "names: expected {our name: theirs}, found %s",
                          value_kind_text(names->kind));
    for (size_t i = 0; names && i < names->count; i++)
        if (names->entries[i].value->kind != VALUE_TEXT)
            return value_fail(ctx, names->entries[i].value, STATUS_BAD_INPUT, "names.%s: expected a name, found %s",
                              names->entries[i].key, value_kind_text(names->entries[i].value->kind));
    for (int i = 0; kind == TEACHER_WEIGHTS && i < OF_TRAINING; i++)
        if (value_get(section, of_training[i]))
            return value_fail(ctx, value_get(section, of_training[i]), STATUS_BAD_INPUT,
                              "teacher: its weights are given, so %s does nothing; leave one of the two out",
                              of_training[i]);
    return STATUS_OK;
}

static enum status classes_bind(struct context *ctx, struct arena *arena, const struct teacher_section *bound,
                                struct teacher_plan *plan)
{
    if (bound->classes.count == 0)
        return STATUS_OK;
    int *classes = arena_take(arena, bound->classes.count, sizeof *classes);
    if (!classes)
        return ctx->error.status;
    for (size_t i = 0; i < bound->classes.count; i++)
        classes[i] = (int)bound->classes.values[i];
    plan->outputs = (int)bound->classes.count;
    plan->classes = classes;
    return STATUS_OK;
}

static enum status teacher_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                const char *recipe, struct teacher_plan *plan, int64_t *members,
                                struct value **resolved)
{
    struct teacher_section bound = {0};
    if (section->kind != VALUE_MAP)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "teacher: expected a map, or a list of maps, found %s",
                          value_kind_text(section->kind));
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(teacher_options), section, "teacher", &bound));
    RETURN_IF(kind_of(ctx, section, &plan->kind));
    RETURN_IF(weights_check(ctx, section, plan->kind));
    plan->seed = (uint64_t)bound.seed;
    plan->own.network = bound.network;
    plan->own.all_labels = bound.labels == 1;
    plan->names = bound.names;
    plan->command = bound.command;
    plan->timeout = bound.timeout;
    plan->smoothing = bound.smoothing;
    plan->weight = bound.weight;
    plan->at = section;
    *members = bound.members;
    if (plan->kind == TEACHER_TRAINED || plan->kind == TEACHER_WEIGHTS)
        RETURN_IF(train_settings_bind(ctx, arena, bound.train, &plan->own.train));
    if (plan->kind == TEACHER_TRAINED)
        RETURN_IF(labels_smoothed(ctx, arena, bound.smoothing, &plan->labels));
    if (plan->kind == TEACHER_TRAINED)
        bound.train = plan->own.train.resolved;
    const char **file = bound.weights ? &bound.weights : bound.model ? &bound.model : &bound.recorded;
    if (*file) {
        plan->file = path_beside(ctx, arena, recipe, *file);
        *file = plan->file ? path_absolute(ctx, arena, plan->file) : NULL;
        if (!*file)
            return ctx->error.status;
    }
    RETURN_IF(classes_bind(ctx, arena, &bound, plan));
    *resolved = options_value(arena, OPTION_SET(teacher_options), &bound);
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* resolved_prune: without what belongs to other kinds of teachers, so that the resolved recipe can be read again. */
static struct value *resolved_prune(struct arena *arena, struct value *resolved, enum teacher_kind kind)
{
    static const char *const command[] = {"timeout"};
    const struct value *pruned = resolved;
    if (kind != TEACHER_TRAINED)
        pruned = value_without(arena, pruned, of_training, OF_TRAINING);
    if (kind != TEACHER_COMMAND)
        pruned = value_without(arena, pruned, command, 1);
    return pruned ? value_copy(arena, pruned) : NULL;
}

static enum status teacher_add(struct context *ctx, const struct teacher_plan *plan, int64_t members,
                               struct teachers *out)
{
    if (out->count + members > ENSEMBLE_MAX)
        return value_fail(ctx, plan->at, STATUS_BAD_INPUT, "teacher: expected at most %d of them, found more",
                          ENSEMBLE_MAX);
    for (int64_t i = 0; i < members; i++) {
        out->items[out->count] = *plan;
        out->items[out->count++].seed = plan->seed + (uint64_t)i;
    }
    return STATUS_OK;
}

static enum status names_give(struct context *ctx, struct arena *arena, struct teachers *out)
{
    for (int i = 0; i < out->count; i++) {
        out->items[i].name = out->count == 1 ? "teacher" : arena_format(arena, "teacher-%d", i);
        if (!out->items[i].name)
            return ctx->error.status;
    }
    return STATUS_OK;
}

enum status teachers_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe,
                          struct teachers *out, struct value **resolved)
{
    *out = (struct teachers){0};
    *resolved = NULL;
    if (!section || section->kind == VALUE_NULL)
        return STATUS_OK;
    const bool list = section->kind == VALUE_LIST;
    const size_t count = list ? section->count : 1;
    if (count == 0)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "teacher: expected at least one, found an empty list");
    out->items = arena_take(arena, ENSEMBLE_MAX, sizeof *out->items);
    *resolved = list ? value_list(arena) : NULL;
    if (!out->items || (list && !*resolved))
        return ctx->error.status;
    for (size_t i = 0; i < count; i++) {
        struct teacher_plan plan = {0};
        struct value *one = NULL;
        int64_t members = 1;
        RETURN_IF(teacher_bind(ctx, arena, list ? section->items[i] : section, recipe, &plan, &members, &one));
        one = resolved_prune(arena, one, plan.kind);
        RETURN_IF(teacher_add(ctx, &plan, members, out));
        *resolved = list ? value_append(arena, *resolved, one) : one;
    }
    RETURN_IF(names_give(ctx, arena, out));
    return *resolved ? STATUS_OK : ctx->error.status;
}
