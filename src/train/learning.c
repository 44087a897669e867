/* learning.c: see learning.h. */
#include "train/learning.h"

#include <math.h>

static enum status set_add(struct learning *learning, const char *name, int learner, struct parameters *parameters,
                           const struct program *program)
{
    if (!program_reaches(program, parameters))
        return STATUS_OK;
    const struct optimiser_settings *settings = learning->stage->learners[learner].optimiser;
    struct learned_set *set = &learning->sets[learning->count++];
    *set = (struct learned_set){.name = name, .learner = learner, .parameters = parameters};
    for (int i = 0; i < settings->type->slots; i++) {
        set->slots[i] = memory_new(learning->ctx, (size_t)parameters->n_values, element_size(parameters->element));
        if (!set->slots[i])
            return learning->ctx->error.status;
    }
    return STATUS_OK;
}

static enum status sets_find(struct learning *learning, const struct stage_graph *built, const struct program *program)
{
    struct context *ctx = learning->ctx;
    const struct stage *stage = learning->stage;
    for (int i = 0; i < stage->n_learners; i++) {
        const struct learner *learner = &stage->learners[i];
        if (!learner->learns)
            continue;
        if (!learner->optimiser)
            return fail(ctx, STATUS_BAD_INPUT, "stage %s: %s learns but has no optimiser", stage->name, learner->name);
        if (!program_reaches(program, learner->network->parameters))
            return fail(ctx, STATUS_BAD_INPUT,
                        "stage %s: no loss reaches a parameter of %s; add a term that it is the student of",
                        stage->name, learner->name);
        RETURN_IF(set_add(learning, learner->name, i, learner->network->parameters, program));
    }
    for (int i = 0; i < stage->n_terms; i++) {
        const char *name = arena_format(learning->arena, "term.%s", stage->terms[i].name);
        if (!name)
            return ctx->error.status;
        RETURN_IF(set_add(learning, name, stage->terms[i].student, built->own[i].parameters, program));
    }
    return STATUS_OK;
}

struct learning *learning_new(struct context *ctx, const struct stage_graph *built, const struct program *program,
                              const struct kernels *table)
{
    struct learning *learning = memory_new(ctx, 1, sizeof *learning);
    if (!learning)
        return NULL;
    learning->ctx = ctx;
    learning->stage = built->stage;
    learning->table = table;
    learning->arena = arena_new(ctx);
    learning->sets =
        memory_new(ctx, (size_t)built->stage->n_learners + (size_t)built->stage->n_terms, sizeof *learning->sets);
    if (!learning->arena || !learning->sets || sets_find(learning, built, program) != STATUS_OK) {
        learning_free(learning);
        return NULL;
    }
    return learning;
}

void learning_free(struct learning *learning)
{
    if (!learning)
        return;
    for (int i = 0; i < learning->count; i++)
        for (int j = 0; j < OPTIMISER_MAX_SLOTS; j++)
            memory_free(learning->ctx, learning->sets[i].slots[j]);
    memory_free(learning->ctx, learning->sets);
    arena_free(learning->arena);
    memory_free(learning->ctx, learning);
}

/* clip_scale: what brings the common norm of a learner's gradients down to the limit; PyTorch's clip_grad_norm_. */
static double clip_scale(const struct learning *learning, int learner)
{
    double limit = learning->stage->budget.clip, squares = 0;
    if (limit <= 0)
        return 1;
    for (int i = 0; i < learning->count; i++)
        if (learning->sets[i].learner == learner)
            squares += learning->table->sum_squares(learning->sets[i].parameters->n_values,
                                                    learning->sets[i].parameters->gradients);
    double scale = limit / (sqrt(squares) + 1e-6);
    return scale < 1 ? scale : 1;
}

void learning_step(struct learning *learning, int64_t step, int64_t steps, int64_t epoch_steps)
{
    struct schedule_point point = {step, steps, epoch_steps};
    for (int i = 0; i < learning->stage->n_learners; i++) {
        const struct optimiser_settings *settings = learning->stage->learners[i].optimiser;
        if (!learning->stage->learners[i].learns)
            continue;
        double rate = *(const double *)settings->options *
                      schedule_factor(settings->schedule, &point, settings->schedule_options);
        double scale = clip_scale(learning, i);
        for (int j = 0; j < learning->count; j++) {
            struct learned_set *set = &learning->sets[j];
            if (set->learner != i)
                continue;
            struct optimiser_step one = {.table = learning->table,
                                         .n = set->parameters->n_values,
                                         .values = set->parameters->values,
                                         .gradients = set->parameters->gradients,
                                         .rate = rate,
                                         .gradient_scale = scale,
                                         .decay = true,
                                         .step = step};
            for (int k = 0; k < OPTIMISER_MAX_SLOTS; k++)
                one.slots[k] = set->slots[k];
            settings->type->step(&one, settings->options);
            parameters_touch(set->parameters);
        }
    }
}
