/* shares.c: see shares.h. */
#include "train/shares.h"

#include <math.h>

static const struct parameters *student_of(const struct shares *shares, int term)
{
    const struct stage *stage = shares->built->stage;
    return stage->learners[stage->terms[term].student].network->parameters;
}

static bool same_student(const struct shares *shares, int a, int b)
{
    return student_of(shares, a) == student_of(shares, b);
}

bool shares_shown(const struct shares *shares, int term)
{
    return same_student(shares, term, 0);
}

/* weighed: is a weight to be found among the terms of this term's student? */
static bool weighed(const struct shares *shares, int term)
{
    for (int i = 0; i < shares->built->stage->n_terms; i++)
        if (shares->built->stage->terms[i].share > 0 && same_student(shares, i, term))
            return true;
    return false;
}

static enum status programs_make(struct shares *shares, struct kernel_context *kernels, struct program_memory *memory)
{
    const struct stage_graph *built = shares->built;
    for (int i = 0; i < built->stage->n_terms; i++) {
        struct program_spec spec = {
            .loss = built->term_values[i], .batch = built->stage->budget.batch, .precision = built->precision};
        if (shares_shown(shares, i) || weighed(shares, i))
            RETURN_IF(program_compile(built->graph, &spec, kernels, memory, &shares->programs[i]));
    }
    return STATUS_OK;
}

struct shares *shares_new(struct context *ctx, const struct stage_graph *built, struct kernel_context *kernels,
                          struct program_memory *memory)
{
    const size_t n = (size_t)built->stage->n_terms;
    struct shares *shares = memory_new(ctx, 1, sizeof *shares);
    if (!shares)
        return NULL;
    shares->ctx = ctx;
    shares->built = built;
    for (int i = 0; i < built->stage->n_terms; i++) {
        const int64_t values = student_of(shares, i)->n_values;
        shares->size = values > shares->size ? values : shares->size;
    }
    shares->programs = memory_new(ctx, n, sizeof(struct program *));
    shares->gradients = memory_new(ctx, n * (size_t)shares->size, sizeof(double));
    shares->norms = memory_new(ctx, n, sizeof(double));
    shares->cosines = memory_new(ctx, n * n, sizeof(double));
    if (!shares->programs || !shares->gradients || !shares->norms || !shares->cosines ||
        programs_make(shares, kernels, memory) != STATUS_OK) {
        shares_free(shares);
        return NULL;
    }
    return shares;
}

void shares_free(struct shares *shares)
{
    if (!shares)
        return;
    for (int i = 0; shares->programs && i < shares->built->stage->n_terms; i++)
        program_free(shares->programs[i]);
    memory_free(shares->ctx, shares->programs);
    memory_free(shares->ctx, shares->gradients);
    memory_free(shares->ctx, shares->norms);
    memory_free(shares->ctx, shares->cosines);
    memory_free(shares->ctx, shares);
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* gradient_take: the student's gradient, as doubles; zeros where the term does not reach it. */
static void gradient_take(const struct shares *shares, int term, double *out)
{
    const struct parameters *student = student_of(shares, term);
    const bool reached = program_reaches(shares->programs[term], student);
    for (int64_t i = 0; i < student->n_values; i++)
        out[i] = !reached                          ? 0
                 : student->element == ELEMENT_F64 ? ((const double *)student->gradients)[i]
                                                   : ((const float *)student->gradients)[i];
}

enum status shares_measure(struct shares *shares, const struct bindings *bindings, bool all)
{
    const int n = shares->built->stage->n_terms;
    for (int i = 0; i < n; i++) {
        double *gradient = shares->gradients + i * shares->size;
        const int64_t size = student_of(shares, i)->n_values;
        if (!shares->programs[i] || (!all && !shares_shown(shares, i)))
            continue;
        RETURN_IF(program_run(shares->programs[i], bindings, RUN_BACKWARD));
        gradient_take(shares, i, gradient);
        shares->norms[i] = sqrt(dot(gradient, gradient, size));
        for (int j = 0; j < i; j++) {
            const double norms = shares->norms[i] * shares->norms[j];
            const bool comparable = norms > 0 && same_student(shares, i, j);
            const double cosine = comparable ? dot(gradient, shares->gradients + j * shares->size, size) / norms : 0;
            shares->cosines[i * n + j] = shares->cosines[j * n + i] = cosine;
        }
        shares->cosines[i * n + i] = shares->norms[i] > 0;
    }
    return STATUS_OK;
}

static double weight_of(const struct shares *shares, int term, struct moment at)
{
    const struct term *one = &shares->built->stage->terms[term];
    if (one->share <= 0)
        return stage_weight(one, at);
    return stage_weight_found(shares->built, term) * (one->factor ? real_at(one->factor, at) : 1);
}

/* student_weigh: the terms of the student of term `first`. */
static enum status student_weigh(struct shares *shares, int first, struct moment at)
{
    const struct stage *stage = shares->built->stage;
    double fixed = 0, stated = 0;
    int reference = -1;
    for (int i = first; i < stage->n_terms; i++) {
        const struct term *term = &stage->terms[i];
        if (!same_student(shares, i, first))
            continue;
        if (term->share <= 0) {
            fixed += weight_of(shares, i, at) * shares->norms[i];
            continue;
        }
        reference = reference < 0 ? i : reference;
        stated += term->share;
        if (!(shares->norms[i] > 0) || !isfinite(shares->norms[i]))
            return value_fail(
                shares->ctx, term->at, STATUS_BAD_INPUT,
                "term %s: weight: auto divides by the norm of its gradient, which is %g at the start; give "
                "a weight",
                term->name, shares->norms[i]);
    }
    if (reference < 0)
        return STATUS_OK;
    if (stated > 1 + 1e-9 || (fixed > 0 && stated >= 1))
        return value_fail(shares->ctx, stage->terms[reference].at, STATUS_BAD_INPUT,
                          "term %s: the shares of what %s learns are %g together; expected at most 1, and less where a "
                          "term has a weight of its own; give weights",
                          stage->terms[reference].name, stage->learners[stage->terms[reference].student].name, stated);
    const double total = fixed > 0 ? fixed / (1 - stated) : shares->norms[reference] / stage->terms[reference].share;
    for (int i = first; i < stage->n_terms; i++)
        if (stage->terms[i].share > 0 && same_student(shares, i, first))
            stage_weight_set(shares->built, i, stage->terms[i].share * total / shares->norms[i]);
    return STATUS_OK;
}

enum status shares_weigh(struct shares *shares, struct moment at)
{
    for (int i = 0; i < shares->built->stage->n_terms; i++) {
        bool begun = false;
        for (int j = 0; j < i; j++)
            begun = begun || same_student(shares, i, j);
        if (!begun)
            RETURN_IF(student_weigh(shares, i, at));
    }
    return STATUS_OK;
}

double shares_part(const struct shares *shares, int term, struct moment at)
{
    double sum = 0;
    for (int i = 0; i < shares->built->stage->n_terms; i++)
        if (same_student(shares, i, term))
            sum += weight_of(shares, i, at) * shares->norms[i];
    return sum > 0 ? weight_of(shares, term, at) * shares->norms[term] / sum : 0;
}
