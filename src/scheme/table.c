/* table.c: every scheme, and what all stages must fulfil. */
#include "nn/network.h"
#include "scheme/scheme.h"

#include <string.h>

#define SCHEME(name) extern const struct scheme scheme_##name;
#include "scheme/schemes.def"
#undef SCHEME

const struct scheme *const scheme_table[] = {
#define SCHEME(name) &scheme_##name,
#include "scheme/schemes.def"
#undef SCHEME
};
const size_t scheme_table_count = sizeof scheme_table / sizeof *scheme_table;

const struct scheme *scheme_find(struct context *ctx, const char *name, const struct value *at)
{
    const char *names[sizeof scheme_table / sizeof *scheme_table];
    for (size_t i = 0; i < scheme_table_count; i++) {
        names[i] = scheme_table[i]->name;
        if (strcmp(names[i], name) == 0)
            return scheme_table[i];
    }
    const char *nearest = nearest_name(name, names, scheme_table_count);
    value_fail(ctx, at, STATUS_BAD_INPUT, "no scheme \"%s\"; %s%s%s", name,
               nearest ? "nearest: \"" : "see retort list schemes", nearest ? nearest : "", nearest ? "\"" : "");
    return NULL;
}

struct stage *stage_add(struct stage_list *list)
{
    if (list->count == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 4;
        struct stage *grown = arena_take(list->arena, (size_t)capacity, sizeof *grown);
        if (!grown)
            return NULL;
        if (list->count)
            memcpy(grown, list->stages, (size_t)list->count * sizeof *grown);
        list->stages = grown;
        list->capacity = capacity;
    }
    struct stage *stage = &list->stages[list->count++];
    memset(stage, 0, sizeof *stage);
    return stage;
}

static bool index_ok(int index, int count)
{
    return index >= 0 && index < count;
}

bool stage_measures(const struct stage *stage)
{
    return !stage->learners[stage->subject].block;
}

bool stage_halves(const struct stage *stage)
{
    return stage->sampler == SAMPLER_PAIRS || stage->sampler == SAMPLER_REPEATED;
}

/* block_check: what it is given comes from another network of the stage, which is there as a whole. */
static enum status block_check(struct context *ctx, const struct stage *stage, int index)
{
    const struct learner *learner = &stage->learners[index];
    const struct learner_block *block = learner->block;
    if (!block)
        return STATUS_OK;
    if (!learner->network)
        return fail(ctx, STATUS_BAD_INPUT, "stage %s: expected a network of which there is a block, found %s",
                    stage->name, learner->name);
    if (block->to && network_layer(learner->network, block->to, NULL) < 0)
        return learner->network->ctx->error.status;
    if (!block->from)
        return STATUS_OK;
    if (network_layer(learner->network, block->from, NULL) < 0)
        return learner->network->ctx->error.status;
    if (index_ok(block->teacher, stage->n_learners) && block->teacher != index && block->given &&
        stage->learners[block->teacher].network && !stage->learners[block->teacher].block)
        return network_layer(stage->learners[block->teacher].network, block->given, NULL) >= 0
                   ? STATUS_OK
                   : stage->learners[block->teacher].network->ctx->error.status;
    return fail(ctx, STATUS_BAD_INPUT, "stage %s: expected that %s takes the values of %s from another network",
                stage->name, stage->learners[index].name, block->from);
}

/* learners_check: who is no network does not learn, and an ensemble's members are others of the stage. */
static enum status learners_check(struct context *ctx, const struct stage *stage)
{
    for (int i = 0; i < stage->n_learners; i++) {
        const struct learner *learner = &stage->learners[i];
        if (!learner->network && learner->learns)
            return fail(ctx, STATUS_BAD_INPUT, "stage %s: %s learns and is not a network", stage->name, learner->name);
        if (learner->memory &&
            (!index_ok(learner->memory->of, stage->n_learners) || !stage->learners[learner->memory->of].network))
            return fail(ctx, STATUS_BAD_INPUT, "stage %s: %s remembers what is no network", stage->name, learner->name);
        RETURN_IF(block_check(ctx, stage, i));
        for (int j = 0; learner->ensemble && j < learner->ensemble->n_members; j++) {
            const int member = learner->ensemble->members[j].learner;
            if (!index_ok(member, stage->n_learners) || stage->learners[member].ensemble)
                return fail(ctx, STATUS_BAD_INPUT, "stage %s: member %d of %s is not a learner of the stage",
                            stage->name, j, learner->name);
        }
    }
    return STATUS_OK;
}

/* other_layer: does a term read another layer of its teacher than of its student? Then a network may teach itself: the deep layers the
 * shallow ones. */
static bool other_layer(const struct term *term)
{
    if (term->n_student_taps == 0 || term->n_teacher_taps == 0)
        return term->n_student_taps != term->n_teacher_taps;
    for (int i = 0; i < term->n_student_taps && i < term->n_teacher_taps; i++)
        if (strcmp(term->student_taps[i], term->teacher_taps[i]) == 0)
            return false;
    return true;
}

/* teacher_check: somebody else teaches, or other layers, or the same network on other samples. */
static enum status teacher_check(struct context *ctx, const struct stage *stage, const struct term *term)
{
    const struct learner *student = &stage->learners[term->student], *teacher = &stage->learners[term->teacher];
    if (teacher->network != student->network || other_layer(term) ||
        (term->teacher != term->student && teacher->rows != student->rows))
        return STATUS_OK;
    if (term->teacher == term->student)
        return value_fail(ctx, term->at, STATUS_BAD_INPUT,
                          "stage %s, term %s: %s is its own teacher; give another network as teacher, or other layers",
                          stage->name, term->name, student->name);
    return value_fail(ctx, term->at, STATUS_BAD_INPUT,
                      "stage %s, term %s: student and teacher are the same network; give another as teacher",
                      stage->name, term->name);
}

static enum status term_check(struct context *ctx, const struct stage *stage, const struct term *term)
{
    if (!index_ok(term->student, stage->n_learners) ||
        (term->teacher != -1 && !index_ok(term->teacher, stage->n_learners)))
        return fail(ctx, STATUS_BAD_INPUT, "stage %s, term %s: no such learner", stage->name, term->name);
    const struct learner *student = &stage->learners[term->student];
    if (!student->network)
        return fail(ctx, STATUS_BAD_INPUT, "stage %s, term %s: its student %s is not a network", stage->name,
                    term->name, student->name);
    if (term->teacher >= 0)
        RETURN_IF(teacher_check(ctx, stage, term));
    if (!student->learns && !student->optimiser)
        return fail(ctx, STATUS_BAD_INPUT, "stage %s, term %s: its student %s does not learn", stage->name, term->name,
                    student->name);
    return STATUS_OK;
}

static enum status event_check(struct context *ctx, const struct stage *stage, int index)
{
    const struct event *event = &stage->events[index];
    if (!index_ok(event->from, stage->n_learners) || !index_ok(event->to, stage->n_learners))
        return fail(ctx, STATUS_BAD_INPUT, "stage %s, event %d: no such learner", stage->name, index);
    if (event->what == EVENT_ASSEMBLE || event->what == EVENT_WEIGH)
        return STATUS_OK;
    return parameters_alike(stage->learners[event->to].network->parameters,
                            stage->learners[event->from].network->parameters);
}

/* budget_check: batches can be cut in halves, where they are; an early stop looks at one network. */
static enum status budget_check(struct context *ctx, const struct stage *stage)
{
    const struct budget *budget = &stage->budget;
    if (stage_halves(stage) && budget->batch % 2 != 0)
        return value_fail(
            ctx, value_get(budget->at, "batch"), STATUS_BAD_INPUT,
            "stage %s: batch: expected an even number, as its halves belong together, found %lld; use %lld",
            stage->name, (long long)budget->batch, budget->batch > 1 ? (long long)budget->batch - 1 : 2LL);
    for (int i = 0; i < stage->n_learners && budget->patience > 0; i++)
        if (stage->learners[i].saved_as)
            return value_fail(ctx, value_get(budget->at, "early_stop"), STATUS_BAD_INPUT,
                              "stage %s: early_stop follows one network, and %s is there beside it; leave it out",
                              stage->name, stage->learners[i].name);
    return STATUS_OK;
}

enum status stage_check(struct context *ctx, const struct stage *stage)
{
    RETURN_IF(learners_check(ctx, stage));
    RETURN_IF(budget_check(ctx, stage));
    if (!index_ok(stage->subject, stage->n_learners))
        return fail(ctx, STATUS_BAD_INPUT, "stage %s: it is about learner %d of %d", stage->name, stage->subject,
                    stage->n_learners);
    for (int i = 0; i < stage->n_terms; i++)
        RETURN_IF(term_check(ctx, stage, &stage->terms[i]));
    for (int i = 0; i < stage->n_events; i++)
        RETURN_IF(event_check(ctx, stage, i));
    return STATUS_OK;
}
