/* staging.c: see staging.h. */
#include "run/staging.h"

#include <string.h>

static const char last_name[] = "distilled";
static const char *const learners[] = {"auto", "own", NULL};

struct stage_section {
    const char *name;
    const struct value *losses;
    int64_t epochs;
    int learners;
};

static const struct option_spec stage_options[] = {
    {.name = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct stage_section, name),
     .help = "of its models and in the record; default: stage1, stage2 …; the last is always distilled"},
    {.name = "losses",
     .type = OPTION_VALUE,
     .offset = offsetof(struct stage_section, losses),
     .help = "as distill.losses"},
    {.name = "epochs",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct stage_section, epochs),
     .initial = "0",
     .help = "of the student's training; 0, for the last stage only: what the others leave",
     .min = 0,
     .max = 1e9},
    {.name = "learners",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct stage_section, learners),
     .initial = "auto",
     .choices = learners,
     .help =
         "own: the methods' own parts alone, the student stays as it is; auto: the student too, where a loss reads it"},
};

struct option_set staging_options(void)
{
    return OPTION_SET(stage_options);
}

static enum status terms_bind(struct context *ctx, struct arena *arena, const struct value *losses,
                              const struct value *at, const struct staging_site *site, struct phase *phase,
                              struct value **resolved)
{
    return losses_bind(ctx, arena, losses, at, site->networks, &phase->terms, &phase->n_terms, resolved);
}

static bool good_name(const char *name)
{
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name) &&
           strcmp(name, "teacher") != 0 && strcmp(name, "alone") != 0 && strcmp(name, "student") != 0;
}

/* name_check: names make files: of letters, digits, - and _, each once; the last stage's is fixed. */
static enum status name_check(struct context *ctx, const struct value *item, const struct staging *all, int index)
{
    const char *name = all->phases[index].name;
    const struct value *at = value_get(item, "name");
    const bool last = index == all->count - 1;
    if (last != (strcmp(name, last_name) == 0))
        return value_fail(ctx, at ? at : item, STATUS_BAD_INPUT,
                          last ? "stages: the last stage is called %s, found \"%s\"; leave its name out"
                               : "stages: %s is the last stage's name, found \"%s\" before it; choose another",
                          last_name, name);
    if (!good_name(name))
        return value_fail(ctx, at ? at : item, STATUS_BAD_INPUT,
                          "stages: expected a name of letters, digits, - and _ that is not teacher, alone or student, "
                          "found \"%s\"",
                          name);
    for (int i = 0; i < index; i++)
        if (strcmp(all->phases[i].name, name) == 0)
            return value_fail(ctx, at ? at : item, STATUS_BAD_INPUT, "stages: \"%s\" stands twice; names are unique",
                              name);
    return STATUS_OK;
}

static enum status stage_bind(struct context *ctx, struct arena *arena, const struct value *item,
                              const struct staging_site *site, struct staging *all, int index, struct value **resolved)
{
    struct stage_section bound = {0};
    struct value *losses = NULL;
    struct phase *phase = &all->phases[index];
    if (item->kind != VALUE_MAP)
        return value_fail(ctx, item, STATUS_BAD_INPUT, "stages: expected {losses: […], epochs: N}, found %s",
                          value_kind_text(item->kind));
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(stage_options), item, "stages", &bound));
    if (!bound.losses || bound.losses->kind == VALUE_NULL)
        return value_fail(ctx, item, STATUS_BAD_INPUT, "stages: expected losses: in each stage, found none");
    if (!bound.name)
        bound.name = index == all->count - 1 ? last_name : arena_format(arena, "stage%d", index + 1);
    if (!bound.name)
        return ctx->error.status;
    *phase = (struct phase){.name = bound.name, .epochs = bound.epochs, .own_only = bound.learners == 1};
    RETURN_IF(name_check(ctx, item, all, index));
    RETURN_IF(terms_bind(ctx, arena, bound.losses, item, site, phase, &losses));
    bound.losses = losses;
    *resolved = options_value(arena, OPTION_SET(stage_options), &bound);
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* epochs_share: the stages share the epochs of the student's training, which alone gets all of them. */
static enum status epochs_share(struct context *ctx, const struct value *stages, const struct staging_site *site,
                                struct staging *all)
{
    int64_t taken = 0;
    for (int i = 0; i < all->count; i++) {
        if (all->phases[i].epochs == 0 && i < all->count - 1)
            return value_fail(ctx, stages->items[i], STATUS_BAD_INPUT,
                              "stages: expected epochs: N of at least 1 in every stage but the last, found none");
        taken += all->phases[i].epochs;
    }
    struct phase *last = &all->phases[all->count - 1];
    if (last->epochs == 0 && taken < site->epochs)
        last->epochs = site->epochs - taken;
    else if (taken != site->epochs || last->epochs == 0)
        return value_fail(ctx, stages, STATUS_BAD_INPUT,
                          "stages: they take %lld epochs together; expected the %lld of student.train.epochs%s",
                          (long long)taken, (long long)site->epochs,
                          last->epochs == 0 ? ", with some for the last stage" : "");
    return STATUS_OK;
}

enum status staging_bind(struct context *ctx, struct arena *arena, const struct value *losses,
                         const struct value *stages, const struct staging_site *site, struct staging *out,
                         struct value **resolved_losses, struct value **resolved_stages)
{
    const bool staged = stages && stages->kind != VALUE_NULL;
    *resolved_losses = *resolved_stages = NULL;
    if (staged && losses && losses->kind != VALUE_NULL)
        return value_fail(ctx, losses, STATUS_BAD_INPUT,
                          "distill: losses and stages are given; put the losses into a stage, or leave stages out");
    if (staged && (stages->kind != VALUE_LIST || stages->count == 0))
        return value_fail(ctx, stages, STATUS_BAD_INPUT,
                          "stages: expected a list of {losses: […], epochs: N}, found %s",
                          stages->kind == VALUE_LIST ? "an empty one" : value_kind_text(stages->kind));
    out->count = staged ? (int)stages->count : 1;
    out->phases = arena_take(arena, (size_t)out->count, sizeof *out->phases);
    if (!out->phases)
        return ctx->error.status;
    if (!staged) {
        out->phases[0] = (struct phase){.name = last_name, .epochs = site->epochs};
        return terms_bind(ctx, arena, losses, site->at, site, &out->phases[0], resolved_losses);
    }
    *resolved_stages = value_list(arena);
    for (int i = 0; i < out->count; i++) {
        struct value *item = NULL;
        RETURN_IF(stage_bind(ctx, arena, stages->items[i], site, out, i, &item));
        *resolved_stages = value_append(arena, *resolved_stages, item);
    }
    RETURN_IF(epochs_share(ctx, stages, site, out));
    return *resolved_stages ? STATUS_OK : ctx->error.status;
}
