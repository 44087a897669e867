/* test_real.c: numbers that change over a stage, against numbers worked out by hand. */
#include "base/real.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_close(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

/* at: of a stage of ten epochs. */
static double at(const struct real *real, double progress)
{
    return real_at(real, (struct moment){progress, 10.0 * progress});
}

/* after: of a stage whose length says nothing. */
static double after(const struct real *real, double epoch)
{
    return real_at(real, (struct moment){.progress = NAN, .epoch = epoch});
}

static void test_the_first_courses(void **state)
{
    (void)state;
    const struct real constant = real_constant(3.0);
    assert_false(real_changes(&constant));
    assert_close(at(&constant, 0.7), 3.0);
    const struct real linear = {.value = 1.0, .to = 5.0, .over = 0.5, .course = REAL_LINEAR};
    assert_true(real_changes(&linear));
    assert_close(at(&linear, 0.0), 1.0);
    assert_close(at(&linear, 0.125), 2.0);
    assert_close(at(&linear, 0.5), 5.0);
    assert_close(at(&linear, 1.0), 5.0);
    const struct real cosine = {.value = 4.0, .to = 0.0, .over = 1.0, .course = REAL_COSINE};
    assert_close(at(&cosine, 0.0), 4.0);
    assert_close(at(&cosine, 0.25), 2.0 + 2.0 * cos(acos(-1.0) / 4.0));
    assert_close(at(&cosine, 0.5), 2.0);
    assert_close(at(&cosine, 1.0), 0.0);
    const struct real still = {.value = 2.0, .to = 2.0, .over = 1.0, .course = REAL_COSINE};
    assert_false(real_changes(&still));
    const struct real jump = {.value = 1.0, .to = 5.0, .course = REAL_LINEAR};
    assert_close(at(&jump, 0.0), 1.0);
    assert_close(at(&jump, 0.001), 5.0);
}

/* exp(-5) = 0.006737946999085467, exp(-1.25) = 0.2865047968601901, exp(-0.2) = 0.8187307530779818. */
static void test_ramp(void **state)
{
    (void)state;
    const struct real ramp = {.value = 0.0, .to = 1.0, .over = 0.5, .course = REAL_RAMP};
    assert_close(at(&ramp, 0.0), 0.006737946999085467);
    assert_close(at(&ramp, 0.25), 0.2865047968601901);
    assert_close(at(&ramp, 0.4), 0.8187307530779818);
    assert_true(at(&ramp, 0.5) == 1.0 && at(&ramp, 1.0) == 1.0);
    const struct real down = {.value = 3.0, .to = 1.0, .over = 1.0, .course = REAL_RAMP};
    assert_close(at(&down, 0.0), 3.0 - 2.0 * 0.006737946999085467);
    assert_close(at(&down, 0.5), 3.0 - 2.0 * 0.2865047968601901);
}

static void test_step(void **state)
{
    (void)state;
    struct real step = {.value = 2.0, .to = 7.0, .over = 0.3, .course = REAL_STEP};
    assert_true(real_changes(&step));
    assert_true(at(&step, 0.0) == 2.0 && at(&step, 0.2999) == 2.0);
    assert_true(at(&step, 0.3) == 7.0 && at(&step, 1.0) == 7.0);
    step.over = 0.0;
    assert_true(at(&step, 0.0) == 7.0);
}

static void test_courses_in_epochs(void **state)
{
    (void)state;
    struct real real = {.value = 1.0, .to = 5.0, .over = 1.0, .epochs = 8.0, .course = REAL_LINEAR};
    assert_close(after(&real, 0.0), 1.0);
    assert_close(after(&real, 2.5), 2.25);
    assert_close(after(&real, 8.0), 5.0);
    assert_close(after(&real, 80.0), 5.0);
    real.course = REAL_COSINE;
    assert_close(after(&real, 4.0), 3.0);
    real.course = REAL_RAMP;
    assert_close(after(&real, 0.0), 1.0 + 4.0 * 0.006737946999085467);
    assert_close(after(&real, 4.0), 1.0 + 4.0 * 0.2865047968601901);
    assert_close(after(&real, 8.0), 5.0);
    real.course = REAL_STEP;
    assert_close(after(&real, 7.999), 1.0);
    assert_close(after(&real, 8.0), 5.0);
}

static void test_whole_epochs(void **state)
{
    (void)state;
    struct real real = {.value = 0.0, .to = 8.0, .over = 1.0, .epochs = 8.0, .course = REAL_LINEAR, .whole = true};
    assert_close(after(&real, 0.9), 0.0);
    assert_close(after(&real, 1.0), 1.0);
    assert_close(after(&real, 2.99), 2.0);
    assert_close(after(&real, 2.9999999996), 3.0);
    assert_close(after(&real, 3.0000000004), 3.0);
    assert_close(after(&real, 8.5), 8.0);
    real.course = REAL_RAMP;
    assert_close(after(&real, 0.9), 8.0 * 0.006737946999085467);
    assert_close(after(&real, 4.9), 8.0 * 0.2865047968601901);
}

/* Without `epochs` the progress is what it was at the last epoch's end, in stages of any length. */
static void test_whole_epochs_of_a_stage(void **state)
{
    (void)state;
    struct real real = {.value = 0.0, .to = 10.0, .over = 1.0, .course = REAL_LINEAR, .whole = true};
    assert_close(at(&real, 0.0), 0.0);
    assert_close(at(&real, 0.09), 0.0);
    assert_close(at(&real, 0.35), 3.0);
    assert_close(at(&real, 1.0), 10.0);
    real.course = REAL_STEP;
    for (int epochs = 1; epochs <= 40; epochs++)
        for (int turn = 1; turn <= epochs; turn++) {
            real.over = (double)turn / epochs;
            for (int step = 0; step <= 7 * epochs; step++) {
                const struct moment moment = {(double)step / (7 * epochs), (double)step / 7};
                assert_true(real_at(&real, moment) == (step / 7 >= turn ? 10.0 : 0.0));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_courses),
        cmocka_unit_test(test_ramp),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_courses_in_epochs),
        cmocka_unit_test(test_whole_epochs),
        cmocka_unit_test(test_whole_epochs_of_a_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
