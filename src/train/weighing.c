/* weighing.c: see weighing.h. By exponentiated gradient: w_m <- w_m exp(-rate g_m) / sum, which stays on the simplex; a step that does not
 * make the loss smaller is taken back and halved. Kivinen, Warmuth 1997. */
#include "train/weighing.h"

#include <math.h>
#include <string.h>

enum { STEPS_MOST = 200, HALVINGS_MOST = 30 };
#define GAIN_LEAST 1e-9 /* of the loss, relative */

struct fit {
    const double *const *logits;
    int members;
    const int32_t *labels;
    int64_t n, k;
    double *row; /* [k] */
};

/* loss_of: the mean cross-entropy with these weights; slope [members] (may be NULL): its derivative. */
static double loss_of(const struct fit *f, const double *weights, double *slope)
{
    double sum = 0;
    int64_t labelled = 0;
    for (int m = 0; slope && m < f->members; m++)
        slope[m] = 0;
    for (int64_t b = 0; b < f->n; b++) {
        if (f->labels[b] < 0)
            continue;
        labelled++;
        memset(f->row, 0, (size_t)f->k * sizeof *f->row);
        for (int m = 0; m < f->members; m++)
            for (int64_t i = 0; i < f->k; i++)
                f->row[i] += weights[m] * f->logits[m][b * f->k + i];
        const double right = f->row[f->labels[b]];
        double largest = f->row[0], total = 0;
        for (int64_t i = 1; i < f->k; i++)
            largest = fmax(largest, f->row[i]);
        for (int64_t i = 0; i < f->k; i++)
            total += exp(f->row[i] - largest);
        sum += largest + log(fmax(total, 1)) - right; /* the largest alone gives 1 */
        for (int64_t i = 0; slope && i < f->k; i++) {
            const double difference = exp(f->row[i] - largest) / total - (i == f->labels[b]);
            for (int m = 0; m < f->members; m++)
                slope[m] += difference * f->logits[m][b * f->k + i];
        }
    }
    for (int m = 0; slope && m < f->members; m++)
        slope[m] /= (double)labelled;
    return sum / (double)labelled;
}

static void step_along(const struct fit *f, const double *from, const double *slope, double rate, double *to)
{
    double sum = 0, least = slope[0];
    for (int m = 1; m < f->members; m++)
        least = fmin(least, slope[m]);
    for (int m = 0; m < f->members; m++) {
        to[m] = from[m] * exp(-rate * (slope[m] - least));
        sum += to[m];
    }
    for (int m = 0; m < f->members; m++)
        to[m] /= sum;
}

enum status weights_fit(struct context *ctx, const double *const *logits, int members, const int32_t *labels, int64_t n,
                        int64_t k, double *weights)
{
    double slope[ENSEMBLE_MAX], next[ENSEMBLE_MAX], rate = 1;
    struct fit fit = {logits, members, labels, n, k, memory_new(ctx, (size_t)k, sizeof *fit.row)};
    if (!fit.row)
        return ctx->error.status;
    for (int m = 0; m < members; m++)
        weights[m] = 1.0 / members;
    double loss = loss_of(&fit, weights, slope);
    for (int step = 0, halvings = 0; step < STEPS_MOST && halvings < HALVINGS_MOST && isfinite(loss); step++) {
        step_along(&fit, weights, slope, rate, next);
        const double reached = loss_of(&fit, next, NULL);
        if (!(reached < loss)) {
            rate /= 2;
            halvings++;
            continue;
        }
        const bool enough = loss - reached < GAIN_LEAST * loss;
        memcpy(weights, next, (size_t)members * sizeof *weights);
        if (enough)
            break;
        loss = loss_of(&fit, weights, slope);
        rate *= 1.5;
    }
    memory_free(ctx, fit.row);
    return STATUS_OK;
}

static enum status weigh(const struct stage_graph *built, const struct judges *judges, const struct split *validation,
                         int learner)
{
    const double *logits[ENSEMBLE_MAX];
    double weights[ENSEMBLE_MAX];
    const struct ensemble *ensemble = built->stage->learners[learner].ensemble;
    for (int m = 0; m < ensemble->n_members; m++) {
        logits[m] = judges_logits(judges, ensemble->members[m].learner);
        if (!logits[m])
            return fail(built->ctx, STATUS_BAD_INPUT,
                        "stage %s: %s is weighed by labelled validation samples, and there are none; add `validation: "
                        "5000` to data",
                        built->stage->name, built->stage->learners[learner].name);
    }
    RETURN_IF(weights_fit(built->ctx, logits, ensemble->n_members, validation->labels, validation->count,
                          ensemble->classes, weights));
    stage_weights_set(built, learner, weights);
    return STATUS_OK;
}

enum status weighing_run(const struct stage_graph *built, const struct judges *judges, const struct split *validation)
{
    for (int i = 0; i < built->stage->n_events; i++)
        if (built->stage->events[i].what == EVENT_WEIGH)
            RETURN_IF(weigh(built, judges, validation, built->stage->events[i].to));
    return STATUS_OK;
}
