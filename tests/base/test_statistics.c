/* test_statistics.c: t quantiles against printed tables, intervals against numbers worked out by hand. */
#include "base/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CLOSE(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static void quantiles_agree_with_the_tables(void **state)
{
    (void)state;
    static const struct {
        double freedom, p, quantile;
    } table[] = {
        {1, 0.975, 12.70620474}, {2, 0.975, 4.30265273},  {3, 0.975, 3.18244631}, {4, 0.975, 2.77644511},
        {9, 0.975, 2.26215716},  {30, 0.975, 2.04227246}, {1, 0.95, 6.31375151},  {5, 0.995, 4.03214298},
        {120, 0.95, 1.65765090}, {1, 0.75, 1.0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLOSE(t_quantile(table[i].p, table[i].freedom), table[i].quantile, 1e-8);
    /* With many degrees of freedom it is the normal distribution's. */
    CLOSE(t_quantile(0.975, 1e7), 1.959963985, 1e-6);
    /* Closed forms: tan for one degree of freedom, a root for two; far out as well. */
    CLOSE(t_quantile(0.9999, 1) / tan(acos(-1.0) * 0.4999), 1, 1e-9);
    CLOSE(t_quantile(0.9995, 2) / (0.999 / sqrt(2 * 0.9995 * 0.0005)), 1, 1e-9);
}

static void quantiles_are_symmetric(void **state)
{
    (void)state;
    for (int freedom = 1; freedom < 40; freedom++)
        CLOSE(t_quantile(0.1, freedom), -t_quantile(0.9, freedom), 1e-9);
    CLOSE(t_quantile(0.5, 7), 0, 1e-9);
}

static void quantiles_of_nonsense_are_undefined(void **state)
{
    (void)state;
    assert_true(isnan(t_quantile(0, 3)));
    assert_true(isnan(t_quantile(1, 3)));
    assert_true(isnan(t_quantile(0.975, 0)));
    assert_true(isnan(t_quantile(NAN, 3)));
}

static void deviation_divides_by_one_less(void **state)
{
    (void)state;
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct mean_std of = mean_std(values, 8);
    CLOSE(of.mean, 5, 1e-15);
    CLOSE(of.std, sqrt(32.0 / 7), 1e-15);
    /* A large offset must not eat the deviation. */
    const double far[] = {1e9 + 1, 1e9 + 2, 1e9 + 3};
    CLOSE(mean_std(far, 3).std, 1, 1e-9);
}

static void few_numbers_leave_figures_undefined(void **state)
{
    (void)state;
    const double one[] = {0.25};
    struct interval interval = t_interval(one, 1, 0.95);
    assert_true(interval.mean == 0.25 && isnan(interval.low) && isnan(interval.high));
    assert_true(isnan(mean_std(one, 1).std));
    assert_true(isnan(mean_std(NULL, 0).mean));
    assert_int_equal(interval_verdict(&interval), VERDICT_NOT_DECIDED);
}

static void interval_of_three_and_of_five(void **state)
{
    (void)state;
    const double three[] = {1, 2, 3}; /* 2 -+ 4.30265273 / sqrt(3) */
    struct interval interval = t_interval(three, 3, 0.95);
    CLOSE(interval.low, 2 - 2.48413771, 1e-8);
    CLOSE(interval.high, 2 + 2.48413771, 1e-8);
    const double five[] = {0.002, 0.003, 0.004, 0.005, 0.006}; /* 0.004 -+ 2.77644511 * 0.00158113883 / sqrt(5) */
    interval = t_interval(five, 5, 0.95);
    CLOSE(interval.low, 0.004 - 0.00196324, 1e-8);
    CLOSE(interval.high, 0.004 + 0.00196324, 1e-8);
}

static void verdict_needs_the_whole_interval_on_one_side(void **state)
{
    (void)state;
    assert_int_equal(interval_verdict(&(struct interval){1, 0.1, 2}), VERDICT_BETTER);
    assert_int_equal(interval_verdict(&(struct interval){-1, -2, -0.1}), VERDICT_WORSE);
    assert_int_equal(interval_verdict(&(struct interval){1, -0.1, 2}), VERDICT_NOT_DECIDED);
    assert_int_equal(interval_verdict(&(struct interval){1, 0, 2}), VERDICT_NOT_DECIDED);
    assert_int_equal(interval_verdict(&(struct interval){-1, -2, 0}), VERDICT_NOT_DECIDED);
    assert_string_equal(verdict_text(VERDICT_BETTER), "better");
    assert_string_equal(verdict_text(VERDICT_WORSE), "worse");
    assert_string_equal(verdict_text(VERDICT_NOT_DECIDED), "not decided");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_agree_with_the_tables),
        cmocka_unit_test(quantiles_are_symmetric),
        cmocka_unit_test(quantiles_of_nonsense_are_undefined),
        cmocka_unit_test(deviation_divides_by_one_less),
        cmocka_unit_test(few_numbers_leave_figures_undefined),
        cmocka_unit_test(interval_of_three_and_of_five),
        cmocka_unit_test(verdict_needs_the_whole_interval_on_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
