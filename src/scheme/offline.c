/* offline.c: the teacher is trained first and then frozen; the student learns from it.
 *
 *     teacher (frozen, evaluation mode) ──terms──> student
 *
 * Hinton 2015, arXiv 1503.02531. One stage, in which the recipe's terms apply. */
#include "scheme/scheme.h"

#include <string.h>

static enum status offline_stages(const struct request *request, const void *options, struct stage_list *list)
{
    (void)options;
    struct context *ctx = request->ctx;
    struct arena *arena = list->arena;
    struct stage *stage = stage_add(list);
    if (!stage)
        return ctx->error.status;
    int n_learners = 1 + request->n_teachers;
    stage->name = arena_format(arena, "distilled-%llu", (unsigned long long)request->seed);
    stage->learners = arena_take(arena, (size_t)n_learners, sizeof *stage->learners);
    stage->terms = arena_copy(arena, request->terms, (size_t)request->n_terms * sizeof *request->terms);
    if (!stage->name || !stage->learners || (request->n_terms && !stage->terms))
        return ctx->error.status;
    stage->role = "distilled";
    stage->seed = request->seed;
    stage->budget = request->budget;
    stage->n_learners = n_learners;
    stage->n_terms = request->n_terms;
    stage->learners[0] = (struct learner){.name = "student",
                                          .network = request->student,
                                          .training = true,
                                          .learns = true,
                                          .optimiser = request->optimiser};
    for (int i = 0; i < request->n_teachers; i++)
        stage->learners[1 + i] = (struct learner){.name = "teacher", .network = request->teachers[i]};
    return STATUS_OK;
}

extern const struct scheme scheme_offline;
const struct scheme scheme_offline = {
    .name = "offline",
    .summary = "a trained, frozen teacher teaches the student",
    .paper = "Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    .drawing = "teacher (frozen, evaluation mode) --terms--> student",
    .wants_teacher = true,
    .stages = offline_stages,
};
