/* Optimiser steps against PyTorch 1.13 in double precision, and the sums and averages that go with them. */
#include "kernel/kernel.h"
#include "support/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PERIOD = 5, COUNT = 37, STEPS = 4 }; /* COUNT: vectors and a tail */

/* Four steps from `start` with gradients (s+1) * `gradient` * 0.5 at step s: torch.optim.SGD(lr=0.1,
 * weight_decay=0.01, …) and AdamW(lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.1), PyTorch 1.13, float64. */
static const double start[PERIOD] = {0.5, -1.0, 2.0, 0.0, 1e-3}, gradient[PERIOD] = {0.1, -0.2, 0.3, 1.0, -1e-3};
static const double torch_plain[PERIOD] = {0.44805297300549995, -0.8961059460109999, 1.842161917017, -0.49950024995,
                                           0.0014955062459510002};
static const double torch_momentum[PERIOD] = {0.4027855231555, -0.805571046311, 1.7038389811170003, -0.9269688849500001,
                                              0.0019179337082509999};
static const double torch_nesterov[PERIOD] = {0.3606885682810265, -0.721377136562053, 1.5760107968954458,
                                              -1.3325652377133952, 0.002320455421818127};
static const double torch_adamw[PERIOD] = {0.45938160590581745, -0.9573846015205683, 1.9533905967263185,
                                           -0.03862139638903113, 0.039616925719087356};

/* Enough for doubles. */
struct values {
    double memory[COUNT];
};

static void put(enum element element, struct values *to, const double *from, double factor)
{
    memset(to, 0, sizeof(*to));
    for (int i = 0; from && i < COUNT; i++) {
        element_write(element, to->memory, i, from[i % PERIOD] * factor);
    }
}

static void same(const char *what, enum element element, const double *expected, const struct values *found)
{
    double repeated[COUNT];
    for (int i = 0; i < COUNT; i++) {
        repeated[i] = expected[i % PERIOD];
    }
    double tolerance = element == ELEMENT_F64 ? 1e-13 : 1e-6;
    assert_int_equal(compare_elements(stderr, what, COUNT, repeated, element, found->memory, tolerance, 1), 0);
}

static struct context context;
static struct kernel_context *kernels;
static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64};

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    kernels = kernel_context_new(&context, 1);
    return kernels == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_context_free(kernels);
    return 0;
}

static void sgd_is_pytorch_s(void **state)
{
    (void)state;
    const struct {
        const char *name;
        double momentum;
        bool nesterov;
        const double *expected;
    } cases[] = {{"plain", 0, false, torch_plain},
                 {"momentum", 0.9, false, torch_momentum},
                 {"nesterov", 0.9, true, torch_nesterov}};
    for (int p = 0; p < 2; p++) {
        for (int c = 0; c < 3; c++) {
            struct values x, g, velocity;
            put(elements[p], &x, start, 1);
            put(elements[p], &velocity, NULL, 0);
            for (int s = 0; s < STEPS; s++) {
                put(elements[p], &g, gradient, s + 1);
                kernels_of(kernels, elements[p])
                    ->sgd_step(COUNT, 0.1, cases[c].momentum, cases[c].nesterov, 0.01, 0.5, &x, &g,
                               cases[c].momentum > 0 ? &velocity : NULL);
            }
            same(cases[c].name, elements[p], cases[c].expected, &x);
        }
    }
}

static void adamw_is_pytorch_s(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct values x, g, m, v;
        put(elements[p], &x, start, 1);
        put(elements[p], &m, NULL, 0);
        put(elements[p], &v, NULL, 0);
        for (int s = 0; s < STEPS; s++) {
            put(elements[p], &g, gradient, s + 1);
            kernels_of(kernels, elements[p])->adamw_step(COUNT, 0.01, 0.9, 0.98, 1e-8, 0.1, s + 1, 0.5, &x, &g, &m, &v);
        }
        same("adamw", elements[p], torch_adamw, &x);
    }
}

static void sums_and_averages(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        const struct kernels *table = kernels_of(kernels, elements[p]);
        struct values x, y;
        double expected[PERIOD], squares = 0;
        put(elements[p], &x, start, 1);
        put(elements[p], &y, gradient, 1);
        for (int i = 0; i < COUNT; i++) {
            squares += start[i % PERIOD] * start[i % PERIOD];
        }
        assert_true(fabs(table->sum_squares(COUNT, &x) - squares) < 1e-5 * squares);
        assert_true(table->sum_squares(0, &x) == 0);
        table->add_scaled(COUNT, -2, &x, &y);
        for (int i = 0; i < PERIOD; i++) {
            expected[i] = gradient[i] - 2 * start[i];
        }
        same("add_scaled", elements[p], expected, &y);
        table->average_values(COUNT, 0.75, &x, &y);
        for (int i = 0; i < PERIOD; i++) {
            expected[i] = 0.75 * expected[i] + 0.25 * start[i];
        }
        same("average_values", elements[p], expected, &y);
        table->scale_values(COUNT, 3, &y);
        for (int i = 0; i < PERIOD; i++) {
            expected[i] *= 3;
        }
        same("scale_values", elements[p], expected, &y);
    }
}

static void a_long_sum_of_squares_is_exact_enough(void **state)
{
    (void)state;
    enum { LONG = 1000003 };
    float *x = malloc(LONG * sizeof(*x));
    assert_non_null(x);
    for (int i = 0; i < LONG; i++) {
        x[i] = 0.1F;
    }
    double expected = LONG * ((double)0.1F * (double)0.1F);
    assert_true(fabs(kernels->f32->sum_squares(LONG, x) - expected) < 1e-5 * expected);
    x[LONG - 1] = NAN;
    assert_true(isnan(kernels->f32->sum_squares(LONG, x)));
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_is_pytorch_s),
        cmocka_unit_test(adamw_is_pytorch_s),
        cmocka_unit_test(sums_and_averages),
        cmocka_unit_test(a_long_sum_of_squares_is_exact_enough),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
