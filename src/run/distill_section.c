/* distill_section.c: see distill_section.h. */
#include "run/distill_section.h"

#include "run/block_section.h"
#include "scheme/terms.h"

#include <string.h>

struct distill_section {
    const char *scheme;
    const struct value *losses, *stages, *blocks, *assistants;
    int cache, cache_type, combine;
    double cache_limit, labelled_part;
    int64_t views;
};

static const char *const caches[] = {"auto", "true", "false", NULL};
static const char *const cache_types[] = {"float32", "float16", NULL};
static const char *const combinings[] = {"mean-probability", "mean-logit", "learnt", NULL}; /* enum combining */

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
    {.name = "blocks",
     .type = OPTION_VALUE,
     .offset = offsetof(struct distill_section, blocks),
     .help =
         "true, or {student: [LAYER, …], teacher: [LAYER, …], epochs: N}: the student's blocks learn first, each on "
         "the teacher's activation in front of it, side by side, then the whole"},
    {.name = "cache",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct distill_section, cache),
     .initial = "auto",
     .choices = caches,
     .help =
         "record the teacher's outputs once, for every view that the augmentation makes of a sample; auto: where that "
         "is no more work than computing them in every step of all seeds; false: compute them"},
    {.name = "cache_type",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct distill_section, cache_type),
     .initial = "float32",
     .choices = cache_types,
     .help = "of recorded outputs on disk"},
    {.name = "cache_limit",
     .type = OPTION_REAL,
     .offset = offsetof(struct distill_section, cache_limit),
     .initial = "20",
     .help = "GB (1e9 bytes) that recorded outputs of this run may take",
     .min = 0,
     .max = 1e6},
    {.name = "views",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct distill_section, views),
     .initial = "0",
     .help =
         "augmented views of a sample where a teacher teaches: at most so many, the same in each round of epochs, so "
         "that they can be recorded; 0: all that the augmentation makes",
     .min = 0,
     .max = 10000},
    {.name = "labelled_part",
     .type = OPTION_REAL,
     .offset = offsetof(struct distill_section, labelled_part),
     .initial = "0",
     .help = "the part of each batch that has a label, where the train split has samples with and without; 0: samples "
             "as they come",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "combine",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct distill_section, combine),
     .initial = "mean-probability",
     .choices = combinings,
     .help = "of several teachers; learnt: mean probability with the weights that fit the validation labels best"},
    {.name = "assistants",
     .type = OPTION_VALUE,
     .offset = offsetof(struct distill_section, assistants),
     .help = "networks between teacher and student, each distilled from the one before: a list of {network, train, "
             "losses}"},
};
enum { DISTILL_KEYS = sizeof distill_options / sizeof *distill_options };

struct option_set plan_distill_options(void)
{
    return OPTION_SET(distill_options);
}

struct assistant_section {
    const struct value *network, *train, *losses;
    int64_t seed;
};

static const struct option_spec assistant_options[] = {
    {.name = "network",
     .type = OPTION_VALUE,
     .offset = offsetof(struct assistant_section, network),
     .help = "{name: cnn, widths: …} or {layers: […]}",
     .flags = OPTION_REQUIRED},
    {.name = "train",
     .type = OPTION_VALUE,
     .offset = offsetof(struct assistant_section, train),
     .help = "epochs, batch, optimiser, schedule …"},
    {.name = "losses",
     .type = OPTION_VALUE,
     .offset = offsetof(struct assistant_section, losses),
     .help = "as distill.losses, which apply where none are given"},
    {.name = "seed",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct assistant_section, seed),
     .initial = "0",
     .help = "of its initial weights and order",
     .min = 0,
     .max = 9e15},
};

struct option_set plan_assistant_options(void)
{
    return OPTION_SET(assistant_options);
}

/* assistant_bind: `before`: who teaches it. *network: the caller's. */
static enum status assistant_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                  const struct value *losses, const struct losses_site *before, const struct plan *plan,
                                  struct assistant_plan *assistant, struct network **network, struct value **resolved)
{
    struct assistant_section bound = {0};
    struct value *terms = NULL, *stages = NULL;
    if (section->kind != VALUE_MAP)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "assistants: expected {network: …, train: …}, found %s",
                          value_kind_text(section->kind));
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(assistant_options), section, "assistants", &bound));
    assistant->own.network = bound.network;
    assistant->seed = (uint64_t)bound.seed;
    RETURN_IF(train_settings_bind(ctx, arena, bound.train, &assistant->own.train));
    RETURN_IF(plan_network(ctx, plan, &assistant->own, assistant->name, assistant->seed, network));
    const struct losses_site site = {*network, before->teachers, before->n_teachers};
    const struct staging_site staging = {&site, assistant->own.train.budget.epochs, section};
    RETURN_IF(staging_bind(ctx, arena, bound.losses ? bound.losses : losses, NULL, &staging, &assistant->staging,
                           &terms, &stages));
    bound.train = assistant->own.train.resolved;
    bound.losses = terms;
    *resolved = options_value(arena, OPTION_SET(assistant_options), &bound);
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* assistants_bind: *last: the learner that the student learns from, whose network is the caller's; untouched where there are none. */
static enum status assistants_bind(struct context *ctx, struct arena *arena, const struct distill_section *bound,
                                   const struct losses_site *site, struct plan *plan, struct learner *last,
                                   struct value **resolved)
{
    const struct value *list = bound->assistants;
    struct losses_site before = *site;
    if (!list || list->kind == VALUE_NULL)
        return STATUS_OK;
    if (list->kind != VALUE_LIST || list->count == 0)
        return value_fail(ctx, list, STATUS_BAD_INPUT,
                          "assistants: expected a list of {network: …, train: …}, found %s",
                          list->kind == VALUE_LIST ? "an empty one" : value_kind_text(list->kind));
    plan->n_assistants = (int)list->count;
    plan->assistants = arena_take(arena, list->count, sizeof *plan->assistants);
    *resolved = value_list(arena);
    if (!plan->assistants || !*resolved)
        return ctx->error.status;
    for (int i = 0; i < plan->n_assistants; i++) {
        struct network *network = NULL;
        struct value *one = NULL;
        plan->assistants[i].name = arena_format(arena, "assistant-%d", i);
        const enum status status = assistant_bind(ctx, arena, list->items[i], bound->losses, &before, plan,
                                                  &plan->assistants[i], &network, &one);
        network_free(last->network);
        *last = (struct learner){.name = plan->assistants[i].name, .network = network};
        before = (struct losses_site){NULL, last, 1};
        RETURN_IF(status);
        *resolved = value_append(arena, *resolved, one);
    }
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* scheme_choose: *left: the section without the scheme's own options, which stand beside `scheme:`. */
static enum status scheme_choose(struct context *ctx, struct arena *arena, const struct value *section,
                                 struct plan *plan, const struct value **left)
{
    const char *keys[DISTILL_KEYS + 32], **own = keys + DISTILL_KEYS; /* the section's, then the scheme's */
    size_t n_own = 0;
    const struct value *scheme = value_get(section, "scheme");
    if (scheme && scheme->kind != VALUE_TEXT)
        return value_fail(ctx, scheme, STATUS_BAD_INPUT, "scheme: expected a name, found %s",
                          value_kind_text(scheme->kind));
    plan->scheme = scheme_find(ctx, scheme ? scheme->text : "offline", scheme);
    if (!plan->scheme)
        return ctx->error.status;
    for (size_t i = 0; i < plan->scheme->n_options && n_own < 32; i++)
        own[n_own++] = plan->scheme->options[i].name;
    for (size_t i = 0; i < DISTILL_KEYS; i++)
        keys[i] = distill_options[i].name;
    RETURN_IF(options_known(
        ctx, section, arena_format(arena, "distill, scheme %s", plan->scheme->name), keys, DISTILL_KEYS + n_own,
        arena_format(arena, "`retort help section distill` and `retort help scheme %s` show all", plan->scheme->name)));
    *left = value_without(arena, section, own, n_own);
    return *left ? STATUS_OK : ctx->error.status;
}

static enum status scheme_bind(struct context *ctx, struct arena *arena, const struct value *section, struct plan *plan,
                               struct value **resolved)
{
    const char *keys[DISTILL_KEYS];
    const struct option_set set = {plan->scheme->options, plan->scheme->n_options};
    void *options = arena_take(arena, 1, plan->scheme->options_size ? plan->scheme->options_size : 1);
    for (size_t i = 0; i < DISTILL_KEYS; i++)
        keys[i] = distill_options[i].name;
    if (!options)
        return ctx->error.status;
    RETURN_IF(options_bind(ctx, arena, set, value_without(arena, section, keys, DISTILL_KEYS),
                           arena_format(arena, "scheme %s", plan->scheme->name), options));
    plan->scheme_options = options;
    *resolved = options_value(arena, set, options);
    return *resolved ? STATUS_OK : ctx->error.status;
}

static enum status cache_bind(struct context *ctx, const struct value *section, const struct distill_section *bound,
                              struct plan *plan)
{
    plan->cache = (enum caching)bound->cache;
    plan->cache_half = bound->cache_type == 1;
    plan->cache_limit = bound->cache_limit * 1e9;
    plan->views = bound->views;
    if (bound->cache == CACHE_TRUE && plan->views == 0 && augmentation_views(plan->data->augmentation) == 0)
        return value_fail(ctx, value_get(section, "cache"), STATUS_BAD_INPUT,
                          "cache: the augmentation makes too many different images of a sample to record them; say "
                          "views: 8 for so many of them, or cache: auto");
    return STATUS_OK;
}

/* labelled_part_check: a batch can be made of both kinds of samples. */
static enum status labelled_part_check(struct context *ctx, const struct plan *plan, const struct value *at)
{
    const struct split *train = &plan->data->splits[SPLIT_TRAIN];
    if (plan->labelled_part == 0 || train->count == 0)
        return STATUS_OK;
    if (train->labelled == 0 || train->labelled == train->count)
        return value_fail(ctx, at, STATUS_BAD_INPUT,
                          "labelled_part: expected training samples with a label and without, found %s of %lld with "
                          "one; leave it out%s",
                          train->labelled == 0 ? "none" : "all", (long long)train->count,
                          train->labelled == 0 ? "" : ", or use data.labelled or data.extra");
    if (plan->student.train.budget.batch < 2)
        return value_fail(ctx, at, STATUS_BAD_INPUT,
                          "labelled_part: expected a batch that has room for two kinds of samples, found "
                          "student.train.batch 1; leave labelled_part out, or use a larger batch");
    return STATUS_OK;
}

/* scheme_fits: what only goes with a teacher that is there before the student is refused, with the reason. */
static enum status scheme_fits(struct context *ctx, const struct value *section, const struct plan *plan)
{
    static const char *const frozen_only[] = {"stages", "blocks", "assistants"};
    const struct scheme *scheme = plan->scheme;
    if (scheme->teacher == TEACHER_FROZEN)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof frozen_only / sizeof *frozen_only; i++) {
        const struct value *given = value_get(section, frozen_only[i]);
        const bool empty = !given || given->kind == VALUE_NULL || (given->kind == VALUE_LIST && given->count == 0);
        if (!empty)
            return value_fail(
                ctx, given, STATUS_BAD_INPUT,
                "%s: goes with a teacher that is trained before the student, and scheme %s has none; leave "
                "it out, or say scheme: offline",
                frozen_only[i], scheme->name);
    }
    if (plan->cache == CACHE_TRUE)
        return value_fail(ctx, value_get(section, "cache"), STATUS_BAD_INPUT,
                          "cache: scheme %s has no frozen teacher whose outputs could be recorded; leave it out",
                          scheme->name);
    if (plan->inheritance.cut || plan->inheritance.layers)
        return value_fail(ctx, plan->inheritance.at, STATUS_BAD_INPUT,
                          "student: cut and init are of a teacher that is there before the student, and scheme %s has "
                          "none; leave them out",
                          scheme->name);
    return STATUS_OK;
}

/* losses_choose: the recipe's, or the scheme's own, whose options then stand beside it. */
static enum status losses_choose(struct context *ctx, struct arena *arena, const struct value *section,
                                 const struct value *losses, struct plan *plan, struct value **own)
{
    const struct scheme *scheme = plan->scheme;
    const bool given = losses && losses->kind != VALUE_NULL;
    plan->losses = losses;
    plan->distill = section;
    if (!given && scheme->losses) {
        plan->losses = scheme->losses(arena, &plan->student.train.budget, plan->scheme_options);
        return plan->losses ? STATUS_OK : ctx->error.status;
    }
    for (size_t i = scheme->n_options - scheme->n_own; given && i < scheme->n_options; i++) {
        const char *name = scheme->options[i].name;
        if (value_get(section, name))
            return value_fail(
                ctx, value_get(section, name), STATUS_BAD_INPUT,
                "%s: shapes the losses that scheme %s has of itself, and losses are given; say it there, or "
                "leave losses out",
                name, scheme->name);
        *own = value_without(arena, *own, &name, 1);
    }
    return *own ? STATUS_OK : ctx->error.status;
}

/* extending_check: only a frozen teacher's layers can become a student's own. */
static enum status extending_check(struct context *ctx, const struct scheme *scheme, const struct phase *phase)
{
    for (int i = 0; i < phase->n_terms && scheme->teacher != TEACHER_FROZEN; i++)
        if (phase->terms[i].method->extends)
            return value_fail(
                ctx, phase->terms[i].at, STATUS_BAD_INPUT,
                "losses: with method %s the student goes on through the layers of a frozen teacher, and scheme "
                "%s has none; leave it out, or say scheme: offline",
                phase->terms[i].method->name, scheme->name);
    return STATUS_OK;
}

/* losses_resolved: the layers of terms are chosen for each two networks anew, where the recipe names none. */
static struct value *losses_resolved(struct arena *arena, const struct plan *plan, const struct value *given,
                                     struct value *resolved)
{
    static const char *const sides[] = {"student", "teacher"};
    struct value *list = value_list(arena);
    if (plan->scheme->teacher == TEACHER_FROZEN)
        return resolved;
    if (!given || given->kind == VALUE_NULL)
        return NULL;
    for (size_t i = 0; resolved && i < resolved->count; i++) {
        const struct value *item = given->items[i];
        const bool named = value_get(item, sides[0]) || value_get(item, sides[1]);
        list =
            value_append(arena, list, named ? resolved->items[i] : value_without(arena, resolved->items[i], sides, 2));
    }
    return list;
}

enum status distill_bind(struct context *ctx, struct arena *arena, const struct value *section,
                         const struct losses_site *site, struct plan *plan, struct value **resolved)
{
    enum status status = STATUS_OK;
    struct distill_section bound = {0};
    struct learner last = {0};
    struct value *losses = NULL, *stages = NULL, *assistants = NULL, *own = NULL;
    const struct value *left = NULL;
    if (section && section->kind != VALUE_MAP && section->kind != VALUE_NULL)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "distill: expected a map with scheme and losses, found %s",
                          value_kind_text(section->kind));
    RETURN_IF(scheme_choose(ctx, arena, section, plan, &left));
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(distill_options), left, "distill", &bound));
    RETURN_IF(scheme_bind(ctx, arena, section, plan, &own));
    RETURN_IF(cache_bind(ctx, section, &bound, plan));
    RETURN_IF(scheme_fits(ctx, section, plan));
    RETURN_IF(losses_choose(ctx, arena, section, bound.losses, plan, &own));
    plan->combine = (enum combining)bound.combine;
    plan->labelled_part = bound.labelled_part;
    RETURN_IF(labelled_part_check(ctx, plan, value_get(section, "labelled_part")));
    struct losses_site taught = *site;
    const struct learner itself = {.name = "teacher", .network = (struct network *)(uintptr_t)site->student};
    if (plan->scheme->teacher == TEACHER_NONE) {
        taught.teachers = &itself;
        taught.n_teachers = 1;
    } else if (site->n_teachers > 0)
        TRY(assistants_bind(ctx, arena, &bound, site, plan, &last, &assistants));
    if (plan->n_assistants > 0) {
        taught.teachers = &last;
        taught.n_teachers = 1;
    }
    const int64_t epochs = plan->student.train.budget.epochs;
    const struct block_site block = {&taught, plan->scheme, bound.stages && bound.stages->kind != VALUE_NULL, epochs};
    TRY(block_section_bind(ctx, arena, bound.blocks, &block, &plan->blocks, &bound.blocks));
    const struct staging_site staging = {&taught, epochs - plan->blocks.epochs, section};
    TRY(staging_bind(ctx, arena, plan->losses, bound.stages, &staging, &plan->staging, &losses, &stages));
    const struct phase *end = &plan->staging.phases[plan->staging.count - 1];
    TRY(extending_check(ctx, plan->scheme, end));
    if (plan->blocks.count > 0)
        TRY(block_plan_terms(ctx, arena, site->student, end->terms, end->n_terms, &plan->blocks));
    TRY(labels_term(ctx, arena, end->terms, end->n_terms, &plan->student_labels));
    bound.losses = losses_resolved(arena, plan, bound.losses, losses);
    bound.stages = stages;
    bound.assistants = assistants ? assistants : bound.assistants;
    *resolved = value_merge(arena, options_value(arena, OPTION_SET(distill_options), &bound), own);
    if (!*resolved)
        TRY(ctx->error.status);
cleanup:
    network_free(last.network);
    return status;
}
