/* Choices at the ends of their range: ties and NaN among the k largest, indices that name nothing or one row often; and
 * products side by side, whose bits do not depend on the threads. */
#include "base/random.h"
#include "graph/ops.h"
#include "support/op_once.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct op op_top_k, op_gather, op_matmul;

static struct context ctx;
static struct kernel_context *kernels[2]; /* of one and of two threads */
static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64};

static int set_up(void **state)
{
    (void)state;
    context_init(&ctx);
    for (int i = 0; i < 2; i++)
        kernels[i] = kernel_context_new(&ctx, i + 1);
    return !kernels[0] || !kernels[1];
}

static int tear_down(void **state)
{
    (void)state;
    kernel_context_free(kernels[0]);
    kernel_context_free(kernels[1]);
    return 0;
}

static void test_ties_and_nan_have_their_order(void **state)
{
    (void)state;
    enum { ROWS = 4, COLUMNS = 6, K = 4 };
    const double x[ROWS * COLUMNS] = {
        2, 5, 5,           1, 5,           2,        /* ties: the lower index first */
        0, 0, -0.0,        0, 0,           0,        /* all alike */
        1, 9, (double)NAN, 3, (double)NAN, HUGE_VAL, /* NaN before all numbers */
        1, 2, 3,           4, 5,           -HUGE_VAL,
    };
    const int expected[ROWS * K] = {1, 2, 4, 0, 0, 1, 2, 3, 2, 4, 5, 1, 4, 3, 2, 1};
    const struct {
        int64_t k;
    } attributes = {K};
    const struct tensor_spec in = {ELEMENT_REAL, SHAPE(ROWS, COLUMNS)};
    for (int p = 0; p < 2; p++) {
        struct op_once o;
        op_once_new(&o, kernels[0], &op_top_k, &attributes, elements[p], 1, &in);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            op_once_put(&o, 0, i, x[i]);
        for (int i = 0; i < ROWS * K; i++)
            op_once_put_d_out(&o, 0, i, i + 1);
        op_once_forward(&o);
        op_once_backward(&o);
        double gradient[ROWS * COLUMNS] = {0};
        for (int i = 0; i < ROWS * K; i++) {
            const int at = i / K * COLUMNS + expected[i];
            const double value = op_once_out(&o, 0, i);
            assert_true(op_once_out(&o, 1, i) == expected[i]);
            assert_true(value == x[at] || (isnan(value) && isnan(x[at])));
            gradient[at] = i + 1;
        }
        for (int i = 0; i < ROWS * COLUMNS; i++)
            assert_true(op_once_d_in(&o, 0, i) == gradient[i]);
        op_once_free(&o);
    }
}

static void test_a_gradient_sums_the_copies_of_a_row(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 2, COUNT = 6 };
    const int index[COUNT] = {2, 0, -1, 2, 3, 2}; /* -1 and 3 name nothing, 1 is named nowhere */
    const double expected[ROWS * COLUMNS] = {3, 4, 0, 0, 1 + 7 + 11, 2 + 8 + 12};
    const struct {
        int axis;
    } attributes = {0};
    const struct tensor_spec in[] = {{ELEMENT_REAL, SHAPE(ROWS, COLUMNS)}, {ELEMENT_I32, SHAPE(COUNT)}};
    for (int p = 0; p < 2; p++) {
        struct op_once o;
        op_once_new(&o, kernels[0], &op_gather, &attributes, elements[p], 2, in);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            op_once_put(&o, 0, i, 10 + i);
        for (int i = 0; i < COUNT; i++)
            op_once_put(&o, 1, i, index[i]);
        for (int i = 0; i < COUNT * COLUMNS; i++)
            op_once_put_d_out(&o, 0, i, i + 1);
        op_once_forward(&o);
        op_once_backward(&o);
        for (int i = 0; i < COUNT * COLUMNS; i++) {
            const int from = index[i / COLUMNS];
            assert_true(op_once_out(&o, 0, i) == (from < 0 || from >= ROWS ? 0 : 10 + from * COLUMNS + i % COLUMNS));
        }
        for (int i = 0; i < ROWS * COLUMNS; i++)
            assert_true(op_once_d_in(&o, 0, i) == expected[i]);
        op_once_free(&o);
    }
}

/* product_bits: outputs and gradients of products side by side, as one array of doubles; free it. */
static double *product_bits(struct kernel_context *with, enum element element, const int64_t sizes[4], int64_t *n)
{
    const struct {
        bool transpose_a, transpose_b;
    } attributes = {false, true};
    const struct tensor_spec in[] = {{ELEMENT_REAL, SHAPE(sizes[0], sizes[1], sizes[3])},
                                     {ELEMENT_REAL, SHAPE(sizes[0], sizes[2], sizes[3])}};
    const struct random_key key = {5, 1, 0};
    struct op_once o;
    op_once_new(&o, with, &op_matmul, &attributes, element, 2, in);
    const int64_t counts[] = {op_once_elements(&o, 0), op_once_elements(&o, 1), sizes[0] * sizes[1] * sizes[2]};
    for (int i = 0; i < 2; i++)
        for (int64_t e = 0; e < counts[i]; e++)
            op_once_put(&o, i, e, random_normal(&key, (uint64_t)(2 * e + i)));
    for (int64_t e = 0; e < counts[2]; e++)
        op_once_put_d_out(&o, 0, e, random_normal(&key, (uint64_t)e));
    op_once_forward(&o);
    op_once_backward(&o);
    *n = counts[0] + counts[1] + counts[2];
    double *bits = malloc((size_t)*n * sizeof *bits), *next = bits;
    assert_non_null(bits);
    for (int64_t e = 0; e < counts[2]; e++)
        *next++ = op_once_out(&o, 0, e);
    for (int i = 0; i < 2; i++)
        for (int64_t e = 0; e < counts[i]; e++)
            *next++ = op_once_d_in(&o, i, e);
    op_once_free(&o);
    return bits;
}

static void test_bits_of_products_do_not_depend_on_threads(void **state)
{
    (void)state;
    /* Many small ones; fewer than threads; sides for which a library is taken. */
    static const int64_t sizes[][4] = {{37, 24, 17, 33}, {1, 200, 60, 50}, {3, 96, 80, 112}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int p = 0; p < 2; p++) {
            int64_t n[2];
            double *one = product_bits(kernels[0], elements[p], sizes[i], &n[0]);
            double *two = product_bits(kernels[1], elements[p], sizes[i], &n[1]);
            assert_int_equal(n[0], n[1]);
            assert_memory_equal(one, two, (size_t)n[0] * sizeof *one);
            free(one);
            free(two);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ties_and_nan_have_their_order),
        cmocka_unit_test(test_a_gradient_sums_the_copies_of_a_row),
        cmocka_unit_test(test_bits_of_products_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
