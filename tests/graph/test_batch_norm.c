/* Batch norm where the op table's small examples do not reach: PyTorch's running statistics, large means, constant
 * channels, the fused activation and pool against ops one after another (ties and kinks included), and threads. */
#include "base/random.h"
#include "graph/op/batch_norm.h"
#include "support/op_once.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct op op_relu, op_relu6, op_max_pool;

static const struct batch_norm_attributes plain = {1e-5, ACTIVATION_NONE}, relu = {1e-5, ACTIVATION_RELU};
static const struct batch_norm_attributes relu6 = {1e-5, ACTIVATION_RELU6};

struct fixture {
    struct context ctx;
    struct kernel_context *kernels[2]; /* one thread, two threads */
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    for (int i = 0; i < 2; i++)
        fixture.kernels[i] = kernel_context_new(&fixture.ctx, i + 1);
    *state = &fixture;
    return fixture.kernels[0] && fixture.kernels[1] ? 0 : 1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++)
        kernel_context_free(fixture->kernels[i]);
    return 0;
}

/* norm_new: x [b,h,w,c] with gamma 1, beta 0 and running values 0, 1. */
static void norm_new(struct op_once *o, struct kernel_context *kernels, const struct op *op,
                     const struct batch_norm_attributes *attributes, enum element element, struct shape x)
{
    struct tensor_spec channels = {ELEMENT_REAL, SHAPE(x.dim[3])};
    struct tensor_spec in[5] = {{ELEMENT_REAL, x}, channels, channels, channels, channels};
    op_once_new(o, kernels, op, attributes, element, 5, in);
    for (int64_t c = 0; c < x.dim[3]; c++) {
        op_once_put(o, 1, c, 1);
        op_once_put(o, 4, c, 1);
    }
}

/* Values on a coarse grid: many ties, and many that lie exactly on a kink once they are normalised. */
static void fill_coarse(struct op_once *o, uint32_t stream)
{
    struct random_key key = {7, stream, 0};
    int64_t channels = op_once_elements(o, 1);
    for (int64_t i = 0; i < op_once_elements(o, 0); i++)
        op_once_put(o, 0, i, floor(random_normal(&key, (uint64_t)i) * 2) / 2);
    for (int64_t c = 0; c < channels; c++) {
        op_once_put(o, 1, c,
                    c % 5 == 3   ? -1.5
                    : c % 5 == 4 ? 0
                                 : 0.5 + 0.25 * (double)c); /* negative and zero ones too */
        op_once_put(o, 2, c, 0.25 * (double)(c % 3) - 0.25);
    }
}

static void fill_d_out(struct op_once *o)
{
    struct random_key key = {8, 1, 0};
    for (int64_t i = 0; i < shape_elements(&o->call.out[0].shape); i++)
        op_once_put_d_out(o, 0, i, (double)(float)random_normal(&key, (uint64_t)i));
}

static void running_statistics_are_pytorchs(void **state)
{
    struct fixture *fixture = *state;
    static const double x[] = {1, 10, 2, 10, 3, 14, 6, 10};
    struct op_once o;
    norm_new(&o, fixture->kernels[0], &op_batch_norm, &plain, ELEMENT_F64, SHAPE(2, 2, 1, 2));
    for (int i = 0; i < 8; i++)
        op_once_put(&o, 0, i, x[i]);
    /* Channel 0: mean 3, squares 14; channel 1: mean 11, squares 12; the unbiased variance divides by 3. */
    double mean[2] = {0, 0}, variance[2] = {1, 1};
    for (int step = 0; step < 3; step++) {
        op_once_forward(&o);
        for (int c = 0; c < 2; c++) {
            mean[c] = 0.9 * mean[c] + 0.1 * (c == 0 ? 3 : 11);
            variance[c] = 0.9 * variance[c] + 0.1 * (c == 0 ? 14.0 / 3 : 4);
            assert_true(fabs(op_once_out(&o, 1, c) - mean[c]) < 1e-12);
            assert_true(fabs(op_once_out(&o, 2, c) - variance[c]) < 1e-12);
            op_once_put(&o, 3, c, op_once_out(&o, 1, c));
            op_once_put(&o, 4, c, op_once_out(&o, 2, c));
        }
    }
    /* y divides by the biased one. */
    assert_true(fabs(op_once_out(&o, 0, 0) - (1 - 3) / sqrt(14.0 / 4 + 1e-5)) < 1e-12);
    assert_true(fabs(op_once_out(&o, 0, 5) - (14 - 11) / sqrt(12.0 / 4 + 1e-5)) < 1e-12);
    op_once_free(&o);
}

static void a_large_mean_costs_no_digits(void **state)
{
    struct fixture *fixture = *state;
    struct random_key key = {3, 1, 0};
    struct op_once o;
    norm_new(&o, fixture->kernels[0], &op_batch_norm, &plain, ELEMENT_F32, SHAPE(16, 13, 11, 12));
    int64_t n = op_once_elements(&o, 0), rows = n / 12;
    for (int64_t i = 0; i < n; i++) /* the first rows are far from the rest: no good sample of the mean */
        op_once_put(&o, 0, i, 5000 + (i < 120 ? 40 : 0) + random_normal(&key, (uint64_t)i));
    op_once_forward(&o);
    for (int64_t c = 0; c < 12; c++) {
        double mean = 0, square = 0;
        for (int64_t r = 0; r < rows; r++)
            mean += (double)((const float *)o.in[0])[r * 12 + c] / (double)rows;
        for (int64_t r = 0; r < rows; r++) {
            double apart = (double)((const float *)o.in[0])[r * 12 + c] - mean;
            square += apart * apart / (double)(rows - 1);
        }
        assert_true(fabs((op_once_out(&o, 1, c) * 10 - mean) / mean) < 1e-6);
        assert_true(fabs((op_once_out(&o, 2, c) - 0.9) * 10 - square) < 1e-5 * square);
    }
    op_once_free(&o);
}

static void a_constant_channel_becomes_beta(void **state)
{
    struct fixture *fixture = *state;
    for (int precision = 0; precision < 2; precision++) {
        struct op_once o;
        norm_new(&o, fixture->kernels[0], &op_batch_norm, &plain, precision ? ELEMENT_F64 : ELEMENT_F32,
                 SHAPE(5, 7, 3, 3));
        for (int64_t i = 0; i < op_once_elements(&o, 0); i++)
            op_once_put(&o, 0, i, i % 3 == 0 ? 0.1 : i % 3 == 1 ? -12345.678 : 0);
        for (int64_t c = 0; c < 3; c++)
            op_once_put(&o, 2, c, 0.5 + (double)c);
        op_once_forward(&o);
        fill_d_out(&o);
        op_once_backward(&o);
        for (int64_t i = 0; i < op_once_elements(&o, 0); i++) {
            assert_true(op_once_out(&o, 0, i) == 0.5 + (double)(i % 3));
            assert_true(isfinite(op_once_d_in(&o, 0, i)));
        }
        for (int64_t c = 0; c < 3; c++)
            assert_true(fabs(op_once_out(&o, 2, c) - 0.9) < 1e-7); /* 0.9 of 1 and 0.1 of 0 */
        op_once_free(&o);
    }
}

static void assert_close(double a, double b, double scale, const char *what, int64_t i)
{
    if (!(fabs(a - b) <= 2e-6 * scale))
        fail_msg("%s: element %lld: %.9g and %.9g", what, (long long)i, a, b);
}

/* fused_against_steps: batch norm with what is fused into it, beside batch norm, activation and pool as calls of their
 * own. */
static void fused_against_steps(struct kernel_context *kernels, const struct op *fused_op,
                                const struct batch_norm_attributes *attributes, struct shape x)
{
    static const struct pooling two = {{2, 2}, {2, 2}, {0, 0}};
    bool pools = fused_op == &op_batch_norm_pool;
    struct op_once fused, norm, active, pool;
    norm_new(&fused, kernels, fused_op, attributes, ELEMENT_F32, x);
    norm_new(&norm, kernels, &op_batch_norm, &plain, ELEMENT_F32, x);
    op_once_new(&active, kernels, attributes->activation == ACTIVATION_RELU6 ? &op_relu6 : &op_relu, NULL, ELEMENT_F32,
                1, &(struct tensor_spec){ELEMENT_REAL, x});
    op_once_new(&pool, kernels, &op_max_pool, &two, ELEMENT_F32, 1, &(struct tensor_spec){ELEMENT_REAL, x});
    fill_coarse(&fused, 5);
    fill_coarse(&norm, 5);

    op_once_forward(&fused);
    op_once_forward(&norm);
    struct op_once *last = &norm;
    size_t bytes = (size_t)op_once_elements(&norm, 0) * sizeof(float);
    if (attributes->activation != ACTIVATION_NONE) {
        memcpy(active.in[0], norm.out[0], bytes);
        op_once_forward(&active);
        last = &active;
    }
    if (pools) {
        memcpy(pool.in[0], last->out[0], bytes);
        op_once_forward(&pool);
        last = &pool;
    }
    int64_t n_out = shape_elements(&fused.call.out[0].shape);
    for (int64_t i = 0; i < n_out; i++)
        assert_close(op_once_out(&fused, 0, i), op_once_out(last, 0, i), 8, "output", i);

    fill_d_out(&fused);
    memcpy(last->d_out[0], fused.d_out[0], (size_t)n_out * sizeof(float));
    op_once_backward(&fused);
    if (pools) {
        op_once_backward(&pool);
        memcpy(attributes->activation != ACTIVATION_NONE ? active.d_out[0] : norm.d_out[0], pool.d_in[0], bytes);
    }
    if (attributes->activation != ACTIVATION_NONE) {
        op_once_backward(&active);
        memcpy(norm.d_out[0], active.d_in[0], bytes);
    }
    op_once_backward(&norm);
    for (int64_t i = 0; i < op_once_elements(&norm, 0); i++)
        assert_close(op_once_d_in(&fused, 0, i), op_once_d_in(&norm, 0, i), 8, "gradient of x", i);
    for (int input = 1; input < 3; input++)
        for (int64_t c = 0; c < x.dim[3]; c++)
            assert_close(op_once_d_in(&fused, input, c), op_once_d_in(&norm, input, c), 300,
                         "gradient of gamma or beta", c);
    op_once_free(&fused);
    op_once_free(&norm);
    op_once_free(&active);
    op_once_free(&pool);
}

static void fused_activation_is_batch_norm_then_activation(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t c = 1; c <= 18; c++) {
        fused_against_steps(fixture->kernels[0], &op_batch_norm, &relu, SHAPE(3, 9, 10, c));
        fused_against_steps(fixture->kernels[0], &op_batch_norm, &relu6, SHAPE(3, 9, 10, c));
    }
    fused_against_steps(fixture->kernels[1], &op_batch_norm, &relu, SHAPE(5, 29, 31, 65));
}

static void fused_pool_is_batch_norm_then_activation_then_pool(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t c = 1; c <= 18; c++) {
        fused_against_steps(fixture->kernels[0], &op_batch_norm_pool, &plain, SHAPE(3, 9, 10, c));
        fused_against_steps(fixture->kernels[0], &op_batch_norm_pool, &relu, SHAPE(3, 8, 11, c));
        fused_against_steps(fixture->kernels[0], &op_batch_norm_pool, &relu6, SHAPE(3, 9, 11, c));
    }
    fused_against_steps(fixture->kernels[1], &op_batch_norm_pool, &relu, SHAPE(5, 29, 31, 65));
}

/* Sums are cut by the shape alone. */
static void two_threads_give_the_bits_of_one(void **state)
{
    struct fixture *fixture = *state;
    const struct op *ops[] = {&op_batch_norm, &op_batch_norm_pool};
    for (int k = 0; k < 2; k++) {
        struct op_once o[2];
        for (int i = 0; i < 2; i++) {
            norm_new(&o[i], fixture->kernels[i], ops[k], &relu, ELEMENT_F32, SHAPE(24, 28, 28, 12));
            fill_coarse(&o[i], 6);
            op_once_forward(&o[i]);
            fill_d_out(&o[i]);
            op_once_backward(&o[i]);
        }
        for (int output = 0; output < 3; output++)
            assert_memory_equal(o[0].out[output], o[1].out[output],
                                (size_t)shape_elements(&o[0].call.out[output].shape) * sizeof(float));
        for (int input = 0; input < 3; input++)
            assert_memory_equal(o[0].d_in[input], o[1].d_in[input],
                                (size_t)op_once_elements(&o[0], input) * sizeof(float));
        op_once_free(&o[0]);
        op_once_free(&o[1]);
    }
}

static void shapes_that_do_not_fit_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct op_call call = {
        .ctx = &fixture->ctx, .op = &op_batch_norm, .attributes = &plain, .name = "block2.norm", .n_inputs = 3};
    call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(SHAPE_BATCH, 4, 4, 12)};
    call.in[1] = (struct tensor_spec){ELEMENT_REAL, SHAPE(12)};
    call.in[2] = (struct tensor_spec){ELEMENT_REAL, SHAPE(8)};
    assert_int_equal(op_batch_norm.shape(&call), STATUS_BAD_SHAPE);
    assert_string_equal(fixture->ctx.error.message,
                        "block2.norm: expected beta of shape [12], the channels of x, found [8]");
    error_clear(&fixture->ctx);
    call.n_inputs = 4;
    call.in[2] = call.in[3] = call.in[1];
    assert_int_equal(op_batch_norm.shape(&call), STATUS_BAD_INPUT);
    assert_non_null(strstr(fixture->ctx.error.message, "both running mean and running variance"));
    error_clear(&fixture->ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_are_pytorchs),
        cmocka_unit_test(a_large_mean_costs_no_digits),
        cmocka_unit_test(a_constant_channel_becomes_beta),
        cmocka_unit_test(fused_activation_is_batch_norm_then_activation),
        cmocka_unit_test(fused_pool_is_batch_norm_then_activation_then_pool),
        cmocka_unit_test(two_threads_give_the_bits_of_one),
        cmocka_unit_test(shapes_that_do_not_fit_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
