/* extension.c: see extension.h. */
#include "run/extension.h"

#include <string.h>

static const char head[] = "head_"; /* before the names of the teacher's layers */

struct extending {
    struct context *ctx;
    struct arena *arena;
    const struct term *term;
    const struct network *student, *teacher;
    int taps[2]; /* layers, by side */
    struct extension layers;
    struct value *items; /* of the new network */
    const char *last;    /* the layer that the next one follows */
};

/* layers_behind: which layers stand behind `tap` (marked true). False: one of them needs something else too. */
static bool layers_behind(const struct network *network, int tap, bool *behind)
{
    for (int i = tap + 1; i < network->n_layers; i++) {
        int from_tap = 0;
        const struct layer *layer = &network->layers[i];
        for (int j = 0; j < layer->n_inputs; j++)
            from_tap += layer->inputs[j] == tap || (layer->inputs[j] > tap && behind[layer->inputs[j]]);
        behind[i] = from_tap > 0;
        if (from_tap > 0 && from_tap < layer->n_inputs)
            return false;
    }
    return behind[network->logits];
}

static void item_add(struct extending *e, const char *type, struct value *options, const char *name)
{
    struct value *item = value_set(e->arena, value_map(e->arena), type, options);
    struct value *inputs = value_append(e->arena, value_list(e->arena), value_text(e->arena, e->last));
    item = value_set(e->arena, item, "name", value_text(e->arena, name));
    item = value_set(e->arena, item, "inputs", inputs);
    e->items = value_append(e->arena, e->items, item);
    e->last = name;
}

static void body_add(struct extending *e, const struct value *items)
{
    bool *needed = arena_take(e->arena, (size_t)e->student->n_layers, sizeof *needed);
    if (!needed || network_between(e->ctx, e->student, -1, e->taps[SIDE_STUDENT], NULL, needed) != STATUS_OK)
        return;
    for (int i = 0; i < e->student->n_layers; i++)
        if (needed[i])
            e->items = value_append(e->arena, e->items, items->items[i]);
    e->last = e->student->layers[e->taps[SIDE_STUDENT]].name;
}

static void projector_add(struct extending *e)
{
    const struct shape *s = &e->student->layers[e->taps[SIDE_STUDENT]].output,
                       *t = &e->teacher->layers[e->taps[SIDE_TEACHER]].output;
    const int64_t size[2] = {s->dim[1] < t->dim[1] ? s->dim[1] : t->dim[1],
                             s->dim[2] < t->dim[2] ? s->dim[2] : t->dim[2]};
    if (size[0] != s->dim[1] || size[1] != s->dim[2]) {
        struct value *pair = value_append(e->arena, value_list(e->arena), value_integer(e->arena, size[0]));
        pair = value_append(e->arena, pair, value_integer(e->arena, size[1]));
        item_add(e, "adaptive_average_pool", value_set(e->arena, value_map(e->arena), "size", pair), "projector_pool");
    }
    for (int i = 0; i < e->layers.count; i++) {
        struct value *conv = value_map(e->arena);
        conv = value_set(e->arena, conv, "out", value_integer(e->arena, e->layers.out[i]));
        conv = value_set(e->arena, conv, "kernel", value_integer(e->arena, e->layers.kernel[i]));
        conv = value_set(e->arena, conv, "padding", value_integer(e->arena, (e->layers.kernel[i] - 1) / 2));
        conv = value_set(e->arena, conv, "bias", value_boolean(e->arena, false));
        item_add(e, "conv", conv, arena_format(e->arena, "projector%d", i));
        item_add(e, "batch_norm", value_map(e->arena), arena_format(e->arena, "projector%d_bn", i));
        item_add(e, "relu", value_map(e->arena), arena_format(e->arena, "projector%d_relu", i));
    }
}

/* head_add: the teacher's layers behind its tap, by new names. */
static enum status head_add(struct extending *e, const struct value *items)
{
    const struct network *teacher = e->teacher;
    const int tap = e->taps[SIDE_TEACHER];
    bool *behind = arena_take(e->arena, (size_t)teacher->n_layers, sizeof *behind);
    const char *projected = e->last;
    if (!behind)
        return e->ctx->error.status;
    if (!layers_behind(teacher, tap, behind))
        return value_fail(
            e->ctx, e->term->at, STATUS_BAD_INPUT,
            "term %s: the student goes on through the teacher's layers behind %s; expected that its logits "
            "need no others, name a layer nearer to them",
            e->term->name, teacher->layers[tap].name);
    for (int i = tap + 1; i < teacher->n_layers; i++) {
        if (!behind[i])
            continue;
        struct value *item = value_copy(e->arena, items->items[i]), *inputs = value_list(e->arena);
        for (int j = 0; j < teacher->layers[i].n_inputs; j++) {
            const int from = teacher->layers[i].inputs[j];
            const char *name =
                from == tap ? projected : arena_format(e->arena, "%s%s", head, teacher->layers[from].name);
            inputs = value_append(e->arena, inputs, value_text(e->arena, name));
        }
        item = value_set(e->arena, item, "inputs", inputs);
        item = value_set(e->arena, item, "name",
                         value_text(e->arena, arena_format(e->arena, "%s%s", head, teacher->layers[i].name)));
        e->items = value_append(e->arena, e->items, item);
    }
    return STATUS_OK;
}

static enum status network_make(struct extending *e, const struct plan *plan, uint64_t seed, struct network **extended)
{
    struct value *student = network_description(e->arena, e->student),
                 *teacher = network_description(e->arena, e->teacher);
    if (!student || !teacher)
        return e->ctx->error.status;
    e->items = value_list(e->arena);
    body_add(e, value_get(student, "layers"));
    projector_add(e);
    RETURN_IF(head_add(e, value_get(teacher, "layers")));
    const char *logits = arena_format(e->arena, "%s%s", head, e->teacher->layers[e->teacher->logits].name);
    struct value *outputs = value_set(e->arena, value_map(e->arena), "logits", value_text(e->arena, logits));
    student = value_set(e->arena, student, "layers", e->items);
    student = value_set(e->arena, student, "outputs", outputs);
    if (!student)
        return e->ctx->error.status;
    return network_rebuild(e->ctx, student, "student", plan->precision, seed, extended);
}

/* piece_of: where a tensor of the new network comes from. */
static struct piece piece_of(const struct extending *e, int term, const char *name)
{
    static const char projector[] = "projector";
    if (strncmp(name, head, strlen(head)) == 0)
        return (struct piece){.learner = e->term->teacher, .term = -1, .from = name + strlen(head), .to = name};
    const char *digit = name + strlen(projector), *dot = strrchr(name, '.');
    if (strncmp(name, projector, strlen(projector)) == 0 && *digit >= '0' && *digit <= '9' && dot) {
        const bool norm = strncmp(digit + 1, "_bn", 3) == 0;
        return (struct piece){.learner = -1,
                              .term = term,
                              .from = arena_format(e->arena, "%s.%c%s%s", projector, *digit, norm ? ".bn" : "", dot),
                              .to = name};
    }
    return (struct piece){.learner = e->term->student, .term = -1, .from = name, .to = name};
}

static enum status pieces_make(const struct extending *e, int term, const struct network *extended, struct event *event)
{
    const struct parameters *parameters = extended->parameters;
    struct piece *pieces = arena_take(e->arena, (size_t)parameters->count, sizeof *pieces);
    if (!pieces)
        return e->ctx->error.status;
    for (int i = 0; i < parameters->count; i++)
        pieces[i] = piece_of(e, term, parameters->entries[i].name);
    event->pieces = pieces;
    event->n_pieces = parameters->count;
    return e->ctx->error.status;
}

static enum status taps_find(struct extending *e)
{
    if (!e->teacher)
        return value_fail(e->ctx, e->term->at, STATUS_BAD_INPUT,
                          "term %s: the student goes on through the teacher's layers; expected a teacher that is a "
                          "network, say from: N for one",
                          e->term->name);
    if (e->term->n_student_taps == 0 || e->term->n_teacher_taps == 0)
        return value_fail(e->ctx, e->term->at, STATUS_BAD_INPUT,
                          "term %s: expected a layer of the student and one of the teacher, found none of the %s; name "
                          "both, or neither",
                          e->term->name, e->term->n_student_taps == 0 ? "student" : "teacher");
    e->taps[SIDE_STUDENT] = network_layer(e->student, e->term->student_taps[0], e->term->at);
    e->taps[SIDE_TEACHER] = network_layer(e->teacher, e->term->teacher_taps[0], e->term->at);
    if (e->taps[SIDE_STUDENT] < 0 || e->taps[SIDE_TEACHER] < 0)
        return e->ctx->error.status;
    const struct shape *t = &e->teacher->layers[e->taps[SIDE_TEACHER]].output,
                       *s = &e->student->layers[e->taps[SIDE_STUDENT]].output;
    if (t->rank != 4 || s->rank != 4)
        return value_fail(e->ctx, e->term->at, STATUS_BAD_SHAPE, "term %s: expected maps of student and teacher",
                          e->term->name);
    e->term->method->extends(e->term->options, t->dim[3], &e->layers);
    return STATUS_OK;
}

enum status extension_add(struct context *ctx, struct arena *arena, const struct plan *plan, struct stage *stage,
                          struct network **extended)
{
    int index = -1;
    for (int i = 0; i < stage->n_terms; i++)
        if (stage->terms[i].method->extends)
            index = i;
    if (index < 0)
        return STATUS_OK;
    const struct term *term = &stage->terms[index];
    if (stage->budget.average.decay > 0)
        return value_fail(
            ctx, term->at, STATUS_UNSUPPORTED,
            "term %s: %s changes the student, which train.average cannot follow; leave one of the two out", term->name,
            term->method->name);
    struct extending e = {.ctx = ctx,
                          .arena = arena,
                          .term = term,
                          .student = stage->learners[term->student].network,
                          .teacher = stage->learners[term->teacher].network};
    struct event event = {.when = EVENT_EPOCH, .what = EVENT_ASSEMBLE, .from = term->student, .to = stage->n_learners};
    RETURN_IF(taps_find(&e));
    RETURN_IF(network_make(&e, plan, stage->seed, extended));
    RETURN_IF(pieces_make(&e, index, *extended, &event));
    return stage_follower(ctx, arena, stage, (struct learner){.name = "student, extended", .network = *extended},
                          event);
}
