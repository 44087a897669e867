/* The kernels' own functions of one number against the C library's in long double, in both precisions. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* The headers define their functions for one precision; here both are wanted. */
#undef KERNEL_F64
#define real float
#define exp_parts float_exp_parts
#define exp_reduce float_exp_reduce
#define exp_series float_exp_series
#define exp_scale float_exp_scale
#define log_word float_log_word
#define log_series float_log_series
#define erf_small float_erf_small
#define erf_large float_erf_large
#define ERF_TOP FLOAT_ERF_TOP
#define real_exp float_exp
#define real_sigmoid float_sigmoid
#define real_tanh float_tanh
#define real_log float_log
#define real_log1p float_log1p
#define real_erf float_erf
#include "kernel/level/erf.h"
#include "kernel/level/log.h"
#include "kernel/level/sigmoid.h"
#undef KERNEL_LEVEL_EXP_H
#undef KERNEL_LEVEL_ERF_H
#undef KERNEL_LEVEL_LOG_H
#undef KERNEL_LEVEL_SIGMOID_H
#undef LOG_MANTISSA
#undef LOG_ROOT
#undef LOG_BIAS
#undef LOG_MAGIC
#undef LOG_MAGIC_VALUE
#undef LOG_LARGEST
#undef LOG_NORMAL
#undef real
#undef exp_parts
#undef exp_reduce
#undef exp_series
#undef exp_scale
#undef log_word
#undef log_series
#undef erf_small
#undef erf_large
#undef ERF_TOP
#undef real_exp
#undef real_sigmoid
#undef real_tanh
#undef real_log
#undef real_log1p
#undef real_erf
#define KERNEL_F64
#define real double
#include "kernel/level/erf.h"
#include "kernel/level/log.h"
#include "kernel/level/sigmoid.h"

static long double sigmoid_exact(long double x)
{
    return 1 / (1 + expl(-x));
}

/* One function in one precision: over [from, to] in equal steps, or in equal factors; at most `most` half units in the
 * last place. */
struct function {
    const char *name;
    double from, to;
    bool factors;
    double most;
    long double (*exact)(long double);
    float (*single)(float);
    double (*wide)(double);
};

static const struct function functions[] = {
    {"exp", -87, 88.7, false, 4, expl, float_exp, NULL},
    {"exp", -708, 709.7, false, 4, expl, NULL, real_exp},
    {"log", 0.25, 4, false, 4, logl, float_log, NULL},
    {"log", 0.25, 4, false, 4, logl, NULL, real_log},
    {"log", 1.2e-38, 3.4e38, true, 4, logl, float_log, NULL},
    {"log", 2.3e-308, 1.7e308, true, 4, logl, NULL, real_log},
    {"log of denormals", 1.5e-44, 1.1e-38, true, 4, logl, float_log, NULL},
    {"log of denormals", 1e-322, 2.2e-308, true, 4, logl, NULL, real_log},
    {"log1p", 0, 1, false, 6, log1pl, float_log1p, NULL},
    {"log1p", 0, 1, false, 6, log1pl, NULL, real_log1p},
    {"log1p", 1e-37, 1, true, 6, log1pl, float_log1p, NULL},
    {"log1p", 1e-300, 1, true, 6, log1pl, NULL, real_log1p},
    {"sigmoid", -80, 80, false, 8, sigmoid_exact, float_sigmoid, NULL},
    {"sigmoid", -700, 40, false, 8, sigmoid_exact, NULL, real_sigmoid},
    {"tanh", -25, 25, false, 8, tanhl, float_tanh, NULL},
    {"tanh", -25, 25, false, 8, tanhl, NULL, real_tanh},
    {"tanh", 1e-37, 1, true, 8, tanhl, float_tanh, NULL},
    {"tanh", 1e-300, 1, true, 8, tanhl, NULL, real_tanh},
    {"erf", -8, 8, false, 8, erfl, float_erf, NULL},
    {"erf", -8, 8, false, 8, erfl, NULL, real_erf},
    {"erf", 1e-37, 1, true, 8, erfl, float_erf, NULL},
    {"erf", 1e-300, 1, true, 8, erfl, NULL, real_erf},
};

/* half_units: how far `found` lies from `exact`, in half units of exact's last place (denormals: of the smallest). */
static double half_units(const struct function *f, long double found, long double exact)
{
    long double epsilon = f->single ? FLT_EPSILON : DBL_EPSILON, smallest = f->single ? FLT_MIN : DBL_MIN;
    long double size = fabsl(exact) > smallest ? fabsl(exact) : smallest;
    return (double)(fabsl(found - exact) / (size * epsilon / 2));
}

static void every_function_is_within_its_bound(void **state)
{
    (void)state;
    enum { STEPS = 200003 };
    int failed = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct function *f = &functions[i];
        double worst = 0, at = 0;
        for (int step = 0; step <= STEPS; step++) {
            double part = (double)step / STEPS;
            double x = f->factors ? exp(log(f->from) + part * (log(f->to) - log(f->from)))
                                  : f->from + part * (f->to - f->from);
            x = f->single ? (double)(float)x : x;
            long double found = f->single ? (long double)f->single((float)x) : (long double)f->wide(x);
            double units = half_units(f, found, f->exact((long double)x));
            if (!(units <= worst)) { /* NaN too */
                worst = units;
                at = x;
            }
        }
        printf("%-18s %s: at most %.2f half units, at %.9g\n", f->name, f->single ? "f32" : "f64", worst, at);
        failed += !(worst <= f->most);
    }
    assert_int_equal(failed, 0);
}

static void the_ends_of_exp(void **state)
{
    (void)state;
    assert_true(float_exp(0) == 1 && real_exp(0) == 1);
    assert_true(isinf(float_exp(89)) && isinf(float_exp(INFINITY)) && isinf(real_exp(710)) &&
                isinf(real_exp(INFINITY)));
    assert_true(float_exp(-INFINITY) == 0 && float_exp(-110) == 0 && real_exp(-INFINITY) == 0 && real_exp(-750) == 0);
    /* Denormals: down to the smallest, to a few units. */
    assert_true(fabs((double)float_exp(-95) - exp(-95)) <= 2 * 1.4e-45);
    assert_true(fabs(real_exp(-730) - exp(-730)) <= 2 * 4.9e-324);
    assert_true(float_exp(88.72F) < FLT_MAX && real_exp(709.78) < DBL_MAX);
}

static void the_ends_of_the_others(void **state)
{
    (void)state;
    assert_true(float_log(1) == 0 && real_log(1) == 0 && float_log1p(0) == 0 && real_log1p(0) == 0);
    assert_true(float_log(0) == -INFINITY && real_log(0) == -INFINITY);
    assert_true(float_log(INFINITY) == INFINITY && real_log(INFINITY) == INFINITY);
    assert_true(isnan(float_log(-1)) && isnan(real_log(-1)) && isnan(real_log(-INFINITY)));
    assert_true(float_sigmoid(-INFINITY) == 0 && real_sigmoid(-INFINITY) == 0 && float_sigmoid(INFINITY) == 1 &&
                real_sigmoid(INFINITY) == 1 && float_sigmoid(0) == 0.5F && real_sigmoid(0) == 0.5);
    assert_true(float_tanh(INFINITY) == 1 && real_tanh(-INFINITY) == -1 && float_tanh(0) == 0 && real_tanh(0) == 0);
    assert_true(float_erf(INFINITY) == 1 && real_erf(-INFINITY) == -1 && float_erf(0) == 0 && real_erf(0) == 0);
    assert_true(signbit(float_tanh(-0.0F)) && signbit(real_tanh(-0.0)) && signbit(real_erf(-0.0)));
}

static void nan_stays(void **state)
{
    (void)state;
    assert_true(isnan(float_exp(NAN)) && isnan(float_log(NAN)) && isnan(float_log1p(NAN)) &&
                isnan(float_sigmoid(NAN)) && isnan(float_tanh(NAN)) && isnan(float_erf(NAN)));
    assert_true(isnan(real_exp(NAN)) && isnan(real_log(NAN)) && isnan(real_log1p(NAN)) && isnan(real_sigmoid(NAN)) &&
                isnan(real_tanh(NAN)) && isnan(real_erf(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_within_its_bound),
        cmocka_unit_test(the_ends_of_exp),
        cmocka_unit_test(the_ends_of_the_others),
        cmocka_unit_test(nan_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
