/* stages.c: see stages.h. */
#include "run/stages.h"

#include "run/extension.h"

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
                            .budget = train->budget};
    return STATUS_OK;
}

/* stage_follow: with train.average, the stage is about the average of its subject; *average is made where it is not there yet, and the
 * caller's. */
static enum status stage_follow(struct context *ctx, struct arena *arena, const struct plan *plan,
                                const struct network_plan *which, struct stage *stage, struct network **average)
{
    if (stage->budget.average.decay <= 0)
        return STATUS_OK;
    if (!*average)
        RETURN_IF(plan_network(ctx, plan, which, "average", stage->seed, average));
    return stage_average(ctx, arena, stage, *average);
}

static enum status student_list(struct context *ctx, struct arena *arena, const struct plan *plan,
                                struct network *teacher, uint64_t seed, bool alone, struct student *student)
{
    student->list.arena = arena;
    RETURN_IF(plan_network(ctx, plan, &plan->student, "student", seed, &student->network));
    if (alone) {
        struct stage *stage = stage_add(&student->list);
        const char *name = arena_format(arena, "alone-%llu", (unsigned long long)seed);
        return stage ? stage_labels(ctx, arena, &plan->student_labels, name, "alone", seed, student->network,
                                    &plan->student.train, stage)
                     : ctx->error.status;
    }
    struct request request = {.ctx = ctx,
                              .seed = seed,
                              .student = student->network,
                              .teachers = &teacher,
                              .n_teachers = teacher ? 1 : 0,
                              .optimiser = &plan->student.train.optimiser,
                              .budget = plan->student.train.budget,
                              .phases = plan->staging.phases,
                              .n_phases = plan->staging.count};
    return plan->scheme->stages(&request, plan->scheme_options, &student->list);
}

enum status student_stages(struct context *ctx, struct arena *arena, const struct plan *plan, struct network *teacher,
                           uint64_t seed, bool alone, struct student *student)
{
    RETURN_IF(student_list(ctx, arena, plan, teacher, seed, alone, student));
    for (int i = 0; i < student->list.count; i++)
        RETURN_IF(stage_follow(ctx, arena, plan, &plan->student, &student->list.stages[i], &student->average));
    if (!alone && student->list.count > 0)
        RETURN_IF(extension_add(ctx, arena, plan, &student->list.stages[student->list.count - 1], &student->extended));
    return STATUS_OK;
}

void student_free(struct student *student)
{
    network_free(student->network);
    network_free(student->average);
    network_free(student->extended);
}

enum status teacher_stage(struct context *ctx, struct arena *arena, const struct plan *plan, struct network *network,
                          struct stage *stage, struct network **average)
{
    *average = NULL;
    RETURN_IF(stage_labels(ctx, arena, &plan->teacher_labels, "teacher", "teacher", plan->teacher_seed, network,
                           &plan->teacher.train, stage));
    return stage_follow(ctx, arena, plan, &plan->teacher, stage, average);
}
