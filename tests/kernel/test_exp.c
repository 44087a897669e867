/* The kernels' own exponential against the C library's, in both precisions. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* The header defines real_exp for one precision; here both are wanted. */
#undef KERNEL_F64
#define real_exp float_exp
#include "kernel/level/exp.h"
#undef real_exp
#undef KERNEL_LEVEL_EXP_H
#define KERNEL_F64
#define real_exp double_exp
#include "kernel/level/exp.h"
#undef real_exp

static void floats_are_within_two_units(void **state)
{
    (void)state;
    double worst = 0;
    for (double x = -87; x < 88.7; x += 0.000917) {
        double expected = exp((double)(float)x);
        double error = fabs((double)float_exp((float)x) - expected) / expected / (FLT_EPSILON / 2);
        worst = error > worst ? error : worst;
    }
    printf("float: at most %.2f half units\n", worst);
    assert_true(worst <= 4);
}

static void doubles_are_within_two_units(void **state)
{
    (void)state;
    double worst = 0;
    for (double x = -708; x < 709.7; x += 0.00917) {
        long double expected = expl((long double)x);
        double error = (double)(fabsl((long double)double_exp(x) - expected) / expected / (DBL_EPSILON / 2));
        worst = error > worst ? error : worst;
    }
    printf("double: at most %.2f half units\n", worst);
    assert_true(worst <= 4);
}

static void the_ends_of_the_range(void **state)
{
    (void)state;
    assert_true(float_exp(0) == 1 && double_exp(0) == 1);
    assert_true(isinf(float_exp(89)) && isinf(float_exp(INFINITY)) && isinf(double_exp(710)) &&
                isinf(double_exp(INFINITY)));
    assert_true(float_exp(-INFINITY) == 0 && float_exp(-110) == 0 && double_exp(-INFINITY) == 0 &&
                double_exp(-750) == 0);
    assert_true(isnan(float_exp(NAN)) && isnan(double_exp(NAN)));
    /* Denormals: down to the smallest, to a few units. */
    assert_true(fabs((double)float_exp(-95) - exp(-95)) <= 2 * 1.4e-45);
    assert_true(fabs(double_exp(-730) - exp(-730)) <= 2 * 4.9e-324);
    assert_true(float_exp(88.72F) < FLT_MAX && double_exp(709.78) < DBL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_within_two_units),
        cmocka_unit_test(doubles_are_within_two_units),
        cmocka_unit_test(the_ends_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
