/* table.c: the table of methods, and applying one: what every method may rely on is checked here, once. */
#include "base/additions.h"
#include "knowledge/method.h"

#include <string.h>

#define METHOD(identifier) extern const struct method method_##identifier;
#include "knowledge/methods.def"
#undef METHOD

const struct method *const method_table[] = {
#define METHOD(identifier) &method_##identifier,
#include "knowledge/methods.def"
#undef METHOD
};
const size_t method_table_count = sizeof(method_table) / sizeof(method_table[0]);

size_t method_count(const struct context *ctx)
{
    return method_table_count + additions_count(ctx, ADDITION_METHOD);
}

const struct method *method_at(const struct context *ctx, size_t index)
{
    return index < method_table_count ? method_table[index]
                                      : additions_at(ctx, ADDITION_METHOD, index - method_table_count);
}

const struct method *method_find(struct context *ctx, const char *name, const struct value *at)
{
    size_t count = method_count(ctx);
    for (size_t i = 0; i < count; i++)
        if (strcmp(method_at(ctx, i)->name, name) == 0)
            return method_at(ctx, i);
    const char **names = memory_new(ctx, count, sizeof *names);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        names[i] = method_at(ctx, i)->name;
    const char *nearest = nearest_name(name, names, count);
    value_fail(ctx, at, STATUS_BAD_INPUT, "no method \"%s\"%s%s%s", name,
               nearest ? "; nearest: \"" : "; `retort list methods` shows all", nearest ? nearest : "",
               nearest ? "\"" : "");
    memory_free(ctx, names);
    return NULL;
}

bool method_reads_layers(const struct method *method, enum side side)
{
    for (int i = 0; i < method->n_inputs; i++)
        if (method->inputs[i].side == side && method->inputs[i].role != ROLE_LOGITS)
            return true;
    return false;
}

const char *method_family_text(enum method_family family)
{
    static const char *const texts[] = {
        [FAMILY_RESPONSE] = "response", [FAMILY_FEATURE] = "feature", [FAMILY_RELATION] = "relation"};
    return texts[family];
}

int method_taps(const struct method *method, int index)
{
    const struct method_input *input = &method->inputs[index];
    int taps = input->min;
    for (int i = 0; i < method->n_inputs && input->min == 0; i++)
        if (method->inputs[i].side != input->side && method->inputs[i].min > taps)
            taps = method->inputs[i].min;
    return taps < input->max ? taps : input->max;
}

static const char *role_text(enum tap_role role)
{
    static const char *const texts[] = {
        [ROLE_LOGITS] = "logits [B,K]",
        [ROLE_EMBEDDING] = "an embedding [B,D]",
        [ROLE_MAP] = "a map [B,H,W,C]",
        [ROLE_MAP_BEFORE_ACTIVATION] = "a map [B,H,W,C] before its activation",
        [ROLE_ACTIVATIONS] = "a map [B,H,W,C] or an embedding [B,D]",
    };
    return texts[role];
}

/* A map given for an embedding is flattened by the method. */
static bool role_fits(enum tap_role role, const struct shape *shape, int classes)
{
    switch (role) {
    case ROLE_LOGITS:
        return shape->rank == 2 && shape->dim[1] == classes;
    case ROLE_EMBEDDING:
    case ROLE_ACTIVATIONS:
        return shape->rank == 2 || shape->rank == 4;
    case ROLE_MAP:
    case ROLE_MAP_BEFORE_ACTIVATION:
        return shape->rank == 4;
    }
    return false;
}

static const char *side_text(enum side side)
{
    return side == SIDE_STUDENT ? "student" : "teacher";
}

static enum status check_tap(struct context *ctx, const struct method *method, const struct method_input *input,
                             const struct tap *tap, int classes)
{
    const struct shape *shape = &tap->node->spec.shape;
    char found[SHAPE_TEXT_SIZE];
    if (!role_fits(input->role, shape, classes))
        return fail(ctx, STATUS_BAD_SHAPE, "method %s: its %s's %s, %s: expected %s%s, found %s", method->name,
                    side_text(input->side), input->name, tap->layer ? tap->layer : "unnamed", role_text(input->role),
                    input->role == ROLE_LOGITS ? " with a column for each class" : "", shape_text(shape, found));
    if (shape->dim[0] >= 0 && shape->dim[0] < method->batch_min)
        return fail(ctx, STATUS_BAD_SHAPE, "method %s: expected a batch of at least %d, found %s", method->name,
                    method->batch_min, shape_text(shape, found));
    return STATUS_OK;
}

/* Taps come in the order of the inputs; only the last input of a side may be of a variable number. */
static enum status check_side(struct context *ctx, const struct method *method, const struct method_site *site,
                              enum side side)
{
    const struct tap *taps = side == SIDE_STUDENT ? site->student : site->teacher;
    int given = side == SIDE_STUDENT ? site->n_student : site->n_teacher, min = 0, max = 0, at = 0;
    for (int i = 0; i < method->n_inputs; i++)
        if (method->inputs[i].side == side) {
            min += method->inputs[i].min;
            max += method->inputs[i].max;
        }
    if (given < min || given > max)
        return fail(ctx, STATUS_BAD_INPUT, "method %s: expected %s%d tap%s of the %s, found %d", method->name,
                    min == max ? "" : (given < min ? "at least " : "at most "), given < min ? min : max,
                    (given < min ? min : max) == 1 ? "" : "s", side_text(side), given);
    for (int i = 0; i < method->n_inputs; i++) {
        const struct method_input *input = &method->inputs[i];
        if (input->side != side)
            continue;
        min -= input->min; /* what the inputs behind this one need at least */
        for (int n = 0; n < input->max && given - at > min; n++, at++)
            RETURN_IF(check_tap(ctx, method, input, &taps[at], site->classes));
    }
    return STATUS_OK;
}

static bool sticky(const struct method_site *site)
{
    for (int i = 0; i < site->n_student; i++)
        if (!site->student[i].node)
            return true;
    for (int i = 0; i < site->n_teacher; i++)
        if (!site->teacher[i].node)
            return true;
    return false;
}

static enum status check_wants(struct context *ctx, const struct method *method, const struct method_site *site)
{
    bool targets = site->targets && method->wants & METHOD_TAKES_TARGETS;
    if (site->targets && !(method->wants & METHOD_TAKES_TARGETS) && method->wants & METHOD_WANTS_LABELS)
        return fail(ctx, STATUS_BAD_INPUT, "method %s wants labels, and does not understand soft targets",
                    method->name);
    if (method->wants & METHOD_WANTS_LABELS && !site->labels && !targets)
        return fail(ctx, STATUS_BAD_INPUT, "method %s wants labels, and the data has none", method->name);
    if (method->wants & METHOD_WANTS_SAMPLE && !site->sample)
        return fail(ctx, STATUS_BAD_INPUT, "method %s wants the samples' indices, and there are none", method->name);
    if (targets && (site->targets->spec.shape.rank != 2 || site->targets->spec.shape.dim[1] != site->classes)) {
        char found[SHAPE_TEXT_SIZE];
        return fail(ctx, STATUS_BAD_SHAPE, "method %s: expected soft targets [B,%d], found %s", method->name,
                    site->classes, shape_text(&site->targets->spec.shape, found));
    }
    return STATUS_OK;
}

/* build_pairs: the method for each pair of taps, or for each of the teacher's where no student's are given, added up. */
static struct node *build_pairs(struct graph *graph, const struct method_site *site, const void *options)
{
    struct node *sum = NULL;
    for (int i = 0; i < site->n_teacher; i++) {
        struct method_site one = *site;
        one.student = site->n_student > 0 ? &site->student[i] : NULL;
        one.teacher = &site->teacher[i];
        one.n_student = site->n_student > 0;
        one.n_teacher = 1;
        one.pair = i;
        one.pairs = site->n_teacher;
        struct node *value = site->method->build(graph, &one, options);
        if (!value)
            return NULL;
        sum = sum ? graph_add(graph, sum, value) : value;
    }
    return sum;
}

struct node *method_build(struct graph *graph, const struct method *method, const struct method_site *site,
                          const void *options)
{
    struct context *ctx = graph->ctx;
    if (sticky(site)) {
        if (ctx->error.status == STATUS_OK)
            fail(ctx, STATUS_UNSUPPORTED, "method %s was given an empty tap: this is our mistake, please report it",
                 method->name);
        return NULL;
    }
    if (check_wants(ctx, method, site) != STATUS_OK || check_side(ctx, method, site, SIDE_STUDENT) != STATUS_OK ||
        check_side(ctx, method, site, SIDE_TEACHER) != STATUS_OK)
        return NULL;
    if (method->wants & (METHOD_PAIRWISE | METHOD_SAME_NUMBER) && site->n_student > 0 &&
        site->n_student != site->n_teacher) {
        fail(ctx, STATUS_BAD_INPUT,
             "method %s: expected as many taps of the teacher as of the student, found %d and %d", method->name,
             site->n_teacher, site->n_student);
        return NULL;
    }
    struct method_site own = *site;
    own.method = method;
    own.pair = 0;
    own.pairs = 1;
    struct node *loss =
        method->wants & METHOD_PAIRWISE ? build_pairs(graph, &own, options) : method->build(graph, &own, options);
    if (!loss && ctx->error.status == STATUS_OK)
        fail(ctx, STATUS_UNSUPPORTED,
             "method %s built nothing and did not say why: this is our mistake, please report it", method->name);
    if (ctx->error.status != STATUS_OK) /* also of a node that the loss does not need */
        return NULL;
    if (loss->spec.shape.rank != 0) {
        char found[SHAPE_TEXT_SIZE];
        fail(ctx, STATUS_BAD_SHAPE, "method %s built %s instead of a scalar: this is our mistake, please report it",
             method->name, shape_text(&loss->spec.shape, found));
        return NULL;
    }
    return loss;
}
