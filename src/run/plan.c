/* plan.c: binds a recipe. */
#include "run/plan.h"

#include "base/file.h"
#include "recipe/recipe.h"
#include "run/common_budget.h"
#include "run/data_argument.h"
#include "run/distill_section.h"
#include "run/teaching.h"

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
     .help = "who teaches: network and train, or model, recorded or command; or a list of such: an ensemble"},
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
    const struct value *network, *train, *cut, *init;
};

static const struct option_spec network_options[] = {
    {.name = "network",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, network),
     .help = "{name: cnn, widths: …} or {layers: […]}"},
    {.name = "train",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, train),
     .help = "epochs, batch, optimiser, schedule …"},
    {.name = "cut",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, cut),
     .help = "instead of network: the teacher's, made smaller: {width: 0.5, drop: [LAYER, …]}; channels stay by their "
             "filters' norm"},
    {.name = "init",
     .type = OPTION_VALUE,
     .offset = offsetof(struct network_section, init),
     .help =
         "of the taught student: scratch, cut (with cut, whose default it is), or {its layer: the teacher's}; alone it "
         "starts from scratch"},
};

struct option_set plan_network_options(void)
{
    return OPTION_SET(network_options);
}

struct cut_section {
    double width;
    struct option_texts drop;
};

static const struct option_spec cut_options[] = {
    {.name = "width",
     .type = OPTION_REAL,
     .offset = offsetof(struct cut_section, width),
     .initial = "1",
     .help = "the part of the channels of each layer that stay",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN},
    {.name = "drop",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct cut_section, drop),
     .help = "names or patterns (block2*) of layers that go, which do not change a shape"},
};

struct option_set plan_cut_options(void)
{
    return OPTION_SET(cut_options);
}

/* init_bind: `init: scratch`, `init: cut`, or a map of layers. */
static enum status init_bind(struct context *ctx, const struct value *init, struct inheritance *inheritance)
{
    inheritance->scratch = init && init->kind == VALUE_TEXT && strcmp(init->text, "scratch") == 0;
    if (!init || init->kind == VALUE_NULL || inheritance->scratch ||
        (inheritance->cut && init->kind == VALUE_TEXT && strcmp(init->text, "cut") == 0))
        return STATUS_OK;
    if (init->kind != VALUE_MAP || inheritance->cut)
        return value_fail(ctx, init, STATUS_BAD_INPUT, "init: expected %s",
                          inheritance->cut ? "scratch or cut, beside cut"
                                           : "scratch, or {layer of the student: layer of the teacher}");
    inheritance->layers = init;
    for (size_t i = 0; i < init->count; i++)
        if (init->entries[i].value->kind != VALUE_TEXT)
            return value_fail(ctx, init->entries[i].value, STATUS_BAD_INPUT,
                              "init.%s: expected a layer's name, found %s", init->entries[i].key,
                              value_kind_text(init->entries[i].value->kind));
    return STATUS_OK;
}

static enum status inheritance_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                    const struct network_section *bound, struct inheritance *inheritance,
                                    struct value **resolved)
{
    struct cut_section cut = {0};
    *inheritance = (struct inheritance){.cut = bound->cut && bound->cut->kind != VALUE_NULL, .at = section};
    if (inheritance->cut == (bound->network && bound->network->kind != VALUE_NULL))
        return value_fail(ctx, section, STATUS_BAD_INPUT, "student: expected network, or cut, found %s",
                          inheritance->cut ? "both; leave one out" : "neither");
    RETURN_IF(init_bind(ctx, bound->init, inheritance));
    if (!inheritance->cut)
        return STATUS_OK;
    inheritance->at = bound->cut;
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(cut_options), bound->cut, "cut", &cut));
    inheritance->how = (struct network_cut){cut.width, cut.drop.values, (int)cut.drop.count};
    *resolved = options_value(arena, OPTION_SET(cut_options), &cut);
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* network_bind: `student: {network or cut, train, init}`. */
static enum status network_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *what,
                                struct network_plan *plan, struct inheritance *inheritance, struct value **resolved)
{
    struct network_section bound = {0};
    struct value *cut = NULL;
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(network_options), section, what, &bound));
    RETURN_IF(inheritance_bind(ctx, arena, section, &bound, inheritance, &cut));
    bound.cut = cut;
    plan->network = bound.network;
    RETURN_IF(train_settings_bind(ctx, arena, bound.train, &plan->train));
    bound.train = plan->train.resolved;
    *resolved = options_value(arena, OPTION_SET(network_options), &bound);
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

/* labels_check: a network that learns from labels alone has some; `remedy`: what helps besides giving them. */
static enum status labels_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                                const struct value *section, const char *name, const char *remedy)
{
    const struct data *data = plan->data;
    const struct split *split = which->all_labels ? &data->all_labels : &data->splits[SPLIT_TRAIN];
    if (split->count > 0 && split->labelled == 0)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "%s learns from labels, and no sample of the train split has one; %sgive labels in the "
                          "data's section",
                          name, remedy);
    return which->all_labels ? data_check_all_labels(ctx, data) : STATUS_OK;
}

/* train_check: the data has what the training asks for. */
static enum status train_check(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                               const struct value *section, const char *name)
{
    RETURN_IF(batch_check(ctx, plan, which, section, name));
    return early_stop_check(ctx, plan, which, section, name);
}

/* student_cut: the student's network is what is left of the teacher's. */
static enum status student_cut(struct context *ctx, struct plan *plan, const struct teaching *teaching)
{
    struct network *cut = NULL;
    const struct network *from = teaching_network(teaching);
    if (!from)
        return value_fail(ctx, plan->inheritance.at, STATUS_BAD_INPUT,
                          "cut: expected a teacher that is a network, found none; give the student a network");
    RETURN_IF(network_cut_make(ctx, from, &plan->inheritance.how, plan->inheritance.at, "student", &cut));
    plan->student.network = network_description(plan->arena, cut);
    plan->student.described = true;
    network_free(cut);
    return plan->student.network ? STATUS_OK : ctx->error.status;
}

/* student_check: the network can be built, before anything else is done, and has the layers that its training names. */
static enum status student_check(struct context *ctx, const struct plan *plan, struct network **network)
{
    RETURN_IF(plan_network(ctx, plan, &plan->student, "student", 0, network));
    return layer_groups_check(ctx, &plan->student.train.optimiser.groups, *network);
}

/* teachers_check: the data has what the training of each asks for, and its network the layers that the training names. */
static enum status teachers_check(struct context *ctx, const struct plan *plan, const struct teaching *teaching)
{
    for (int i = 0; i < plan->teachers.count; i++) {
        const struct teacher_plan *teacher = &plan->teachers.items[i];
        if (teacher->kind != TEACHER_TRAINED)
            continue;
        RETURN_IF(layer_groups_check(ctx, &teacher->own.train.optimiser.groups, teaching->networks[i]));
        if (plan->scheme->teacher == TEACHER_FROZEN) /* else its batches are the student's */
            RETURN_IF(train_check(ctx, plan, &teacher->own, teacher->at, "teacher"));
        RETURN_IF(labels_check(ctx, plan, &teacher->own, teacher->at, "the teacher",
                               plan->data->all_labels.labelled > 0 ? "say teacher.labels: all, or " : ""));
    }
    return STATUS_OK;
}

/* scheme_teachers_check: the recipe's teachers are those that its scheme is about. */
static enum status scheme_teachers_check(struct context *ctx, const struct plan *plan, const struct value *recipe)
{
    const struct scheme *scheme = plan->scheme;
    const struct teachers *teachers = &plan->teachers;
    const struct value *at = value_get(recipe, "teacher");
    if (scheme->teacher == TEACHER_NONE && teachers->count > 0)
        return value_fail(ctx, at, STATUS_BAD_INPUT,
                          "scheme %s has no teacher beside the networks that it trains; leave teacher: out, or say "
                          "scheme: offline",
                          scheme->name);
    if (scheme->teacher != TEACHER_NONE && teachers->count == 0)
        return value_fail(ctx, recipe, STATUS_BAD_INPUT, "scheme %s needs a teacher: section; found none",
                          scheme->name);
    if (scheme->teacher == TEACHER_LEARNS && (teachers->count > 1 || teachers->items[0].kind != TEACHER_TRAINED))
        return value_fail(ctx, at, STATUS_BAD_INPUT,
                          "scheme %s: expected one teacher with a network, which learns with the student, found %s",
                          scheme->name, teachers->count > 1 ? "several" : "one that is given");
    return STATUS_OK;
}

/* What the sections are looked at with. */
struct looking {
    const struct value *recipe;
    struct network *student;
    struct teaching teaching; /* empty where there is no teacher, or none is needed */
};

/* sections_bind: everything but the text of what was resolved. */
static enum status sections_bind(struct context *ctx, struct arena *arena, const char *path, bool student_only,
                                 struct plan *plan, struct looking *look)
{
    struct top top = {0};
    struct value *teacher = NULL, *student = NULL, *distill = NULL;
    *plan = (struct plan){.arena = arena};
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(top_options), look->recipe, "recipe", &top));
    plan->precision = top.precision == 0 ? ELEMENT_F32 : ELEMENT_F64;
    plan->baseline = top.baseline;
    plan->seeds = top.seeds;
    plan->name = plan_name(arena, path);
    RETURN_IF(seeds_check(ctx, plan, value_get(look->recipe, "seeds")));
    RETURN_IF(network_bind(ctx, arena, top.student, "student", &plan->student, &plan->inheritance, &student));
    RETURN_IF(teachers_bind(ctx, arena, top.teacher, path, &plan->teachers, &teacher));
    RETURN_IF(data_open(ctx, arena, top.data, path, &plan->data));
    RETURN_IF(data_network_input(ctx, arena, plan->data, &plan->input));
    if (!student_only || plan->inheritance.cut)
        RETURN_IF(teaching_open(ctx, arena, plan, &look->teaching));
    if (plan->inheritance.cut)
        RETURN_IF(student_cut(ctx, plan, &look->teaching));
    RETURN_IF(student_check(ctx, plan, &look->student));
    const struct losses_site site = {look->student, look->teaching.learners, look->teaching.n_learners};
    RETURN_IF(distill_bind(ctx, arena, top.distill, &site, plan, &distill));
    if (plan->n_assistants > 0 && (plan->inheritance.cut || plan->inheritance.layers))
        return value_fail(
            ctx, plan->inheritance.at, STATUS_BAD_INPUT,
            "student: cut and init are of the teacher, and the student learns from an assistant; leave one "
            "of the two out");
    if (!student_only)
        RETURN_IF(scheme_teachers_check(ctx, plan, look->recipe));
    if (!student_only && plan->scheme->teacher == TEACHER_LEARNS)
        RETURN_IF(common_budget_take(ctx, arena, top.teacher, teacher, student));
    RETURN_IF(train_check(ctx, plan, &plan->student, top.student, "student"));
    if (!student_only)
        RETURN_IF(teachers_check(ctx, plan, &look->teaching));
    if (student_only || plan->baseline)
        RETURN_IF(labels_check(ctx, plan, &plan->student, top.student, "the student alone",
                               student_only ? "" : "say baseline: false, or "));
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
    struct looking look = {.recipe = recipe};
    enum status status = sections_bind(ctx, arena, path, student_only, plan, &look);
    network_free(look.student);
    teaching_close(ctx, &look.teaching);
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
    if (which->described)
        return network_rebuild(ctx, which->network, name, plan->precision, seed, network);
    return network_build(ctx, which->network, name, &plan->input, plan->precision, seed, network);
}
