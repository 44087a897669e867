/* Which weights a stage ends with: the last ones, their moving average, or the best epoch's; also after a resume. */
#include "format/json.h"
#include "support/stage_case.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char path[] = "checkpoint.safetensors"; /* in the test's own folder */

/* What a run leaves behind: the learner, and what follows it (NULL without an average). */
struct kept {
    struct network *network, *average;
    struct loop_result result;
};

static void kept_free(struct kept *kept)
{
    network_free(kept->network);
    network_free(kept->average);
}

struct stopping {
    int64_t epoch;
    volatile sig_atomic_t cancel;
};

static void stop_at(void *user, const struct loop_progress *progress)
{
    struct stopping *stopping = user;
    if (progress->epoch_end && progress->epoch == stopping->epoch && !progress->finished)
        stopping->cancel = 1;
}

/* kept_run: with a `train:` section; stop > 0: interrupted after that epoch, leaving a checkpoint; resume: from it, in other memory. */
static enum status kept_run(struct stage_case *c, const char *train, int64_t stop, bool resume, struct kept *kept)
{
    struct value *section = NULL;
    struct stopping stopping = {stop, 0};
    *kept = (struct kept){stage_case_network(c, NULL, "student", resume ? 6 : 5), NULL, {.steps = 0}};
    assert_int_equal(json_parse(&c->ctx, c->arena, "test", train, strlen(train), &section), STATUS_OK);
    if (train_settings_bind(&c->ctx, c->arena, section, &c->settings) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    struct stage stage = stage_case_alone(c, kept->network, 5);
    if (stage.budget.average.decay > 0) {
        kept->average = stage_case_network(c, NULL, "average", 7);
        assert_int_equal(stage_average(&c->ctx, c->arena, &stage, kept->average), STATUS_OK);
    }
    struct loop_spec spec = stage_case_loop(c, &stage);
    spec.checkpoint = stop > 0 || resume ? path : NULL;
    spec.progress = stop_at;
    spec.user = &stopping;
    c->ctx.cancel = &stopping.cancel;
    enum status status = loop_run(&c->ctx, &spec, &kept->result);
    c->ctx.cancel = NULL;
    return status;
}

static struct kept run(struct stage_case *c, const char *train)
{
    struct kept kept;
    if (kept_run(c, train, 0, false, &kept) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return kept;
}

#define TRAIN(more) "{\"batch\":32,\"optimiser\":{\"name\":\"sgd\",\"rate\":0.05}" more "}"

/* After n steps the average is a_n = k a_(n-1) + (1-k) w_n, from the initial weights; w_n: of a run of n steps. */
static void averages_are_their_formula(void **state)
{
    (void)state;
    enum { STEPS = 4 };
    struct stage_case c;
    stage_case_new(&c);
    struct network *first = stage_case_network(&c, NULL, "student", 5);
    int64_t n = first->parameters->n_values, n_state = first->parameters->n_state;
    assert_true(n > 0 && n_state > 0);
    for (int ramp = 0; ramp < 2; ramp++) {
        double *expected = arena_take(c.arena, (size_t)(n + n_state), sizeof *expected);
        for (int64_t i = 0; i < n + n_state; i++)
            expected[i] =
                ((const float *)(i < n ? first->parameters->values : first->parameters->state))[i < n ? i : i - n];
        for (int step = 1; step <= STEPS; step++) {
            struct kept plain = run(&c, arena_format(c.arena, TRAIN(",\"steps\":%d"), step));
            const struct parameters *p = plain.network->parameters;
            double keep = ramp && 1 - 1.0 / step < 0.7 ? 1 - 1.0 / step : 0.7;
            for (int64_t i = 0; i < n + n_state; i++)
                expected[i] = keep * expected[i] +
                              (1 - keep) * (double)((const float *)(i < n ? p->values : p->state))[i < n ? i : i - n];
            kept_free(&plain);
        }
        struct kept last = run(&c, arena_format(c.arena, TRAIN(",\"steps\":%d"), STEPS));
        struct kept averaged =
            run(&c, arena_format(c.arena, TRAIN(",\"steps\":%d,\"average\":{\"decay\":0.7,\"ramp\":%s}"), STEPS,
                                 ramp ? "true" : "false"));
        const struct parameters *p = averaged.average->parameters;
        double apart = 0;
        for (int64_t i = 0; i < n + n_state; i++) {
            double found = (double)((const float *)(i < n ? p->values : p->state))[i < n ? i : i - n];
            assert_true(fabs(found - expected[i]) < 1e-6 * (1 + fabs(expected[i])));
        }
        for (int64_t i = 0; i < n; i++)
            apart += fabs((double)((const float *)p->values)[i] -
                          (double)((const float *)last.network->parameters->values)[i]);
        assert_true(apart > 1e-3);
        assert_true(stage_case_same(averaged.network, last.network)); /* what is learnt does not feel the average */
        kept_free(&averaged);
        kept_free(&last);
    }
    network_free(first);
    stage_case_free(&c);
}

/* validation_make: half of the patterns with labels that are partly wrong, so that accuracy goes up and down. */
static void validation_make(struct stage_case *c)
{
    static int32_t labels[STAGE_CASE_SAMPLES];
    memcpy(labels, c->labels, sizeof labels);
    for (int i = 0; i < STAGE_CASE_SAMPLES; i += 3)
        labels[i] = (labels[i] + 1) % STAGE_CASE_CLASSES;
    c->data.splits[SPLIT_VALIDATION] = c->data.splits[SPLIT_TRAIN];
    c->data.splits[SPLIT_VALIDATION].labels = labels;
}

#define STOPPING ",\"epochs\":30,\"early_stop\":{\"patience\":2}"

static void the_best_epoch_is_kept(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    validation_make(&c);
    struct kept stopped = run(&c, TRAIN(STOPPING));
    int64_t best = stopped.result.best_epoch, epochs = stopped.result.epochs;
    assert_true(best >= 1 && epochs < 30);
    assert_int_equal(epochs, best + 2);
    assert_int_equal(stopped.result.steps, epochs * (STAGE_CASE_SAMPLES / 32));
    double highest = -1;
    for (int64_t epoch = 1; epoch <= epochs; epoch++) { /* the rate is constant: shorter runs go the same way */
        struct kept shorter = run(&c, arena_format(c.arena, TRAIN(",\"epochs\":%d"), (int)epoch));
        assert_int_equal(shorter.result.best_epoch, 0);
        double accuracy = shorter.result.validation.accuracy;
        assert_true(epoch < best ? accuracy < stopped.result.validation.accuracy
                                 : accuracy <= stopped.result.validation.accuracy);
        assert_true(stage_case_same(shorter.network, stopped.network) == (epoch == best));
        highest = fmax(highest, accuracy);
        kept_free(&shorter);
    }
    assert_true(highest == stopped.result.validation.accuracy);
    kept_free(&stopped);
    stage_case_free(&c);
}

static void early_stop_needs_validation(void **state)
{
    (void)state;
    struct stage_case c;
    struct kept kept;
    stage_case_new(&c);
    assert_int_equal(kept_run(&c, TRAIN(STOPPING), 0, false, &kept), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "no labelled validation samples"));
    error_clear(&c.ctx);
    kept_free(&kept);
    stage_case_free(&c);
}

/* Everything that a stage can keep, at once: interrupted after each epoch it ends as if it had not been. */
static void a_resume_keeps_the_same(void **state)
{
    (void)state;
    const char *train = "{\"batch\":32,\"epochs\":30,\"optimiser\":{\"name\":\"adamw\",\"rate\":0.02},\"schedule\":{"
                        "\"name\":\"step\",\"every\":2},"
                        "\"average\":{\"decay\":0.9},\"early_stop\":{\"patience\":2},\"groups\":[{\"layers\":["
                        "\"inner\"],\"rate\":0.5,\"decay\":false}]}";
    struct stage_case c;
    stage_case_new(&c);
    validation_make(&c);
    struct kept whole = run(&c, train);
    assert_true(whole.result.best_epoch >= 1 && whole.result.epochs < 30);
    for (int64_t epoch = 1; epoch < whole.result.epochs; epoch++) {
        struct kept part, rest;
        remove(path);
        assert_int_equal(kept_run(&c, train, epoch, false, &part), STATUS_CANCELLED);
        error_clear(&c.ctx);
        assert_false(stage_case_same(part.average, whole.average) && epoch != whole.result.best_epoch);
        assert_int_equal(kept_run(&c, train, 0, true, &rest), STATUS_OK);
        assert_true(stage_case_same(rest.average, whole.average));
        assert_true(stage_case_same(rest.network, whole.network));
        assert_int_equal(rest.result.best_epoch, whole.result.best_epoch);
        assert_int_equal(rest.result.steps, whole.result.steps);
        assert_true(rest.result.validation.accuracy == whole.result.validation.accuracy);
        kept_free(&part);
        kept_free(&rest);
    }
    kept_free(&whole);
    remove(path);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_their_formula),
        cmocka_unit_test(the_best_epoch_is_kept),
        cmocka_unit_test(early_stop_needs_validation),
        cmocka_unit_test(a_resume_keeps_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
