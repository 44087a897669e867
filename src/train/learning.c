/* learning.c: see learning.h. */
#include "train/learning.h"

#include <math.h>

/* ranges_find: neighbours with the same factors are one range: usually there is a single one. What the loss does not reach stays as it
 * is: it does not decay either. */
static enum status ranges_find(struct learning *learning, const struct program *program, struct learned_set *set,
                               const struct layer_groups *groups, bool named, double rate)
{
    const struct parameters *parameters = set->parameters;
    set->ranges = arena_take(learning->arena, (size_t)parameters->count + 1, sizeof *set->ranges);
    if (!set->ranges)
        return learning->ctx->error.status;
    for (int i = 0; i < parameters->count; i++) {
        const struct parameter *entry = &parameters->entries[i];
        struct learned_range *last = set->n_ranges ? &set->ranges[set->n_ranges - 1] : NULL;
        if (entry->state || !program_reaches_entry(program, parameters, i))
            continue;
        struct layer_factors factors = layer_groups_factors(groups, entry, named);
        factors.rate *= rate;
        const bool next = last && last->from + last->count == entry->offset;
        if (next && last->factors.rate == factors.rate && last->factors.decay == factors.decay)
            last->count += entry->elements;
        else
            set->ranges[set->n_ranges++] = (struct learned_range){entry->offset, entry->elements, factors};
    }
    return STATUS_OK;
}

static enum status set_add(struct learning *learning, const char *name, int learner, struct parameters *parameters,
                           const struct program *program, double rate)
{
    if (!program_reaches(program, parameters))
        return STATUS_OK;
    bool named = parameters == learning->stage->learners[learner].network->parameters;
    const struct optimiser_settings *settings = learning->stage->learners[learner].optimiser;
    struct learned_set *set = &learning->sets[learning->count++];
    *set = (struct learned_set){.name = name, .learner = learner, .parameters = parameters};
    for (int i = 0; i < settings->type->slots; i++) {
        set->slots[i] = memory_new(learning->ctx, (size_t)parameters->n_values, element_size(parameters->element));
        if (!set->slots[i])
            return learning->ctx->error.status;
    }
    return ranges_find(learning, program, set, &settings->groups, named, rate);
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
        RETURN_IF(set_add(learning, learner->name, i, learner->network->parameters, program, 1));
    }
    for (int i = 0; i < stage->n_terms; i++) {
        const char *name = arena_format(learning->arena, "term.%s", stage->terms[i].name);
        if (!name)
            return ctx->error.status;
        const double rate = stage->terms[i].own_rate != 0 ? stage->terms[i].own_rate : 1;
        RETURN_IF(set_add(learning, name, stage->terms[i].student, built->own[i].parameters, program, rate));
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

/* set_step: one step of a set, range by range. */
static void set_step(const struct learning *learning, const struct learned_set *set,
                     const struct optimiser_settings *settings, struct optimiser_step one)
{
    double rate = one.rate;
    size_t size = element_size(set->parameters->element);
    one.table = learning->table;
    for (int i = 0; i < set->n_ranges; i++) {
        const struct learned_range *range = &set->ranges[i];
        size_t at = (size_t)range->from * size;
        one.n = range->count;
        one.values = (char *)set->parameters->values + at;
        one.gradients = (const char *)set->parameters->gradients + at;
        one.rate = rate * range->factors.rate;
        one.decay = range->factors.decay;
        for (int k = 0; k < OPTIMISER_MAX_SLOTS; k++)
            one.slots[k] = set->slots[k] ? (char *)set->slots[k] + at : NULL;
        settings->type->step(&one, settings->options);
    }
    parameters_touch(set->parameters);
}

/* rate_factor: of a learner's rate: its schedule's, or the cosine that the stage is. */
static double rate_factor(const struct budget *budget, const struct optimiser_settings *settings,
                          const struct schedule_point *point)
{
    static const struct schedule_common no_warmup = {0};
    return budget->cosine ? schedule_factor(&schedule_cosine, point, &no_warmup)
                          : schedule_factor(settings->schedule, point, settings->schedule_options);
}

void learning_step(struct learning *learning, int64_t step, int64_t steps, int64_t epoch_steps)
{
    struct schedule_point point = {step, steps, epoch_steps};
    for (int i = 0; i < learning->stage->n_learners; i++) {
        const struct optimiser_settings *settings = learning->stage->learners[i].optimiser;
        if (!settings)
            continue;
        double rate = *(const double *)settings->options * rate_factor(&learning->stage->budget, settings, &point);
        struct optimiser_step one = {.rate = rate, .gradient_scale = clip_scale(learning, i), .step = step};
        for (int j = 0; j < learning->count; j++)
            if (learning->sets[j].learner == i)
                set_step(learning, &learning->sets[j], settings, one);
    }
}
