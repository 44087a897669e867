/* losses.c: see losses.h. */
#include "run/losses.h"

#include "scheme/terms.h"

#include <stdio.h>
#include <string.h>

struct loss_section {
    const char *method, *name, *taps;
    struct real weight;
    double share, own_rate;
    int64_t from;
    struct option_texts student, teacher;
};

static const struct option_spec loss_options[] = {
    {.name = "method",
     .type = OPTION_TEXT,
     .offset = offsetof(struct loss_section, method),
     .help = "see retort list methods",
     .flags = OPTION_REQUIRED},
    {.name = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct loss_section, name),
     .help = "of the term, in the record; default: the method's"},
    {.name = "weight",
     .type = OPTION_SCHEDULED,
     .offset = offsetof(struct loss_section, weight),
     .initial = "1",
     .help = "factor of the term; auto: found at the start, so that `share` holds",
     .min = 0,
     .max = 1e12},
    {.name = "share",
     .type = OPTION_REAL,
     .offset = offsetof(struct loss_section, share),
     .initial = "0",
     .help = "with weight: auto: the term's part of the sum of all terms' gradient norms at the start; 0: as for each "
             "of them",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "own_rate",
     .type = OPTION_REAL,
     .offset = offsetof(struct loss_section, own_rate),
     .initial = "1",
     .help = "factor of the student's learning rate for what the method learns itself: connectors and the like",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_ABOVE_MIN},
    {.name = "student",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct loss_section, student),
     .help = "layers of the student that the method reads"},
    {.name = "teacher",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct loss_section, teacher),
     .help = "layers of the teacher that the method reads"},
    {.name = "from",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct loss_section, from),
     .initial = "-1",
     .help = "of several teachers the one that the method reads, from 0; -1: what all say together, and of layers the "
             "first "
             "that is a network",
     .min = -1,
     .max = 1e6},
    {.name = "taps",
     .type = OPTION_TEXT,
     .offset = offsetof(struct loss_section, taps),
     .help = "auto, as where no layers are named: the last map of each resolution, paired by relative depth"},
};
enum { LOSS_KEYS = sizeof loss_options / sizeof *loss_options };

struct option_set losses_options(void)
{
    return OPTION_SET(loss_options);
}

static const char *const weight_key[] = {"weight"};

bool loss_key(const char *name)
{
    for (size_t i = 0; i < LOSS_KEYS; i++)
        if (strcmp(loss_options[i].name, name) == 0)
            return true;
    return false;
}

/* term_name: the method's name, with a number where it stands already. */
static const char *term_name(struct arena *arena, const char *wanted, const struct term *terms, int count)
{
    const char *name = wanted;
    for (int n = 2, i = 0; name && i < count; i++) {
        if (strcmp(terms[i].name, name) != 0)
            continue;
        name = arena_format(arena, "%s%d", wanted, n++);
        i = -1;
    }
    return name;
}

static bool teaches(const struct method *method)
{
    for (int i = 0; i < method->n_inputs; i++)
        if (method->inputs[i].side == SIDE_TEACHER)
            return true;
    return false;
}

static enum status method_options(struct context *ctx, struct arena *arena, const struct method *method,
                                  const struct value *section, const void **options, struct value **resolved)
{
    const struct option_set set = {method->options, method->n_options};
    *options = method_bound(ctx, arena, method, section);
    *resolved = *options ? options_value(arena, set, *options) : NULL;
    return *resolved ? STATUS_OK : ctx->error.status;
}

/* taps_check: `taps: auto`, and no layers beside it. */
static enum status taps_check(struct context *ctx, const struct value *item, const struct loss_section *bound)
{
    const struct value *taps = value_get(item, "taps");
    if (!bound->taps)
        return STATUS_OK;
    if (strcmp(bound->taps, "auto") != 0)
        return value_fail(ctx, taps, STATUS_BAD_INPUT,
                          "taps: expected auto, found \"%s\"; layers are named by student: [...] and teacher: [...]",
                          bound->taps);
    return bound->student.count + bound->teacher.count == 0
               ? STATUS_OK
               : value_fail(ctx, taps, STATUS_BAD_INPUT,
                            "taps: auto chooses the layers, and some are named; leave one out");
}

static bool weight_auto(const struct value *item)
{
    const struct value *weight = value_get(item, "weight");
    return weight && weight->kind == VALUE_TEXT && strcmp(weight->text, "auto") == 0;
}

static bool reads_layers(const struct term *term)
{
    return method_reads_layers(term->method, SIDE_STUDENT) || method_reads_layers(term->method, SIDE_TEACHER);
}

/* teacher_choose: the learner that a term learns from. */
static enum status teacher_choose(struct context *ctx, const struct value *item, const struct losses_site *site,
                                  int64_t from, struct term *term)
{
    const int members = site->n_teachers > 1 ? site->n_teachers - 1 : site->n_teachers, first = site->n_teachers > 1;
    if (from >= 0 && site->n_teachers > 0 && (term->teacher < 0 || from >= members))
        return term->teacher < 0 ? value_fail(ctx, value_get(item, "from"), STATUS_BAD_INPUT,
                                              "from: method %s reads no teacher; leave it out", term->method->name)
                                 : value_fail(ctx, value_get(item, "from"), STATUS_BAD_INPUT,
                                              "from: expected the number of a teacher, 0 to %d, found %lld",
                                              members - 1, (long long)from);
    if (term->teacher < 0 || site->n_teachers == 0)
        return STATUS_OK;
    int at = from >= 0 ? first + (int)from : 0;
    if (from < 0 && (reads_layers(term) || term->n_teacher_taps > 0))
        while (at < site->n_teachers - 1 && !site->teachers[at].network)
            at++;
    term->teacher = 1 + at;
    return STATUS_OK;
}

static enum status loss_bind(struct context *ctx, struct arena *arena, const struct value *item,
                             const struct losses_site *site, struct term *terms, int index, struct value **resolved)
{
    struct loss_section bound = {0};
    const char *keys[LOSS_KEYS + 64], **own = keys + LOSS_KEYS; /* the term's, then the method's */
    size_t n_own = 0;
    if (item->kind != VALUE_MAP)
        return value_fail(ctx, item, STATUS_BAD_INPUT, "losses: expected {method: NAME, …}, found %s",
                          value_kind_text(item->kind));
    const struct value *named = value_get(item, "method");
    if (!named || named->kind != VALUE_TEXT)
        return value_fail(ctx, named ? named : item, STATUS_BAD_INPUT, "losses: expected method: NAME, found %s",
                          named ? value_kind_text(named->kind) : "none");
    const struct method *method = method_find(ctx, named->text, named);
    if (!method)
        return ctx->error.status;
    for (size_t i = 0; i < LOSS_KEYS; i++)
        keys[i] = loss_options[i].name;
    for (size_t i = 0; i < method->n_options && n_own < 64; i++)
        own[n_own++] = method->options[i].name;
    RETURN_IF(options_known(ctx, item, arena_format(arena, "losses, method %s", method->name), keys, LOSS_KEYS + n_own,
                            arena_format(arena, "`retort help method %s` shows all", method->name)));
    const struct value *common = value_without(arena, item, own, n_own);
    const bool found = weight_auto(item);
    if (found)
        common = value_without(arena, common, weight_key, 1);
    RETURN_IF(options_bind(ctx, arena, OPTION_SET(loss_options), common,
                           arena_format(arena, "losses, method %s", method->name), &bound));
    if (!found && bound.share != 0)
        return value_fail(ctx, value_get(item, "share"), STATUS_BAD_INPUT,
                          "share: goes with weight: auto, found another weight; leave one out");
    RETURN_IF(taps_check(ctx, item, &bound));
    bound.taps = NULL;
    struct value *options = NULL;
    struct term *term = &terms[index];
    *term = (struct term){.method = method,
                          .student = 0,
                          .teacher = teaches(method) ? 1 : -1,
                          .weight = bound.weight,
                          .share = found ? (bound.share > 0 ? bound.share : -1) : 0,
                          .own_rate = bound.own_rate,
                          .at = item,
                          .student_taps = bound.student.values,
                          .n_student_taps = (int)bound.student.count,
                          .teacher_taps = bound.teacher.values,
                          .n_teacher_taps = (int)bound.teacher.count};
    RETURN_IF(teacher_choose(ctx, item, site, bound.from, term));
    RETURN_IF(
        method_options(ctx, arena, method, value_without(arena, item, keys, LOSS_KEYS), &term->options, &options));
    term->name = term_name(arena, bound.name ? bound.name : method->name, terms, index);
    bound.name = term->name;
    *resolved = value_merge(arena, options_value(arena, OPTION_SET(loss_options), &bound), options);
    if (found)
        *resolved = value_set(arena, *resolved, "weight", value_text(arena, "auto"));
    return term->name && *resolved ? STATUS_OK : ctx->error.status;
}

/* shares_check: a share that is not stated is as large as each term's would be; fixed weights must be left something. */
static enum status shares_check(struct context *ctx, struct term *terms, int count, const struct value *at)
{
    double stated = 0;
    int given = 0;
    for (int i = 0; i < count; i++) {
        if (terms[i].share < 0)
            terms[i].share = 1.0 / count;
        stated += terms[i].share;
        given += terms[i].share > 0;
    }
    if (given == 0 || stated < 1 || (given == count && stated < 1 + 1e-9))
        return STATUS_OK;
    return value_fail(
        ctx, at, STATUS_BAD_INPUT,
        "losses: the shares of weight: auto are %g together; expected at most 1, and less where a term has a "
        "weight of its own",
        stated);
}

/* losses_default: Hinton's mixture. */
static struct value *losses_default(struct arena *arena)
{
    return losses_add(arena, losses_add(arena, value_list(arena), "labels", 0.1, NULL, 0), "kd", 0.9, NULL, 0);
}

/* names_of: the layers of one side of a pairing, for the term and as a list. */
static struct value *names_of(struct arena *arena, const struct network *network, const int *layers, int count,
                              const char *const **names)
{
    struct value *list = value_list(arena);
    const char **texts = arena_take(arena, (size_t)count + 1, sizeof *texts);
    for (int i = 0; texts && i < count; i++) {
        texts[i] = arena_text(arena, network->layers[layers[i]].name);
        list = value_append(arena, list, value_text(arena, texts[i]));
    }
    *names = texts;
    return texts ? list : NULL;
}

static enum status term_pair(struct context *ctx, struct arena *arena, const struct network *student,
                             const struct network *teacher, struct term *term, struct value *resolved)
{
    struct pairing pairing;
    if (pairing_choose(ctx, term->method, term->options, student, teacher, &pairing) != STATUS_OK) {
        const struct error error = ctx->error;
        error_clear(ctx);
        return value_fail(ctx, term->at, error.status, "term %s: %s", term->name, error.message);
    }
    for (int side = 0; side < 2; side++) {
        const struct network *network = side == SIDE_STUDENT ? student : teacher;
        const char *const **names = side == SIDE_STUDENT ? &term->student_taps : &term->teacher_taps;
        *(side == SIDE_STUDENT ? &term->n_student_taps : &term->n_teacher_taps) = pairing.n[side];
        if (pairing.n[side] == 0)
            continue;
        struct value *list = names_of(arena, network, pairing.layers[side], pairing.n[side], names);
        if (!value_set(arena, resolved, side == SIDE_STUDENT ? "student" : "teacher", list))
            return ctx->error.status;
    }
    return STATUS_OK;
}

/* terms_pair: names the layers of terms that read some and name none, in the terms and in what was resolved. */
static enum status terms_pair(struct context *ctx, struct arena *arena, const struct losses_site *site,
                              struct term *terms, int count, const struct value *resolved)
{
    for (int i = 0; i < count; i++) {
        struct term *term = &terms[i];
        const struct network *teacher =
            term->teacher >= 1 && term->teacher <= site->n_teachers ? site->teachers[term->teacher - 1].network : NULL;
        if (!reads_layers(term) || term->n_student_taps + term->n_teacher_taps > 0 || (term->teacher >= 0 && !teacher))
            continue;
        RETURN_IF(term_pair(ctx, arena, site->student, teacher, term, resolved->items[i]));
    }
    return STATUS_OK;
}

enum status losses_bind(struct context *ctx, struct arena *arena, const struct value *losses, const struct value *at,
                        const struct losses_site *site, struct term **terms, int *count, struct value **resolved)
{
    const struct value *list = losses && losses->kind != VALUE_NULL ? losses : losses_default(arena);
    if (!list)
        return ctx->error.status;
    if (list->kind != VALUE_LIST || list->count == 0)
        return value_fail(ctx, losses ? losses : at, STATUS_BAD_INPUT,
                          "losses: expected a list of {method: NAME, …} with at least one, found %s",
                          list->kind == VALUE_LIST ? "an empty one" : value_kind_text(list->kind));
    *count = (int)list->count;
    *terms = arena_take(arena, list->count, sizeof **terms);
    *resolved = value_list(arena);
    if (!*terms || !*resolved)
        return ctx->error.status;
    for (size_t i = 0; i < list->count; i++) {
        struct value *item = NULL;
        RETURN_IF(loss_bind(ctx, arena, list->items[i], site, *terms, (int)i, &item));
        *resolved = value_append(arena, *resolved, item);
    }
    RETURN_IF(shares_check(ctx, *terms, *count, losses ? losses : at));
    if (!*resolved)
        return ctx->error.status;
    return terms_pair(ctx, arena, site, *terms, *count, *resolved);
}
