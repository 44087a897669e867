/* offline.c: the teacher is trained first and then frozen; the student learns from it.
 *
 *     teacher (frozen, evaluation mode) ──terms──> student
 *
 * Hinton 2015, arXiv 1503.02531. A stage for each phase of the recipe, in which its terms apply. */
#include "scheme/scheme.h"

#include <string.h>

/* student_read: does a term read the student? */
static bool student_read(const struct phase *phase)
{
    for (int i = 0; i < phase->n_terms; i++)
        for (int j = 0; j < phase->terms[i].method->n_inputs; j++) {
            const struct method_input *input = &phase->terms[i].method->inputs[j];
            if (input->side == SIDE_STUDENT && (input->min > 0 || phase->terms[i].n_student_taps > 0))
                return true;
        }
    return false;
}

/* phase_budget: its epochs; of a number of steps its part, the last phase the rest. */
static struct budget phase_budget(const struct request *request, int index)
{
    struct budget budget = request->budget;
    int64_t before = 0;
    budget.epochs = request->phases[index].epochs;
    if (request->n_phases == 1 || request->budget.steps < 0)
        return budget;
    for (int i = 0; i <= index; i++) {
        const int64_t own = request->budget.steps * request->phases[i].epochs / request->budget.epochs;
        budget.steps = i == request->n_phases - 1 ? request->budget.steps - before : own;
        before += own;
    }
    return budget;
}

static enum status phase_stage(const struct request *request, int index, struct stage_list *list)
{
    const struct phase *phase = &request->phases[index];
    struct context *ctx = request->ctx;
    struct arena *arena = list->arena;
    struct stage *stage = stage_add(list);
    if (!stage)
        return ctx->error.status;
    int n_learners = 1 + request->n_teachers;
    stage->name = arena_format(arena, "%s-%llu", phase->name, (unsigned long long)request->seed);
    stage->learners = arena_take(arena, (size_t)n_learners, sizeof *stage->learners);
    stage->terms = arena_copy(arena, phase->terms, (size_t)phase->n_terms * sizeof *phase->terms);
    if (!stage->name || !stage->learners || (phase->n_terms && !stage->terms))
        return ctx->error.status;
    stage->role = phase->name;
    stage->seed = request->seed;
    stage->budget = phase_budget(request, index);
    stage->n_learners = n_learners;
    stage->n_terms = phase->n_terms;
    const bool learns = !phase->own_only && student_read(phase);
    stage->learners[0] = (struct learner){.name = "student",
                                          .network = request->student,
                                          .training = learns,
                                          .learns = learns,
                                          .optimiser = request->optimiser};
    for (int i = 0; i < request->n_teachers; i++)
        stage->learners[1 + i] = request->teachers[i];
    return STATUS_OK;
}

static enum status offline_stages(const struct request *request, const void *options, struct stage_list *list)
{
    (void)options;
    for (int i = 0; i < request->n_phases; i++)
        RETURN_IF(phase_stage(request, i, list));
    return STATUS_OK;
}

extern const struct scheme scheme_offline;
const struct scheme scheme_offline = {
    .name = "offline",
    .summary = "a trained, frozen teacher teaches the student",
    .paper = "Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    .drawing = "teacher (frozen, evaluation mode) --terms--> student",
    .teacher = TEACHER_FROZEN,
    .stages = offline_stages,
};
