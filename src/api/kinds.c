/* kinds.c: what there is of each kind, out of the tables of the rooms. */
#include "api/kinds.h"

#include "run/teachers.h"

#include "api/sections.h"
#include "data/augment.h"

#include "data/reader.h"
#include "knowledge/method.h"
#include "nn/block.h"
#include "scheme/scheme.h"
#include "train/optimiser/optimiser.h"

#include <string.h>

static size_t methods_count(const struct context *ctx)
{
    return method_count(ctx);
}

static struct kind_entry methods_entry(const struct context *ctx, size_t index)
{
    const struct method *method = method_at(ctx, index);
    return (struct kind_entry){.name = method->name,
                               .summary = method->summary,
                               .family = method_family_text(method->family),
                               .formula = method->formula,
                               .paper = method->paper,
                               .when = method->when,
                               .options = {method->options, method->n_options},
                               .options_size = method->options_size,
                               .method = method};
}

static size_t schemes_count(const struct context *ctx)
{
    (void)ctx;
    return scheme_table_count;
}

static struct kind_entry schemes_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    const struct scheme *scheme = scheme_table[index];
    return (struct kind_entry){.name = scheme->name,
                               .summary = scheme->summary,
                               .paper = scheme->paper,
                               .more = scheme->drawing,
                               .options = {scheme->options, scheme->n_options},
                               .options_size = scheme->options_size};
}

/* The ways to be a teacher; every key of `teacher:` is in `retort help section teacher`. */
static const struct {
    const char *name, *summary, *when, *example;
} teachers[] = {
    {"network", "a network that the recipe trains first, and then freezes",
     "When there is no teacher yet: one that is a few points better than the student alone is enough. Dropout, spatial "
     "dropout, stochastic depth and weight decay make a better teacher of a large network; smoothed labels make a "
     "worse "
     "one.",
     "teacher={network: {name: cnn, widths: [16, 32, 64], dropout: 0.3}, train: {epochs: 4}}"},
    {"ensemble", "several networks trained from different seeds, or a list of teachers; combined by distill.combine",
     "When the single teacher is as good as it gets: the mean of several is better than the best of them, and costs "
     "the "
     "student nothing more.",
     "teacher={network: {name: cnn, widths: [16, 32, 64]}, train: {epochs: 4}, members: 3}"},
    {"model", "a model file of retort", "When a teacher was trained before, or by another recipe.",
     "teacher={model: teacher.safetensors}"},
    {"weights", "a network with the weights of another framework, from a safetensors file",
     "When the teacher was trained elsewhere and its architecture is one of ours; `names` says what the file calls "
     "things.",
     "teacher={network: {name: cnn, widths: [16, 32, 64]}, weights: weights.safetensors}"},
    {"recorded", "outputs of any system for the training samples, from an NPZ file",
     "When the teacher cannot be run here: `retort record` and NumPy write such files.",
     "teacher={recorded: teacher.npz}"},
    {"command", "a program that reads batches as NPY on standard input and writes logits as NPY on standard output",
     "When the teacher is something else: trees, another framework, a remote model. It runs once; its answers are "
     "kept.",
     "teacher={command: \"python3 teacher.py\", timeout: 60}"},
    {"chain", "assistants between teacher and student, each distilled from the one before",
     "When the teacher is so much larger than the student that it teaches it worse than a smaller one would.",
     "distill.assistants=[{network: {name: cnn, widths: [16, 16]}, train: {epochs: 4}}]"},
};

static size_t teachers_count(const struct context *ctx)
{
    (void)ctx;
    return sizeof teachers / sizeof teachers[0];
}

static struct kind_entry teachers_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    return (struct kind_entry){.name = teachers[index].name,
                               .summary = teachers[index].summary,
                               .when = teachers[index].when,
                               .example = teachers[index].example,
                               .options = teachers_options()};
}

static size_t layers_count(const struct context *ctx)
{
    return layer_type_count(ctx) + block_table_count;
}

static struct kind_entry layers_entry(const struct context *ctx, size_t index)
{
    if (index >= layer_type_count(ctx)) {
        const struct block_type *block = block_table[index - layer_type_count(ctx)];
        return (struct kind_entry){.name = block->name,
                                   .summary = block->summary,
                                   .family = "block",
                                   .options = {block->options, block->n_options},
                                   .options_size = block->options_size};
    }
    const struct layer_type *layer = layer_type_at(ctx, index);
    return (struct kind_entry){.name = layer->name,
                               .summary = layer->summary,
                               .family = "layer",
                               .options = {layer->options, layer->n_options},
                               .options_size = layer->options_size};
}

static size_t networks_count(const struct context *ctx)
{
    (void)ctx;
    return zoo_table_count;
}

static struct kind_entry networks_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    const struct zoo_entry *zoo = zoo_table[index];
    return (struct kind_entry){.name = zoo->name,
                               .summary = zoo->summary,
                               .paper = zoo->paper,
                               .options = {zoo->options, zoo->n_options},
                               .options_size = zoo->options_size};
}

static size_t optimisers_count(const struct context *ctx)
{
    (void)ctx;
    return optimiser_table_count;
}

static struct kind_entry optimisers_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    const struct optimiser *optimiser = optimiser_table[index];
    return (struct kind_entry){.name = optimiser->name,
                               .summary = optimiser->summary,
                               .paper = optimiser->paper,
                               .options = {optimiser->options, optimiser->n_options},
                               .options_size = optimiser->options_size};
}

static size_t schedules_count(const struct context *ctx)
{
    (void)ctx;
    return schedule_table_count;
}

static struct kind_entry schedules_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    const struct schedule *schedule = schedule_table[index];
    return (struct kind_entry){.name = schedule->name,
                               .summary = schedule->summary,
                               .formula = schedule->formula,
                               .options = {schedule->options, schedule->n_options},
                               .options_size = schedule->options_size};
}

static size_t data_count(const struct context *ctx)
{
    (void)ctx;
    size_t count = 0;
    reader_table(&count);
    return count;
}

static struct kind_entry data_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    size_t count = 0;
    const struct reader *reader = reader_table(&count)[index];
    return (struct kind_entry){.name = reader->name,
                               .summary = reader->summary,
                               .more = reader->help,
                               .options = reader->options,
                               .options_size = reader->options_size,
                               .file_paths = reader->paths};
}

static size_t augments_count(const struct context *ctx)
{
    (void)ctx;
    size_t count = 0;
    augment_table(&count);
    return count;
}

static struct kind_entry augments_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    size_t count = 0;
    const struct augment *augment = augment_table(&count)[index];
    return (struct kind_entry){
        .name = augment->name, .summary = augment->summary, .paper = augment->paper, .options = {&augment->option, 1}};
}

static const struct kind kinds[] = {
    {"methods", "method", "what is taught and how: a loss each", methods_count, methods_entry, KIND_METHOD},
    {"schemes", "scheme", "who teaches whom, and when", schemes_count, schemes_entry, KIND_SCHEME},
    {"teachers", "teacher", "where a teacher comes from", teachers_count, teachers_entry, KIND_TEACHER},
    {"layers", "layer", "what a network is built of", layers_count, layers_entry, KIND_LAYER},
    {"networks", "network", "networks by name", networks_count, networks_entry, KIND_NETWORK},
    {"optimisers", "optimiser", "how gradients become steps", optimisers_count, optimisers_entry, KIND_OPTIMISER},
    {"schedules", "schedule", "the course of the learning rate", schedules_count, schedules_entry, KIND_SCHEDULE},
    {"data", "data", "data sets and file formats", data_count, data_entry, KIND_DATA},
    {"augments", "augment", "what is done to training images: data.augment", augments_count, augments_entry,
     KIND_AUGMENT},
    {"sections", "section", "what a recipe is made of", sections_count, sections_entry, KIND_SECTION},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const struct kind *kind_table(size_t *count)
{
    *count = KINDS;
    return kinds;
}

const struct kind *kind_find(struct context *ctx, const char *name)
{
    const char *names[2 * KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].plural, name) == 0 || strcmp(kinds[i].singular, name) == 0)
            return &kinds[i];
        names[2 * i] = kinds[i].plural;
        names[2 * i + 1] = kinds[i].singular;
    }
    const char *nearest = nearest_name(name, names, 2 * KINDS);
    fail(ctx, STATUS_BAD_INPUT, "no kind \"%s\"; %s%s%s", name, nearest != NULL ? "nearest: \"" : "expected ",
         nearest != NULL
             ? nearest
             : "methods, schemes, teachers, layers, networks, optimisers, schedules, data, augments or sections",
         nearest != NULL ? "\"" : "");
    return NULL;
}

int kind_entry_find(struct context *ctx, struct arena *arena, const struct kind *kind, const char *name)
{
    size_t count = kind->count(ctx);
    const char **names = arena_take(arena, count, sizeof *names);
    if (names == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        names[i] = kind->entry(ctx, i).name;
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    const char *nearest = nearest_name(name, names, count);
    fail(ctx, STATUS_BAD_INPUT, "no %s \"%s\"; %s%s%s`retort list %s` shows all", kind->singular, name,
         nearest != NULL ? "nearest: \"" : "", nearest != NULL ? nearest : "", nearest != NULL ? "\"; " : "",
         kind->plural);
    return -1;
}

/* set_text: the key, where there is something to say. */
static struct value *set_text(struct arena *arena, struct value *map, const char *key, const char *text)
{
    return text != NULL && text[0] != '\0' ? value_set(arena, map, key, value_text(arena, text)) : map;
}

static struct value *inputs_value(struct arena *arena, const struct method *method)
{
    static const char *const roles[] = {[ROLE_LOGITS] = "logits",
                                        [ROLE_EMBEDDING] = "embedding",
                                        [ROLE_MAP] = "map",
                                        [ROLE_MAP_BEFORE_ACTIVATION] = "map before activation",
                                        [ROLE_ACTIVATIONS] = "map or embedding"};
    struct value *list = value_list(arena);
    for (int i = 0; i < method->n_inputs; i++) {
        const struct method_input *input = &method->inputs[i];
        struct value *map = value_set(arena, value_map(arena), "name", value_text(arena, input->name));
        map = value_set(arena, map, "side", value_text(arena, input->side == SIDE_STUDENT ? "student" : "teacher"));
        map = value_set(arena, map, "role", value_text(arena, roles[input->role]));
        map = value_set(arena, map, "min", value_integer(arena, input->min));
        map = value_set(arena, map, "max", value_integer(arena, input->max));
        list = value_append(arena, list, map);
    }
    return list;
}

struct value *entry_value(struct arena *arena, const struct kind_entry *entry)
{
    struct value *map = value_set(arena, value_map(arena), "name", value_text(arena, entry->name));
    map = value_set(arena, map, "summary", value_text(arena, entry->summary));
    map = set_text(arena, map, "family", entry->family);
    map = set_text(arena, map, "paper", entry->paper);
    map = value_set(arena, map, "options", options_describe(arena, entry->options));
    return entry->method != NULL ? value_set(arena, map, "inputs", inputs_value(arena, entry->method)) : map;
}
