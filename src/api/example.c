/* example.c: a recipe that uses an entry, made from its table, so that no example can be out of date. */
#include "api/kinds.h"

#include "base/additions.h"
#include "base/text.h"
#include "knowledge/method.h"
#include "nn/layer.h"
#include "nn/network.h"
#include "recipe/recipe.h"
#include "scheme/scheme.h"

#include <math.h>
#include <string.h>

static const char base_recipe[] =
    "data: {name: fashion-mnist, validation: 5000}\n"
    "teacher:\n"
    "  network: {name: cnn, widths: [16, 32, 64]}\n"
    "  train: {epochs: 4, optimiser: {name: sgd, rate: 0.1}, schedule: {name: one-cycle}}\n"
    "student:\n"
    "  network: {name: cnn, widths: [8, 16]}\n"
    "  train: {epochs: 4, optimiser: {name: sgd, rate: 0.1}, schedule: {name: one-cycle}}\n"
    "distill:\n"
    "  losses:\n"
    "    - {method: labels, weight: 0.1}\n"
    "    - {method: kd, temperature: 4, weight: 0.9}\n"
    "seeds: [0]\n";

/* Networks whose layers are named, for methods that read maps. */
static const char tapped_network[] =
    "{layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}, name: before}, "
    "{relu: {}, name: after}, {global_average_pool: {}, name: pooled}, {linear: {out: 10}, name: scores}]}";

/* Where a layer can stand; the first list in which the network can be built is the example. X is the layer. */
static const char *const layer_lists[] = {
    "{layers: [{conv: {out: 8, kernel: 3, padding: 1}, name: a}, {X}, global_average_pool, {linear: {out: 10}}]}",
    "{layers: [{conv: {out: 8, kernel: 3, padding: 1}, name: a}, {X}, {linear: {out: 10}}]}",
    "{layers: [{conv: {out: 8, kernel: 3, padding: 1}, name: a}, global_average_pool, {X}, {linear: {out: 10}}]}",
    ("{layers: [{conv: {out: 8, kernel: 7, stride: 7}, name: a}, tokens, {X}, global_average_pool, "
     "{linear: {out: 10}}]}"),
    ("{layers: [flatten, {linear: {out: 8}}, {relu: {}, name: trunk}, {linear: {out: 2}, name: gate}, "
     "{linear: {out: 10}, inputs: [trunk], name: a}, {linear: {out: 10}, inputs: [trunk], name: b}, "
     "{X, inputs: [gate, a, b]}]}"),
    ("{layers: [{conv: {out: 8, kernel: 3, padding: 1}, name: a}, {conv: {out: 8, kernel: 3, padding: 1}, name: b}, "
     "{X, inputs: [a, b]}, global_average_pool, {linear: {out: 10}}]}"),
};

struct example {
    struct context *ctx;
    struct arena *arena;
    const struct kind_entry *entry;
    struct value *recipe;
};

/* set: "path=value" into the recipe. */
static enum status set(const struct example *example, const char *path, const char *value)
{
    const char *assignment = arena_format(example->arena, "%s=%s", path, value);
    return assignment == NULL ? example->ctx->error.status
                              : recipe_set(example->ctx, example->arena, example->recipe, assignment);
}

/* required_text: a value for an option that must be given. */
static const char *required_text(const struct example *example, const struct option_spec *spec)
{
    switch (spec->type) {
    case OPTION_CHOICE:
        return spec->choices[0];
    case OPTION_BOOLEAN:
        return "true";
    case OPTION_REAL:
    case OPTION_SCHEDULED:
        return arena_format(example->arena, "%g",
                            spec->max > spec->min && isfinite(spec->max) ? fmin(0.5, spec->max) : 0.5);
    case OPTION_INTEGER:
        return strcmp(spec->name, "out") == 0 ? "8" : arena_format(example->arena, "%g", fmax(2, spec->min));
    case OPTION_PAIR:
    case OPTION_INTEGERS:
    case OPTION_REALS:
        return arena_format(example->arena, "%g", fmax(3, spec->min));
    case OPTION_VALUE: /* the layers of a block */
        return "[{conv: {out: 8, kernel: 3, padding: 1}}]";
    default:
        return "example";
    }
}

/* options_text: "name: value" of the options that must be given, each behind a comma. NULL: error recorded. */
static const char *options_text(const struct example *example)
{
    const char *text = "";
    const struct option_set *options = &example->entry->options;
    for (size_t i = 0; i < options->count && text != NULL; i++) {
        const char *value =
            options->specs[i].flags & OPTION_REQUIRED ? required_text(example, &options->specs[i]) : NULL;
        if (value != NULL)
            text = arena_format(example->arena, "%s, %s: %s", text, options->specs[i].name, value);
    }
    return text;
}

/* named_text: "{name: NAME, required options}". */
static const char *named_text(const struct example *example)
{
    const char *options = options_text(example);
    return options == NULL ? NULL : arena_format(example->arena, "{name: %s%s}", example->entry->name, options);
}

/* taps_text: a tap for each input of a side; "" where nothing but logits is read, which then need no naming. */
static const char *taps_text(const struct example *example, enum side side)
{
    static const char *const taps[] = {[ROLE_LOGITS] = "scores",
                                       [ROLE_EMBEDDING] = "pooled",
                                       [ROLE_MAP] = "after",
                                       [ROLE_MAP_BEFORE_ACTIVATION] = "before",
                                       [ROLE_ACTIVATIONS] = "after"};
    const char *text = "";
    const struct method *method = example->entry->method;
    if (!method_reads_layers(method, side))
        return text;
    for (int i = 0; i < method->n_inputs; i++) {
        const struct method_input *input = &method->inputs[i];
        const int count = input->side == side ? method_taps(method, i) : 0;
        for (int n = 0; text != NULL && n < count; n++)
            text = arena_format(example->arena, "%s%s%s", text, text[0] != '\0' ? ", " : "", taps[input->role]);
    }
    if (text == NULL || text[0] == '\0')
        return text;
    return arena_format(example->arena, ", %s: [%s]", side == SIDE_STUDENT ? "student" : "teacher", text);
}

static enum status example_method(const struct example *example)
{
    struct context *ctx = example->ctx;
    struct arena *arena = example->arena;
    const struct kind_entry *entry = example->entry;
    const char *required = options_text(example), *student = taps_text(example, SIDE_STUDENT);
    const char *teacher = taps_text(example, SIDE_TEACHER);
    if (required == NULL || student == NULL || teacher == NULL)
        return ctx->error.status;
    bool tapped = student[0] != '\0' || teacher[0] != '\0', labels = strcmp(entry->name, "labels") == 0;
    const char *term = arena_format(arena, "{method: %s, weight: 0.9%s%s%s}", entry->name, student, teacher, required);
    const char *losses =
        arena_format(arena, labels ? "[%s, {method: kd, weight: 0.1}]" : "[{method: labels, weight: 0.1}, %s]", term);
    if (term == NULL || losses == NULL)
        return ctx->error.status;
    if (tapped) {
        RETURN_IF(set(example, "student.network", tapped_network));
        RETURN_IF(set(example, "teacher.network", tapped_network));
    }
    return set(example, "distill.losses", losses);
}

/* layer_fits: a network with this list can be built on the example's images. */
static bool layer_fits(const struct example *example)
{
    struct context trial;
    struct network *network = NULL;
    const double mean = 0.3, deviation = 0.3;
    struct network_input input = {1, 28, 28, 10, &mean, &deviation};
    context_child(example->ctx, &trial);
    enum status status = network_build(&trial, value_path(example->recipe, "student.network"), "example", &input,
                                       ELEMENT_F32, 0, &network);
    network_free(network);
    return status == STATUS_OK;
}

static bool layer_from_outside(const struct context *ctx, const char *name)
{
    for (size_t i = 0; i < additions_count(ctx, ADDITION_LAYER); i++) {
        const struct layer_type *type = additions_at(ctx, ADDITION_LAYER, i);
        if (strcmp(type->name, name) == 0)
            return true;
    }
    return false;
}

static enum status example_layer(const struct example *example)
{
    const char *required = options_text(example);
    if (required == NULL)
        return example->ctx->error.status;
    const char *layer = arena_format(example->arena, "%s: {%s}, name: example", example->entry->name,
                                     required[0] != '\0' ? required + 2 : "");
    for (size_t i = 0; layer != NULL && i < sizeof layer_lists / sizeof layer_lists[0]; i++) {
        const char *place = strchr(layer_lists[i], 'X');
        const char *network =
            arena_format(example->arena, "%.*s%s%s", (int)(place - layer_lists[i]), layer_lists[i], layer, place + 1);
        if (network == NULL)
            return example->ctx->error.status;
        RETURN_IF(set(example, "student.network", network));
        if (layer_fits(example))
            return STATUS_OK;
    }
    if (layer_from_outside(example->ctx, example->entry->name))
        return STATUS_OK; /* one that needs a network of its own kind: the last list shows how it is written */
    return fail(example->ctx, STATUS_UNSUPPORTED, "no example for layer %s: this is our mistake, please report it",
                example->entry->name);
}

/* example_data: a reader of the user's own files is shown with names for them. */
static enum status example_data(const struct example *example)
{
    const char *files = "";
    const struct kind_entry *entry = example->entry;
    for (size_t i = 0; entry->file_paths != NULL && entry->file_paths[i] != NULL && files != NULL; i++)
        for (size_t j = 0; j < entry->options.count && files != NULL; j++)
            if (strcmp(entry->options.specs[j].name, entry->file_paths[i]) == 0 &&
                entry->options.specs[j].initial == NULL)
                files = arena_format(example->arena, "%s%s%s: %s.gz", files, files[0] != '\0' ? ", " : "",
                                     entry->file_paths[i], entry->file_paths[i]);
    if (files == NULL)
        return example->ctx->error.status;
    const char *section = files[0] == '\0'
                              ? arena_format(example->arena, "{name: %s, validation: 5000}", entry->name)
                              : arena_format(example->arena, "{%s: {%s}, validation: 5000}", entry->name, files);
    return section == NULL ? example->ctx->error.status : set(example, "data", section);
}

/* example_augment: its setting, by the type that this has. */
static enum status example_augment(const struct example *example)
{
    enum option_type type = example->entry->options.specs[0].type;
    const char *value = type == OPTION_BOOLEAN ? "true" : type == OPTION_INTEGER ? "2" : "0.2";
    const char *path = arena_format(example->arena, "data.augment.%s", example->entry->name);
    return path == NULL ? example->ctx->error.status : set(example, path, value);
}

static enum status example_section(const struct example *example)
{
    return recipe_set(example->ctx, example->arena, example->recipe, example->entry->example);
}

/* example_scheme: with its own losses; without a teacher where it takes none. */
static enum status example_scheme(struct example *example)
{
    static const char *const teacher[] = {"teacher"};
    const struct scheme *scheme = scheme_find(example->ctx, example->entry->name, NULL);
    if (scheme == NULL)
        return example->ctx->error.status;
    if (scheme->teacher == TEACHER_NONE)
        example->recipe = value_without(example->arena, example->recipe, teacher, 1);
    if (scheme->teacher == TEACHER_FROZEN)
        return set(example, "distill.scheme", example->entry->name);
    const char *section = arena_format(example->arena, "{scheme: %s}", scheme->name);
    return section == NULL ? example->ctx->error.status : set(example, "distill", section);
}

static enum status example_fill(struct example *example, enum kind_id kind)
{
    const char *named = named_text(example);
    if (named == NULL)
        return example->ctx->error.status;
    switch (kind) {
    case KIND_METHOD:
        return example_method(example);
    case KIND_SCHEME:
        return example_scheme(example);
    case KIND_TEACHER:
        return example_section(example);
    case KIND_LAYER:
        return example_layer(example);
    case KIND_NETWORK:
        return set(example, "student.network", named);
    case KIND_OPTIMISER:
        return set(example, "student.train.optimiser", named);
    case KIND_SCHEDULE:
        return set(example, "student.train.schedule", named);
    case KIND_AUGMENT:
        return example_augment(example);
    case KIND_SECTION:
        return example_section(example);
    case KIND_DATA:
        return example_data(example);
    }
    return STATUS_OK;
}

const char *example_recipe(struct context *ctx, struct arena *arena, const struct kind *kind,
                           const struct kind_entry *entry)
{
    struct example example = {ctx, arena, entry, NULL};
    struct text yaml;
    char *taken = NULL;
    const char *out = NULL;
    text_init(&yaml, ctx);
    if (recipe_parse(ctx, arena, "example", base_recipe, sizeof base_recipe - 1, &example.recipe) == STATUS_OK &&
        example_fill(&example, kind->id) == STATUS_OK && recipe_write(ctx, example.recipe, &yaml) == STATUS_OK)
        taken = text_take(&yaml);
    if (taken != NULL)
        out = arena_text(arena, taken);
    memory_free(ctx, taken);
    text_free(&yaml);
    return out;
}
