/* block_plan.c: see block_plan.h. */
#include "run/block_plan.h"

#include "nn/network.h"

#include <string.h>

enum status block_plan_terms(struct context *ctx, struct arena *arena, const struct network *student,
                             const struct term *terms, int count, struct block_plan *plan)
{
    const char *logits = student->layers[student->logits].name;
    struct term *own = arena_take(arena, (size_t)count, sizeof *own);
    if (!own)
        return ctx->error.status;
    for (int i = 0; i < count; i++) {
        bool whole = method_reads_layers(terms[i].method, SIDE_STUDENT);
        for (int j = 0; j < terms[i].n_student_taps; j++)
            whole = whole || strcmp(terms[i].student_taps[j], logits) != 0;
        if (!whole)
            own[plan->n_terms++] = terms[i];
    }
    plan->terms = own;
    return plan->n_terms > 0 ? STATUS_OK
                             : value_fail(ctx, plan->at, STATUS_BAD_INPUT,
                                          "blocks: expected a loss that reads the student's logits, from which the "
                                          "last block learns, found none; add {method: labels} or {method: kd} to "
                                          "losses");
}

/* steps_of: of a limited number of steps those that blocks take. */
static int64_t steps_of(const struct block_plan *plan, const struct budget *whole)
{
    return whole->steps * plan->epochs / whole->epochs;
}

struct budget block_plan_budget(const struct block_plan *plan, struct budget whole)
{
    struct budget budget = whole;
    budget.epochs = plan->epochs;
    if (whole.steps >= 0)
        budget.steps = steps_of(plan, &whole);
    budget.patience = 0; /* a block cannot be validated, and what is averaged is the whole */
    budget.average = (struct average){0};
    return budget;
}

struct budget block_plan_rest(const struct block_plan *plan, struct budget whole)
{
    struct budget budget = whole;
    budget.epochs -= plan->epochs;
    if (whole.steps >= 0)
        budget.steps -= steps_of(plan, &whole);
    return budget;
}

enum status block_between(struct context *ctx, const struct block_plan *plan, const struct network *student, int index,
                          bool *marks)
{
    const int from = index > 0 ? network_layer(student, plan->student[index - 1], NULL) : -1;
    const int to = index < plan->count ? network_layer(student, plan->student[index], NULL) : student->logits;
    return network_between(ctx, student, from, to, NULL, marks);
}
