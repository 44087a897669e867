/* Accuracy, top-5, loss, calibration error and fidelity on numbers worked out by hand. */
#include "train/evaluate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void near(double found, double expected)
{
    if (fabs(found - expected) > 1e-12)
        fail_msg("expected %.15g, found %.15g", expected, found);
}

static void by_hand(void **state)
{
    (void)state;
    /* Probabilities 3/4, 1/4 and 1/4, 3/4 and 1/2, 1/2: log-odds log 3 and 0. */
    const double l3 = log(3), logits[] = {l3, 0, 0, l3, 0, 0, 9, 9};
    const int32_t labels[] = {0, 0, 0, -1};
    struct metrics m = metrics_of(logits, labels, 4, 2);
    assert_int_equal(m.samples, 3);
    near(m.accuracy, 2.0 / 3); /* the tie goes to the first class */
    near(m.top5, 1);
    near(m.loss, -(log(0.75) + log(0.25) + log(0.5)) / 3);
    /* One bin holds both of 3/4 (one of two right: gap 1/4), another the 1/2 (right: gap 1/2). */
    near(m.ece, 2.0 / 3 * 0.25 + 1.0 / 3 * 0.5);
    near(fidelity_of(logits, (const double[]){1, 0, 1, 0, 0, 1, 2, 1}, 4, 2), 0.5);
}

static void top5_and_saturation(void **state)
{
    (void)state;
    const double logits[] = {6, 5, 4, 3, 2, 1, 1e4, -1e4, 0, 0, 0, 0};
    const int32_t labels[] = {5, 1};
    struct metrics m = metrics_of(logits, labels, 2, 6);
    near(m.accuracy, 0);
    near(m.top5, 0);
    assert_true(isfinite(m.loss) && m.loss > 9999);
    const int32_t fifth[] = {4, 5};
    near(metrics_of(logits, fifth, 2, 6).top5, 1);
}

static void without_labels(void **state)
{
    (void)state;
    const double logits[] = {1, 2};
    const int32_t none[] = {-1};
    struct metrics m = metrics_of(logits, none, 1, 2);
    assert_int_equal(m.samples, 0);
    assert_true(isnan(m.accuracy) && isnan(m.loss) && isnan(m.ece));
}

static void compared(void **state)
{
    (void)state;
    /* Answers 0, 1, 1, 0 and 0, 0, 1, 1; the last has no label. */
    const double a[] = {1, 0, 0, 1, 0, 2, 3, 0}, b[] = {1, 0, 5, 1, 0, 2, 0, 1};
    const int32_t labels[] = {0, 1, 0, -1};
    int32_t counts[4], met[OUTCOMES];
    confusion_of(a, labels, 4, 2, counts);
    assert_int_equal(counts[0], 1); /* 0 as 0 */
    assert_int_equal(counts[1], 1); /* 0 as 1 */
    assert_int_equal(counts[2], 0);
    assert_int_equal(counts[3], 1);
    outcomes_of(a, b, labels, 4, 2, met);
    const int32_t expected[OUTCOMES] = {1, 1, 0, 1, 0};
    assert_memory_equal(met, expected, sizeof met);
    outcomes_of(b, a, labels, 4, 2, met);
    assert_int_equal(met[OUTCOME_STUDENT_RIGHT], 1);
    assert_int_equal(met[OUTCOME_TEACHER_RIGHT], 0);
    outcomes_of((const double[]){1, 0, 0}, (const double[]){0, 1, 0}, (const int32_t[]){2}, 1, 3, met);
    assert_int_equal(met[OUTCOME_DIFFERENT_MISTAKES], 1);
}

static void divergences(void **state)
{
    (void)state;
    double room[4], p[2];
    const double l3 = log(3), a[] = {l3, 0}, b[] = {0, l3}, far[] = {1e4, -1e4}, near_b[] = {-1e4, 1e4};
    logits_probabilities(a, 2, p);
    near(p[0], 0.75);
    near(p[1], 0.25);
    /* 3/4, 1/4 against 1/4, 3/4: m = 1/2, and both halves are 3/4 log 3/2 + 1/4 log 1/2. */
    near(divergence_of(a, b, 2, room), 0.75 * log(1.5) + 0.25 * log(0.5));
    near(divergence_of(a, a, 2, room), 0);
    near(divergence_of(far, near_b, 2, room), log(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compared),       cmocka_unit_test(divergences),
        cmocka_unit_test(by_hand),        cmocka_unit_test(top5_and_saturation),
        cmocka_unit_test(without_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
