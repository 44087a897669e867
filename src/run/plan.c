/* plan.c: binds a recipe. */
#include "run/plan.h"

#include "base/file.h"
#include "recipe/recipe.h"
#include "run/data_argument.h"
#include "run/losses.h"

#include <string.h>

static const char *const precisions[] = {"f32", "f64", NULL};

struct top {
    const struct value *data, *teacher, *student, *distill;
    bool baseline;
    struct option_integers seeds;
    int precision;
};

static const struct option_spec top_options[] = {
    {.name = "data",
     .type = OPTION_VALUE,
     .offset = offsetof(struct top, data),
     .help = "what is learnt from",
     .flags = OPTION_REQUIRED},
    {.name = "teacher",
     .type = OPTION_VALUE,
     .offset = offsetof(struct top, teacher),
     .help = "the network that teaches: network, train, seed"},
    {.name = "student",
     .type = OPTION_VALUE,
     .offset = offsetof(struct top, student),
     .help = "the network that learns: network, train",
     .flags = OPTION_REQUIRED},
    {.name = "distill", .type = OPTION_VALUE, .offset = offsetof(struct top, distill), .help = "scheme, losses"},
    {.name = "baseline",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct top, baseline),
     .initial = "true",
     .help = "also train the student alone, from the same initial weights, with the same budget"},
    {.name = "seeds",
     .type = OPTION_INTEGERS,
     .offset = offsetof(struct top, seeds),
     .initial = "[0]",
     .help = "one run of the student each",
     .min = 0,
     .max = 9e15},
    {.name = "precision",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct top, precision),
     .initial = "f32",
     .choices = precisions,
     .help = "f64 computes everything in double"},
};

struct option_set plan_recipe_options(void)
{
    return OPTION_SET(top_options);
}

struct network_section {
    const struct value *network, *train;
    int64_t seed;
};

static const struct option_spec network_options[] = {
    {.name = "network",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, network),
     .help = "{name: cnn, widths: …} or {layers: […]}",
     .flags = OPTION_REQUIRED},
    {.name = "train",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, train),
     .help = "epochs, batch, optimiser, schedule …"},
    {.name = "seed",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct network_section, seed),
     .initial = "0",
     .help = "of the teacher's initial weights and order; not of the student, which has `seeds`",
     .min = 0,
     .max = 9e15},
};

struct option_set plan_network_options(void)
{
    return OPTION_SET(network_options);
}

/* network_bind: `student: {network, train}` or `teacher: {network, train, seed}`. */
static enum status network_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *what,
                                bool seeded, struct network_plan *plan, uint64_t *seed, struct value **resolved)
{
    struct network_section bound = {0};
    struct option_set options = {network_options, seeded ? 3 : 2};
    RETURN_IF(options_bind(ctx, arena, options, section, what, &bound));
    plan->network = bound.network;
    RETURN_IF(train_settings_bind(ctx, arena, bound.train, &plan->train));
    bound.train = plan->train.resolved;
    if (seeded)
        *seed = (uint64_t)bound.seed;
    *resolved = options_value(arena, options, &bound);
    return *resolved ? STATUS_OK : ctx->error.status;
}

struct distill_section {
    const char *scheme;
    const struct value *losses, *stages;
    int cache;
};

static const char *const caches[] = {"auto", "true", "false", NULL};

static const struct option_spec distill_options[] = {
    {.name = "scheme",
     .type = OPTION_TEXT,
     .offset = offsetof(struct distill_section, scheme),
     .initial = "offline",
     .help = "who teaches whom, and when: see retort list schemes"},
    {.name = "losses",
     .type = OPTION_VALUE,
     .offset = offsetof(struct distill_section, losses),
     .help = "a list of {method, weight, …}"},
    {.name = "stages",
     .type = OPTION_VALUE,
     .offset = offsetof(struct distill_section, stages),
     .help = "instead of losses: a list of {losses, epochs, …}, one after another"},
    {.name = "cache",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct distill_section, cache),
     .initial = "auto",
     .choices = caches,
     .help = "record the teacher's outputs once, for every view that the augmentation makes of a sample (at most 64); "
             "auto: where that is no more work than computing them in every step of all seeds; false: compute them"},
};
enum { DISTILL_KEYS = sizeof distill_options / sizeof *distill_options };

struct option_set plan_distill_options(void)
{
    return OPTION_SET(distill_options);
}

/* The networks of a plan, built to be looked at. */
struct looked_at {
    struct network *student, *teacher; /* teacher NULL: the recipe has none */
};

static enum status distill_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                const struct looked_at *networks, struct plan *plan, struct value **resolved)
{
    struct distill_section bound = {0};
    const char *keys[DISTILL_KEYS], *own[32];
    size_t n_own = 0;
    for (size_t i = 0; i < DISTILL_KEYS; i++)
        keys[i] = distill_options[i].name;
    if (section && section->kind != VALUE_MAP && section->kind != VALUE_NULL)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "distill: expected a map with scheme and losses, found %s",
                          value_kind_text(section->kind));
    const struct value *scheme = value_get(section, "scheme");
    if (scheme && scheme->kind != VALUE_TEXT)
        return value_fail(ctx, scheme, STATUS_BAD_INPUT, "scheme: expected a name, found %s",
                          value_kind_text(scheme->kind));
    plan->scheme = scheme_find(ctx, scheme ? scheme->text : "offline", scheme);
    if (!plan->scheme)
        return ctx->error.status;
    /* The scheme's own options stand beside `scheme:`; whatever neither knows is reported by the common ones. */
    for (size_t i = 0; i < plan->scheme->n_options && n_own < 32; i++)
        own[n_own++] = plan->scheme->options[i].name;
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(distill_options), value_without(arena, section, own, n_own),
                           "distill", &bound));
    void *options = arena_take(arena, 1, plan->scheme->options_size ? plan->scheme->options_size : 1);
    struct option_set scheme_set = {plan->scheme->options, plan->scheme->n_options};
    if (!options)
        return ctx->error.status;
    RETURN_IF(options_bind(ctx, arena, scheme_set, value_without(arena, section, keys, DISTILL_KEYS),
                           arena_format(arena, "scheme %s", plan->scheme->name), options));
    plan->scheme_options = options;
    plan->cache = (enum cache)bound.cache;
    if (bound.cache == CACHE_TRUE && augmentation_views(plan->data->augmentation) == 0)
        return value_fail(ctx, value_get(section, "cache"), STATUS_BAD_INPUT,
                          "cache: the augmentation makes too many different images of a sample to record them; use "
                          "cache: auto, or flips and small shifts alone");
    struct value *losses = NULL, *stages = NULL;
    const struct staging_site site = {networks->student, networks->teacher, plan->student.train.budget.epochs, section};
    RETURN_IF(staging_bind(ctx, arena, bound.losses, bound.stages, &site, &plan->staging, &losses, &stages));
    const struct phase *last = &plan->staging.phases[plan->staging.count - 1];
    RETURN_IF(labels_term(ctx, arena, last->terms, last->n_terms, &plan->student_labels));
    RETURN_IF(labels_term(ctx, arena, NULL, 0, &plan->teacher_labels));
    bound.losses = losses;
    bound.stages = stages;
    *resolved = value_merge(arena, options_value(arena, OPTION_SET(distill_options), &bound),
                            options_value(arena, scheme_set, options));
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* plan_name: "recipes/fashion-mnist.yaml" -> "fashion-mnist". */
static const char *plan_name(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = arena_text(arena, slash ? slash + 1 : path);
    char *dot = name ? strrchr(name, '.') : NULL;
    if (dot && dot != name)
        *dot = '\0';
    return name;
}

static enum status text_make(struct context *ctx, struct plan *plan)
{
    struct text text;
    text_init(&text, ctx);
    enum status status = recipe_write(ctx, plan->resolved, &text);
    plan->text = status == STATUS_OK && text.bytes ? arena_text(plan->arena, text.bytes) : NULL;
    text_free(&text);
    if (status != STATUS_OK || !plan->text)
        return ctx->error.status;
    sha256_hex(plan->text, strlen(plan->text), plan->sha256);
    return STATUS_OK;
}

static enum status seeds_check(struct context *ctx, const struct plan *plan, const struct value *at)
{
    if (plan->seeds.count == 0)
        return value_fail(ctx, at, STATUS_BAD_INPUT, "seeds: expected at least one number, found an empty list");
    for (size_t i = 0; i < plan->seeds.count; i++)
        for (size_t j = 0; j < i; j++)
            if (plan->seeds.values[i] == plan->seeds.values[j])
                return value_fail(ctx, at, STATUS_BAD_INPUT, "seeds: %lld stands twice; each seed names its own models",
                                  (long long)plan->seeds.values[i]);
    return STATUS_OK;
}

/* batch_check: a batch is full, so the training data must fill one. */
static enum status batch_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                               const struct value *section, const char *name)
{
    int64_t batch = which->train.budget.batch, samples = plan->data->splits[SPLIT_TRAIN].count;
    const struct value *at = value_get(value_get(section, "train"), "batch");
    if (batch <= samples || which->train.budget.steps == 0 || samples == 0)
        return STATUS_OK;
    return value_fail(ctx, at ? at : section, STATUS_BAD_INPUT,
                      "%s.train.batch: expected at most the %lld samples of the train split, found %lld; use a smaller "
                      "batch, or less validation",
                      name, (long long)samples, (long long)batch);
}

/* early_stop_check: there is something to look at. */
static enum status early_stop_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                                    const struct value *section, const char *name)
{
    const struct split *validation = &plan->data->splits[SPLIT_VALIDATION];
    if (which->train.budget.patience == 0 || validation->labelled > 0)
        return STATUS_OK;
    return value_fail(
        ctx, value_path(section, "train.early_stop"), STATUS_BAD_INPUT,
        "%s.train.early_stop: looks at validation accuracy, and there are no labelled validation samples; "
        "add `validation: 5000` to data",
        name);
}

/* train_check: the data has what the training asks for. */
static enum status train_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                               const struct value *section, const char *name)
{
    RETURN_IF(batch_check(ctx, plan, which, section, name));
    return early_stop_check(ctx, plan, which, section, name);
}

/* network_check: the network can be built, before anything else is done, and has the layers that its training names. */
static enum status network_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                                 const char *name, struct network **network)
{
    RETURN_IF(plan_network(ctx, plan, which, name, 0, network));
    return layer_groups_check(ctx, &which->train.optimiser.groups, *network);
}

/* sections_bind: everything but the text of what was resolved. */
static enum status sections_bind(struct context *ctx, struct arena *arena, const struct value *recipe, const char *path,
                                 bool student_only, struct plan *plan, struct looked_at *networks)
{
    struct top top = {0};
    struct value *teacher = NULL, *student = NULL, *distill = NULL;
    *plan = (struct plan){.arena = arena};
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(top_options), recipe, "recipe", &top));
    plan->precision = top.precision == 0 ? ELEMENT_F32 : ELEMENT_F64;
    plan->baseline = top.baseline;
    plan->seeds = top.seeds;
    plan->name = plan_name(arena, path);
    RETURN_IF(seeds_check(ctx, plan, value_get(recipe, "seeds")));
    RETURN_IF(network_bind(ctx, arena, top.student, "student", false, &plan->student, NULL, &student));
    plan->has_teacher = top.teacher && top.teacher->kind != VALUE_NULL;
    if (plan->has_teacher)
        RETURN_IF(
            network_bind(ctx, arena, top.teacher, "teacher", true, &plan->teacher, &plan->teacher_seed, &teacher));
    RETURN_IF(data_open(ctx, arena, top.data, path, &plan->data));
    RETURN_IF(data_network_input(ctx, arena, plan->data, &plan->input));
    RETURN_IF(network_check(ctx, plan, &plan->student, "student", &networks->student));
    if (plan->has_teacher)
        RETURN_IF(network_check(ctx, plan, &plan->teacher, "teacher", &networks->teacher));
    RETURN_IF(distill_bind(ctx, arena, top.distill, networks, plan, &distill));
    if (!student_only && plan->scheme->wants_teacher && !plan->has_teacher)
        return value_fail(ctx, recipe, STATUS_BAD_INPUT, "scheme %s needs a teacher: section; found none",
                          plan->scheme->name);
    RETURN_IF(train_check(ctx, plan, &plan->student, top.student, "student"));
    if (plan->has_teacher && !student_only)
        RETURN_IF(train_check(ctx, plan, &plan->teacher, top.teacher, "teacher"));
    top.data = plan->data->resolved;
    top.teacher = teacher;
    top.student = student;
    top.distill = distill;
    plan->resolved = options_value(arena, OPTION_SET(top_options), &top);
    return plan->resolved ? STATUS_OK : ctx->error.status;
}

enum status plan_make(struct context *ctx, struct arena *arena, const struct value *recipe, const char *path,
                      bool student_only, struct plan *plan)
{
    struct looked_at networks = {NULL, NULL};
    enum status status = sections_bind(ctx, arena, recipe, path, student_only, plan, &networks);
    network_free(networks.student);
    network_free(networks.teacher);
    return status == STATUS_OK ? text_make(ctx, plan) : status;
}

void plan_free(struct context *ctx, struct plan *plan)
{
    data_free(ctx, plan->data);
    plan->data = NULL;
}

enum status plan_network(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                         const char *name, uint64_t seed, struct network **network)
{
    return network_build(ctx, which->network, name, &plan->input, plan->precision, seed, network);
}
