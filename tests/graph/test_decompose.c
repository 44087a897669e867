/* Eigen-decomposition and SVD where the table's random matrices do not go: ties, zero and rank-one matrices, values
 * that are not finite, the bounded gradients by their closed forms, the sign rule, threads. */
#include "base/random.h"
#include "support/compare.h"
#include "support/op_once.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 53, VALUES = 0, VECTORS = 1, LEFT = 2 };

extern const struct op op_eigen, op_svd;
static const struct {
    int k;
} all = {0}, three = {3};

static struct context context;
static struct kernel_context *kernels[2];

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    for (int i = 0; i < 2; i++)
        kernels[i] = kernel_context_new(&context, i + 1);
    return kernels[0] && kernels[1] ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        kernel_context_free(kernels[i]);
    return 0;
}

/* once: a call on matrices [batch,m,n] with a gradient of 1, 2, 3 … for every number of every output. */
static struct op_once once(const struct op *op, const void *attributes, int threads, int64_t batch, int64_t m,
                           int64_t n)
{
    struct op_once o;
    const struct tensor_spec in = {ELEMENT_REAL, SHAPE(batch, m, n)};
    op_once_new(&o, kernels[threads - 1], op, attributes, ELEMENT_F64, 1, &in);
    for (int output = 0; output < op->outputs; output++) {
        o.has_gradient[output] = true;
        for (int64_t i = 0; i < shape_elements(&o.call.out[output].shape); i++)
            op_once_put_d_out(&o, output, i, (double)(i + 1));
    }
    return o;
}

static void run(struct op_once *o)
{
    op_once_forward(o);
    op_once_backward(o);
}

static void outputs_are(const struct op_once *o, int output, double value)
{
    for (int64_t i = 0; i < shape_elements(&o->call.out[output].shape); i++)
        assert_true(op_once_out(o, output, i) == value);
}

static void gradient_is_finite(const struct op_once *o)
{
    for (int64_t i = 0; i < op_once_elements(o, 0); i++)
        assert_true(isfinite(op_once_d_in(o, 0, i)));
}

static void close_to(double expected, double found, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fmax(1e-3, fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void a_zero_matrix_gives_zeros_and_no_gradient(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_eigen, &op_svd};
    for (int i = 0; i < 2; i++) {
        struct op_once o = once(ops[i], &all, 1, 2, 4, 4);
        run(&o);
        for (int output = 0; output < ops[i]->outputs; output++)
            outputs_are(&o, output, 0);
        for (int64_t e = 0; e < op_once_elements(&o, 0); e++)
            assert_true(op_once_d_in(&o, 0, e) == 0);
        op_once_free(&o);
    }
}

static void ties_give_unit_vectors_and_finite_gradients(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_eigen, &op_svd};
    for (int i = 0; i < 2; i++) {
        struct op_once o = once(ops[i], &all, 1, 1, 5, 5);
        for (int64_t e = 0; e < 25; e++)
            op_once_put(&o, 0, e, e / 5 == e % 5 ? 3 : 0);
        run(&o);
        outputs_are(&o, VALUES, 3);
        for (int64_t v = 0; v < 5; v++) {
            double length = 0;
            for (int64_t e = 0; e < 5; e++)
                length += op_once_out(&o, VECTORS, v * 5 + e) * op_once_out(&o, VECTORS, v * 5 + e);
            close_to(1, length, 1e-12);
        }
        gradient_is_finite(&o);
        op_once_free(&o);
    }
}

/* diag(l, l - delta): v_1 = (1, 0) moves along (0, 1) by the off-diagonal over delta; half of it falls to either
 * element. */
static void near_ties_have_the_bounded_gradient(void **state)
{
    (void)state;
    for (double delta = 1; delta > 1e-9; delta /= 10) {
        const double l = 2, epsilon = 1e-6 * l;
        struct op_once o = once(&op_eigen, &all, 1, 1, 2, 2);
        op_once_put(&o, 0, 0, l);
        op_once_put(&o, 0, 3, l - delta);
        for (int64_t i = 0; i < 4; i++)
            op_once_put_d_out(&o, VECTORS, i, i == 1 ? 5 : 0);
        run(&o);
        const double apart = l - (l - delta);
        const double expected = 5 * apart / (apart * apart + epsilon * epsilon) / 2;
        close_to(expected, op_once_d_in(&o, 0, 1), 1e-12);
        close_to(expected, op_once_d_in(&o, 0, 2), 1e-12);
        close_to(1, op_once_d_in(&o, 0, 0), 1e-12); /* d of the values is 1, 2 */
        close_to(2, op_once_d_in(&o, 0, 3), 1e-12);
        op_once_free(&o);
    }
}

/* x = a^T: s = |a|, v = a / s; dx = (d_v - v (v . d_v)) s / (s^2 + e) + d_s v, with e = 1e-6 s^2. */
static void one_row_has_the_bounded_gradient(void **state)
{
    (void)state;
    const double a[] = {1, -4, 2, 0.5};
    struct op_once o = once(&op_svd, &all, 1, 1, 1, 4);
    double s = 0, dot = 0;
    for (int64_t i = 0; i < 4; i++) {
        op_once_put(&o, 0, i, a[i]);
        s += a[i] * a[i];
    }
    s = sqrt(s);
    run(&o);
    close_to(s, op_once_out(&o, VALUES, 0), 1e-14);
    close_to(-1, op_once_out(&o, LEFT, 0), 1e-14); /* the largest, -4, is made positive on the right */
    for (int64_t i = 0; i < 4; i++) {
        close_to(-a[i] / s, op_once_out(&o, VECTORS, i), 1e-14);
        dot += -a[i] / s * (double)(i + 1);
    }
    /* The left vector is the sign alone; v = -a / s turns the gradient around. */
    for (int64_t i = 0; i < 4; i++) {
        const double v = -a[i] / s, along_v = ((double)(i + 1) - v * dot) * s / (s * s + 1e-6 * s * s);
        close_to(-along_v + -v, op_once_d_in(&o, 0, i), 1e-12);
    }
    op_once_free(&o);
}

/* x = u v^T: what comes behind the first is 0, and gradients of those do not count. */
static void what_is_behind_a_rank_is_zero(void **state)
{
    (void)state;
    double gradient[2][24];
    for (int trial = 0; trial < 2; trial++) {
        struct op_once o = once(&op_svd, &three, 1, 1, 6, 4);
        for (int64_t i = 0; i < 24; i++)
            op_once_put(&o, 0, i, (double)(1 + i / 4) * (double)(i % 4 - 2));
        for (int output = VECTORS; trial == 1 && output <= LEFT; output++) {
            const int64_t each = output == LEFT ? 6 : 4;
            for (int64_t i = each; i < 3 * each; i++)
                op_once_put_d_out(&o, output, i, 1e6);
        }
        run(&o);
        assert_true(op_once_out(&o, VALUES, 0) > 1);
        for (int64_t i = 1; i < 3; i++)
            assert_true(op_once_out(&o, VALUES, i) == 0);
        for (int64_t i = 4; i < 12; i++)
            assert_true(op_once_out(&o, VECTORS, i) == 0);
        for (int64_t i = 6; i < 18; i++)
            assert_true(op_once_out(&o, LEFT, i) == 0);
        gradient_is_finite(&o);
        for (int64_t i = 0; i < 24; i++)
            gradient[trial][i] = op_once_d_in(&o, 0, i);
        op_once_free(&o);
    }
    assert_int_equal(compare_numbers(stderr, "gradient", 24, gradient[0], gradient[1], 0, 1), 0);
}

static void fill(struct op_once *o)
{
    const struct random_key key = {SEED, 0, 0};
    for (int64_t i = 0; i < op_once_elements(o, 0); i++)
        op_once_put(o, 0, i, random_normal(&key, (uint64_t)i));
}

static void parts_make_the_matrix_again(void **state)
{
    (void)state;
    const int64_t shapes[][2] = {{7, 4}, {4, 7}};
    for (int s = 0; s < 2; s++) {
        const int64_t m = shapes[s][0], n = shapes[s][1];
        struct op_once o = once(&op_svd, &all, 1, 3, m, n);
        fill(&o);
        op_once_forward(&o);
        for (int64_t e = 0; e < 3 * m * n; e++) {
            const int64_t b = e / (m * n), i = e / n % m, j = e % n;
            double sum = 0;
            for (int64_t k = 0; k < 4; k++)
                sum += op_once_out(&o, VALUES, b * 4 + k) * op_once_out(&o, LEFT, (b * 4 + k) * m + i) *
                       op_once_out(&o, VECTORS, (b * 4 + k) * n + j);
            close_to(element_read(ELEMENT_F64, o.in[0], e), sum, 1e-9);
        }
        for (int64_t v = 0; v < 12; v++) {
            double most = 0;
            for (int64_t j = 0; j < n; j++) {
                const double x = op_once_out(&o, VECTORS, v * n + j);
                most = fabs(x) > fabs(most) ? x : most;
            }
            assert_true(most > 0);
        }
        op_once_free(&o);
    }
}

static void what_is_not_finite_gives_nan(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_eigen, &op_svd};
    const double values[] = {NAN, INFINITY, -INFINITY, 1e200};
    for (int i = 0; i < 2; i++) {
        for (int v = 0; v < 3 + i; v++) { /* svd squares: 1e200 is too large for it */
            struct op_once o = once(ops[i], &all, 1, 2, 3, 3);
            fill(&o);
            op_once_put(&o, 0, 1, values[v]);
            run(&o);
            assert_true(isnan(op_once_out(&o, VALUES, 0)) && isnan(op_once_out(&o, VECTORS, 0)));
            assert_true(isnan(op_once_d_in(&o, 0, 0)));
            assert_true(isfinite(op_once_out(&o, VALUES, 3)) &&
                        isfinite(op_once_d_in(&o, 0, 9))); /* the other sample */
            op_once_free(&o);
        }
    }
}

static void threads_do_not_change_bits(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_eigen, &op_svd};
    for (int i = 0; i < 2; i++) {
        struct op_once a = once(ops[i], &three, 1, 33, 12, 12), b = once(ops[i], &three, 2, 33, 12, 12);
        fill(&a);
        fill(&b);
        run(&a);
        run(&b);
        for (int output = 0; output < ops[i]->outputs; output++)
            assert_memory_equal(a.out[output], b.out[output],
                                (size_t)shape_elements(&a.call.out[output].shape) * sizeof(double));
        assert_memory_equal(a.d_in[0], b.d_in[0], (size_t)op_once_elements(&a, 0) * sizeof(double));
        op_once_free(&a);
        op_once_free(&b);
    }
}

static void too_many_vectors_are_refused(void **state)
{
    (void)state;
    struct op_call call = {.ctx = &context, .op = &op_svd, .attributes = &three, .name = "pairs", .n_inputs = 1};
    call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(1, 2, 9)};
    assert_int_equal(op_svd.shape(&call), STATUS_BAD_SHAPE);
    assert_non_null(strstr(context.error.message, "pairs: expected at most 2 vectors of [1,2,9], found 3"));
    error_clear(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zero_matrix_gives_zeros_and_no_gradient),
        cmocka_unit_test(ties_give_unit_vectors_and_finite_gradients),
        cmocka_unit_test(near_ties_have_the_bounded_gradient),
        cmocka_unit_test(one_row_has_the_bounded_gradient),
        cmocka_unit_test(what_is_behind_a_rank_is_zero),
        cmocka_unit_test(parts_make_the_matrix_again),
        cmocka_unit_test(what_is_not_finite_gives_nan),
        cmocka_unit_test(threads_do_not_change_bits),
        cmocka_unit_test(too_many_vectors_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
