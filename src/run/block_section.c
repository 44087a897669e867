/* block_section.c: see block_section.h. */
#include "run/block_section.h"

#include "scheme/terms.h"

#include "base/text.h"

#include <string.h>

struct block_keys {
    struct option_texts student, teacher;
    int64_t epochs;
};

static const struct option_spec block_options[] = {
    {.name = "student",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct block_keys, student),
     .help =
         "layers where a block ends and the next begins, in order; default: the last map of each resolution that has "
         "the shape of the teacher's at the same relative depth"},
    {.name = "teacher",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct block_keys, teacher),
     .help = "the teacher's layers there, as many, of equal shapes"},
    {.name = "epochs",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct block_keys, epochs),
     .initial = "0",
     .help = "of the student's training that each block takes, all at the same time; the rest tunes the whole student; "
             "0: half",
     .min = 0,
     .max = 1e9},
};

struct option_set block_section_options(void)
{
    return OPTION_SET(block_options);
}

struct binding {
    struct context *ctx;
    struct arena *arena;
    const struct value *section;
    const struct network *student, *teacher;
    struct block_plan *plan;
};

/* layer_at: where the recipe names the i-th layer of a side. */
static const struct value *layer_at(const struct binding *b, const char *side, int i)
{
    const struct value *list = value_get(b->section, side);
    if (list && list->kind == VALUE_LIST && (size_t)i < list->count)
        return list->items[i];
    return list ? list : b->section;
}

/* --- which boundaries --- */

static enum status none_equal(const struct binding *b, const struct pairing *pairs)
{
    struct text text;
    char first[SHAPE_TEXT_SIZE], second[SHAPE_TEXT_SIZE];
    text_init(&text, b->ctx);
    for (int i = 0; i < pairs->n[SIDE_STUDENT]; i++) {
        const struct layer *s = &b->student->layers[pairs->layers[SIDE_STUDENT][i]],
                           *t = &b->teacher->layers[pairs->layers[SIDE_TEACHER][i]];
        text_format(&text, "%s%s %s beside %s %s", i ? ", " : "", s->name, shape_sample_text(&s->output, first),
                    t->name, shape_sample_text(&t->output, second));
    }
    if (!text.failed)
        value_fail(b->ctx, b->section, STATUS_BAD_INPUT,
                   "blocks: expected layers of student and teacher with equal shapes, found %s; name such layers by "
                   "blocks: {student: [LAYER], teacher: [LAYER]}, or give the student the teacher's widths where a "
                   "block ends",
                   text.bytes);
    text_free(&text);
    return b->ctx->error.status;
}

/* boundaries_choose: the pairs that `fitnet` would have, those of equal shapes. */
static enum status boundaries_choose(const struct binding *b, struct option_texts *student,
                                     struct option_texts *teacher)
{
    struct term term;
    struct pairing pairs;
    int last = -1;
    RETURN_IF(method_term(b->ctx, b->arena, "fitnet", NULL, &term));
    if (pairing_choose(b->ctx, term.method, term.options, b->student, b->teacher, &pairs) != STATUS_OK) {
        const struct error error = b->ctx->error;
        error_clear(b->ctx);
        return value_fail(b->ctx, b->section, error.status, "blocks: %s", error.message);
    }
    const size_t n = (size_t)pairs.n[SIDE_STUDENT];
    const char **names[2] = {arena_take(b->arena, n, sizeof **names), arena_take(b->arena, n, sizeof **names)};
    if (!names[0] || !names[1])
        return b->ctx->error.status;
    *student = (struct option_texts){0, names[0]};
    *teacher = (struct option_texts){0, names[1]};
    for (size_t i = 0; i < n; i++) {
        const struct layer *s = &b->student->layers[pairs.layers[SIDE_STUDENT][i]],
                           *t = &b->teacher->layers[pairs.layers[SIDE_TEACHER][i]];
        if (!shape_equal(&s->output, &t->output) || pairs.layers[SIDE_TEACHER][i] <= last)
            continue;
        last = pairs.layers[SIDE_TEACHER][i];
        names[0][student->count++] = arena_text(b->arena, s->name);
        names[1][teacher->count++] = arena_text(b->arena, t->name);
    }
    return student->count > 0 ? b->ctx->error.status : none_equal(b, &pairs);
}

/* --- are they boundaries? --- */

static enum status shapes_check(const struct binding *b, int index, const struct layer *s, const struct layer *t)
{
    char first[SHAPE_TEXT_SIZE], second[SHAPE_TEXT_SIZE];
    if (shape_equal(&s->output, &t->output))
        return STATUS_OK;
    return value_fail(b->ctx, layer_at(b, "student", index), STATUS_BAD_SHAPE,
                      "blocks: expected layers of equal shapes, because the student's next block runs on the teacher's "
                      "activation, found %s %s of the student and %s %s of the teacher; name other layers, or change "
                      "the student's widths",
                      s->name, shape_sample_text(&s->output, first), t->name, shape_sample_text(&t->output, second));
}

/* block_check: block `index` is a chain between its boundaries, and something in it learns. */
static enum status block_check(const struct binding *b, int index)
{
    const struct value *at = layer_at(b, "student", index < b->plan->count ? index : index - 1);
    int64_t learnt = 0;
    bool *marks = arena_take(b->arena, (size_t)b->student->n_layers, sizeof *marks);
    if (!marks)
        return b->ctx->error.status;
    if (block_between(b->ctx, b->plan, b->student, index, marks) != STATUS_OK) {
        const struct error error = b->ctx->error;
        if (error.status == STATUS_NO_MEMORY)
            return error.status;
        error_clear(b->ctx);
        return value_fail(b->ctx, at, error.status, "blocks: %s", error.message);
    }
    for (int i = 0; i < b->student->n_layers; i++)
        learnt += marks[i] ? b->student->layers[i].parameters : 0;
    if (learnt > 0)
        return STATUS_OK;
    return value_fail(b->ctx, at, STATUS_BAD_INPUT,
                      "blocks: expected something to learn in each block, found nothing behind %s; leave it out",
                      index > 0 ? b->plan->student[index - 1] : "the images");
}

static enum status boundaries_check(const struct binding *b)
{
    const struct block_plan *plan = b->plan;
    int before = -1;
    for (int i = 0; i < plan->count; i++) {
        const int s = network_layer(b->student, plan->student[i], layer_at(b, "student", i));
        const int t = s < 0 ? -1 : network_layer(b->teacher, plan->teacher[i], layer_at(b, "teacher", i));
        if (t < 0)
            return b->ctx->error.status;
        RETURN_IF(shapes_check(b, i, &b->student->layers[s], &b->teacher->layers[t]));
        if (t <= before)
            return value_fail(b->ctx, layer_at(b, "teacher", i), STATUS_BAD_INPUT,
                              "blocks: expected the teacher's layers in their order, found %s behind %s",
                              plan->teacher[i], plan->teacher[i - 1]);
        before = t;
    }
    for (int i = 0; i <= plan->count; i++)
        RETURN_IF(block_check(b, i));
    return STATUS_OK;
}

static enum status counts_check(const struct binding *b, const struct block_keys *keys)
{
    if (keys->student.count != keys->teacher.count)
        return value_fail(b->ctx, b->section, STATUS_BAD_INPUT,
                          "blocks: expected as many layers of the teacher as of the student, found %zu and %zu; name "
                          "both, or neither",
                          keys->teacher.count, keys->student.count);
    if (keys->student.count > METHOD_TAPS)
        return value_fail(b->ctx, b->section, STATUS_BAD_INPUT, "blocks: expected at most %d layers, found %zu",
                          METHOD_TAPS, keys->student.count);
    return STATUS_OK;
}

static enum status epochs_bind(const struct binding *b, int64_t given, int64_t whole)
{
    b->plan->epochs = given > 0 ? given : whole / 2;
    if (whole < 2)
        return value_fail(b->ctx, b->section, STATUS_BAD_INPUT,
                          "blocks: expected at least 2 of student.train.epochs, for the blocks and for tuning the "
                          "whole, found %lld",
                          (long long)whole);
    if (b->plan->epochs < whole)
        return STATUS_OK;
    return value_fail(b->ctx, value_get(b->section, "epochs"), STATUS_BAD_INPUT,
                      "blocks: epochs: expected at most %lld of the %lld of student.train.epochs, found %lld; what is "
                      "left tunes the whole student",
                      (long long)(whole - 1), (long long)whole, (long long)given);
}

/* --- the section --- */

/* teacher_find: the first that is a network, and what learner it is; NULL: none is. */
static const struct network *teacher_find(const struct losses_site *site, int *learner)
{
    for (int i = 0; i < site->n_teachers; i++)
        if (site->teachers[i].network) {
            *learner = 1 + i;
            return site->teachers[i].network;
        }
    return NULL;
}

/* section_check: blocks are asked for, and can be. */
static enum status section_check(struct context *ctx, const struct value *section, const struct block_site *site)
{
    char found[VALUE_FOUND_SIZE];
    if (section->kind != VALUE_BOOLEAN && section->kind != VALUE_MAP)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "blocks: expected true, false or {student: [LAYER], teacher: [LAYER], epochs: N}, found %s",
                          value_found(section, found));
    if (strcmp(site->scheme->name, "offline") != 0)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "blocks: expected scheme offline, whose teacher is there before the student, found %s; leave "
                          "one of the two out",
                          site->scheme->name);
    if (site->staged)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "blocks: they are stages of their own, and stages: are given; leave one of the two out");
    return STATUS_OK;
}

enum status block_section_bind(struct context *ctx, struct arena *arena, const struct value *section,
                               const struct block_site *site, struct block_plan *out, const struct value **resolved)
{
    struct block_keys keys = {0};
    const bool none = !section || section->kind == VALUE_NULL || (section->kind == VALUE_BOOLEAN && !section->boolean);
    *out = (struct block_plan){.at = section};
    *resolved = section;
    if (none)
        return STATUS_OK;
    RETURN_IF(section_check(ctx, section, site));
    if (section->kind == VALUE_MAP)
        RETURN_IF(options_bind(ctx, arena, OPTION_SET(block_options), section, "blocks", &keys));
    if (site->networks->n_teachers == 0)
        return STATUS_OK;
    const struct binding b = {ctx, arena, section, site->networks->student, teacher_find(site->networks, &out->learner),
                              out};
    if (!b.teacher)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "blocks: expected a teacher that is a network, whose activations the blocks run on, found "
                          "none; leave blocks out, or give another teacher");
    RETURN_IF(counts_check(&b, &keys));
    RETURN_IF(epochs_bind(&b, keys.epochs, site->epochs));
    if (keys.student.count == 0)
        RETURN_IF(boundaries_choose(&b, &keys.student, &keys.teacher));
    out->count = (int)keys.student.count;
    out->student = keys.student.values;
    out->teacher = keys.teacher.values;
    RETURN_IF(boundaries_check(&b));
    keys.epochs = out->epochs;
    *resolved = options_value(arena, OPTION_SET(block_options), &keys);
    return *resolved ? STATUS_OK : ctx->error.status;
}
