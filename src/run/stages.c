/* stages.c: see stages.h. */
#include "run/stages.h"

#include "run/extension.h"

#include <stdio.h>
#include <string.h>

#define WIDE_MACS 4000000 /* from here on a step is worth all cores */

bool wants_all_cores(const struct network *network)
{
    return network_count_macs(network) >= WIDE_MACS;
}

enum status student_wants_all_cores(struct context *ctx, const struct plan *plan, bool *wide)
{
    struct network *network = NULL;
    RETURN_IF(plan_network(ctx, plan, &plan->student, "student", 0, &network));
    *wide = wants_all_cores(network);
    network_free(network);
    return STATUS_OK;
}

/* stage_labels: a stage of one network that learns from the labels. */
static enum status stage_labels(struct context *ctx, struct arena *arena, const struct term *labels, const char *name,
                                const char *role, uint64_t seed, struct network *network,
                                const struct train_settings *train, struct stage *stage)
{
    struct learner *learner = arena_take(arena, 1, sizeof *learner);
    struct term *term = arena_copy(arena, labels, sizeof *term);
    if (!name || !learner || !term)
        return ctx->error.status;
    *learner = (struct learner){
        .name = network->name, .network = network, .training = true, .learns = true, .optimiser = &train->optimiser};
    *stage = (struct stage){.name = name,
                            .role = role,
                            .seed = seed,
                            .n_learners = 1,
                            .n_terms = 1,
                            .learners = learner,
                            .terms = term,
                            .budget = train->budget,
                            .sampler = SAMPLER_LABELLED};
    return STATUS_OK;
}

/* follow_check: an average follows one network that learns. */
static enum status follow_check(struct context *ctx, const struct stage *stage)
{
    bool one = stage->learners[stage->subject].learns || stage->n_learners == 1;
    for (int i = 0; i < stage->n_learners; i++)
        one = one && !stage->learners[i].saved_as;
    return one ? STATUS_OK
               : value_fail(
                     ctx, value_get(stage->budget.at, "average"), STATUS_BAD_INPUT,
                     "stage %s: train.average follows one network that learns, and here are several, or a part of one; "
                     "leave it out",
                     stage->name);
}

/* stage_follow: with train.average, the stage is about the average of its subject; *average is made where it is not there yet, and the
 * caller's. */
static enum status stage_follow(struct context *ctx, struct arena *arena, const struct plan *plan,
                                const struct network_plan *which, struct stage *stage, struct network **average)
{
    if (stage->budget.average.decay <= 0 || stage->n_terms == 0)
        return STATUS_OK;
    RETURN_IF(follow_check(ctx, stage));
    if (!*average)
        RETURN_IF(plan_network(ctx, plan, which, "average", stage->seed, average));
    return stage_average(ctx, arena, stage, *average);
}

static enum status alone_list(struct context *ctx, struct arena *arena, const struct plan *plan, uint64_t seed,
                              struct student *student)
{
    struct stage *stage = stage_add(&student->list);
    const char *name = arena_format(arena, "alone-%llu", (unsigned long long)seed);
    return stage ? stage_labels(ctx, arena, &plan->student_labels, name, "alone", seed, student->network,
                                &plan->student.train, stage)
                 : ctx->error.status;
}

void stage_samples(const struct plan *plan, struct stage *stage)
{
    stage->views = plan->views;
    if (stage->sampler != SAMPLER_ALL)
        return;
    stage->sampler = plan->labelled_part > 0 ? SAMPLER_MIXED : SAMPLER_ALL;
    stage->labelled_part = plan->labelled_part;
}

static enum status taught_list(struct context *ctx, const struct asking *asking, struct student *student)
{
    RETURN_IF(asking_stages(ctx, asking, &student->others, &student->list));
    for (int i = 0; i < student->list.count; i++)
        stage_samples(asking->plan, &student->list.stages[i]);
    return STATUS_OK;
}

/* followers_add: averages of all stages, and what a method makes of the last one's student. */
static enum status followers_add(struct context *ctx, struct arena *arena, const struct plan *plan,
                                 const struct network_plan *which, bool taught, struct student *student)
{
    for (int i = 0; i < student->list.count; i++)
        RETURN_IF(stage_follow(ctx, arena, plan, which, &student->list.stages[i], &student->average));
    if (taught && plan->scheme->teacher == TEACHER_FROZEN && student->list.count > 0)
        RETURN_IF(extension_add(ctx, arena, plan, &student->list.stages[student->list.count - 1], &student->extended));
    return STATUS_OK;
}

/* layer_take: every tensor of a layer of the student from a layer of the teacher. */
static enum status layer_take(struct context *ctx, const struct value *at, const char *ours, const char *theirs,
                              const struct network *from, struct network *student)
{
    struct parameters *to = student->parameters;
    char name[512], expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (network_layer(student, ours, at) < 0 || network_layer(from, theirs, at) < 0)
        return ctx->error.status;
    for (int i = 0; i < to->count; i++) {
        const struct parameter *entry = &to->entries[i];
        const char *tensor = layer_tensor(ours, entry->name);
        if (!tensor)
            continue;
        snprintf(name, sizeof name, "%s.%s", theirs, tensor);
        const int source = parameters_find(from->parameters, name);
        if (source < 0 || !shape_equal(&from->parameters->entries[source].shape, &entry->shape))
            return value_fail(ctx, at, STATUS_BAD_SHAPE, "init.%s: expected %s of the teacher to be %s, found %s", ours,
                              name, shape_text(&entry->shape, expected),
                              source < 0 ? "none" : shape_text(&from->parameters->entries[source].shape, found));
        memcpy(parameters_value(to, i), parameters_value(from->parameters, source),
               (size_t)entry->elements * element_size(to->element));
    }
    parameters_touch(to);
    return STATUS_OK;
}

/* inherit: what a taught student takes over of its teacher. */
static enum status inherit(struct context *ctx, const struct plan *plan, const struct teaching *teaching,
                           struct network *student)
{
    const struct inheritance *inheritance = &plan->inheritance;
    const struct network *from = teaching_network(teaching);
    struct network *cut = NULL;
    if (inheritance->layers && !from)
        return value_fail(ctx, inheritance->layers, STATUS_BAD_INPUT,
                          "init: expected a teacher that is a network, found none; say init: scratch");
    for (size_t i = 0; inheritance->layers && i < inheritance->layers->count; i++) {
        const struct value_entry *entry = &inheritance->layers->entries[i];
        RETURN_IF(layer_take(ctx, entry->value, entry->key, entry->value->text, from, student));
    }
    if (!inheritance->cut || inheritance->scratch || !from)
        return STATUS_OK;
    RETURN_IF(network_cut_make(ctx, from, &inheritance->how, inheritance->at, "student", &cut));
    enum status status = parameters_copy(student->parameters, cut->parameters);
    network_free(cut);
    return status;
}

enum status student_network(struct context *ctx, const struct plan *plan, const struct teaching *teaching,
                            uint64_t seed, struct network **network)
{
    RETURN_IF(plan_network(ctx, plan, &plan->student, "student", seed, network));
    return inherit(ctx, plan, teaching, *network);
}

enum status student_stages(struct context *ctx, struct arena *arena, const struct plan *plan,
                           const struct teaching *teaching, uint64_t seed, bool alone, struct student *student)
{
    const struct budget whole = plan->student.train.budget;
    student->list.arena = arena;
    RETURN_IF(alone ? plan_network(ctx, plan, &plan->student, "student", seed, &student->network)
                    : student_network(ctx, plan, teaching, seed, &student->network));
    const struct asking taught = {.plan = plan,
                                  .which = &plan->student,
                                  .staging = &plan->staging,
                                  .budget = plan->blocks.count > 0 ? block_plan_rest(&plan->blocks, whole) : whole,
                                  .seed = seed,
                                  .student = student->network,
                                  .teachers = teaching->learners,
                                  .n_teachers = teaching->n_learners};
    RETURN_IF(alone ? alone_list(ctx, arena, plan, seed, student) : taught_list(ctx, &taught, student));
    return followers_add(ctx, arena, plan, &plan->student, !alone, student);
}

enum status assistant_stages(struct context *ctx, struct arena *arena, const struct plan *plan,
                             const struct teaching *teaching, int index, struct student *assistant)
{
    const struct assistant_plan *own = &plan->assistants[index];
    assistant->list.arena = arena;
    RETURN_IF(plan_network(ctx, plan, &own->own, own->name, own->seed, &assistant->network));
    const struct asking taught = {.plan = plan,
                                  .which = &own->own,
                                  .staging = &own->staging,
                                  .budget = own->own.train.budget,
                                  .seed = own->seed,
                                  .student = assistant->network,
                                  .teachers = teaching->learners,
                                  .n_teachers = teaching->n_learners};
    RETURN_IF(taught_list(ctx, &taught, assistant));
    for (int i = 0; i < assistant->list.count; i++) {
        assistant->list.stages[i].name = own->name;
        assistant->list.stages[i].role = "assistant";
    }
    return followers_add(ctx, arena, plan, &own->own, true, assistant);
}

void student_free(struct student *student)
{
    network_free(student->network);
    network_free(student->average);
    network_free(student->extended);
    networks_made_free(&student->others);
}

enum status teacher_stage(struct context *ctx, struct arena *arena, const struct plan *plan,
                          const struct teacher_plan *teacher, struct network *network, struct stage *stage,
                          struct network **average)
{
    *average = NULL;
    RETURN_IF(stage_labels(ctx, arena, &teacher->labels, teacher->name, "teacher", teacher->seed, network,
                           &teacher->own.train, stage));
    stage->all_labels = teacher->own.all_labels;
    return stage_follow(ctx, arena, plan, &teacher->own, stage, average);
}
