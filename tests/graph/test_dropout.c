/* Dropout's mask and the op random: counted, so a function of seed, stream, step and place, with the statistics they
 * promise. */
#include "base/random.h"
#include "graph/ops.h"
#include "support/op_once.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

extern const struct op op_dropout, op_random;

enum { N = 40000 };

/* As in graph/op/dropout.c and random.c. */
struct dropout_attributes {
    double rate;
    uint32_t stream;
    enum dropout_unit unit;
};
struct random_attributes {
    enum distribution distribution;
    uint32_t stream;
    struct shape shape;
};

static int set_up(void **state)
{
    static struct context ctx;
    context_init(&ctx);
    *state = kernel_context_new(&ctx, 1);
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    kernel_context_free(*state);
    return 0;
}

enum { CHANNELS = 20, POSITIONS = 20, SAMPLES = N / CHANNELS / POSITIONS };

/* unit_mask_draw: 1 where an element of ones [SAMPLES,POSITIONS,CHANNELS] is kept; what is kept must have been scaled. */
static void unit_mask_draw(struct kernel_context *kernels, enum element element, double rate, enum dropout_unit unit,
                           uint32_t stream, uint64_t seed, uint64_t step, unsigned char mask[N])
{
    struct dropout_attributes attributes = {rate, stream, unit};
    struct tensor_spec in = {ELEMENT_REAL, SHAPE(SAMPLES, POSITIONS, CHANNELS)};
    struct op_once o;
    op_once_new(&o, kernels, &op_dropout, &attributes, element, 1, &in);
    o.random = (struct op_random){seed, step};
    for (int64_t i = 0; i < N; i++) {
        op_once_put(&o, 0, i, 1);
        op_once_put_d_out(&o, 0, i, 3);
    }
    op_once_forward(&o);
    op_once_backward(&o);
    for (int64_t i = 0; i < N; i++) {
        double y = op_once_out(&o, 0, i), scaled = 1 / (1 - rate);
        mask[i] = y != 0;
        assert_true(y == 0 || fabs(y - scaled) < 1e-6 * scaled);
        assert_true(fabs(op_once_d_in(&o, 0, i) - 3 * y) < 1e-5); /* the same mask and scale in backward */
    }
    op_once_free(&o);
}

static void mask_draw(struct kernel_context *kernels, enum element element, double rate, uint32_t stream, uint64_t seed,
                      uint64_t step, unsigned char mask[N])
{
    unit_mask_draw(kernels, element, rate, DROPOUT_ELEMENT, stream, seed, step, mask);
}

static double share(const unsigned char mask[N])
{
    int64_t kept = 0;
    for (int i = 0; i < N; i++)
        kept += mask[i];
    return (double)kept / N;
}

static double differing(const unsigned char a[N], const unsigned char b[N])
{
    int64_t n = 0;
    for (int i = 0; i < N; i++)
        n += a[i] != b[i];
    return (double)n / N;
}

static void the_share_that_is_kept_is_one_less_the_rate(void **state)
{
    static const double rates[] = {0.1, 0.3, 0.5, 0.9};
    unsigned char mask[N];
    for (int i = 0; i < 4; i++) {
        mask_draw(*state, ELEMENT_F32, rates[i], 11, 1, 1, mask);
        double deviation = sqrt(rates[i] * (1 - rates[i]) / N);
        assert_true(fabs(share(mask) - (1 - rates[i])) < 4 * deviation);
        /* Neighbours know nothing of each other: pairs that are both kept. */
        int64_t pairs = 0;
        for (int k = 0; k + 1 < N; k++)
            pairs += mask[k] && mask[k + 1];
        assert_true(fabs((double)pairs / N - (1 - rates[i]) * (1 - rates[i])) < 0.015);
    }
    mask_draw(*state, ELEMENT_F32, 0, 11, 1, 1, mask);
    assert_true(share(mask) == 1);
}

static void the_mask_is_that_of_the_counted_stream(void **state)
{
    unsigned char mask[N], wide[N];
    struct random_key key = {99, 12, 5};
    mask_draw(*state, ELEMENT_F32, 0.25, 12, 99, 5, mask);
    mask_draw(*state, ELEMENT_F64, 0.25, 12, 99, 5, wide);
    for (int i = 0; i < N; i++)
        assert_int_equal(mask[i], random_u16(&key, (uint64_t)i) >= 1 << 14);
    assert_memory_equal(mask, wide, N);
}

static void another_step_stream_or_seed_gives_another_mask(void **state)
{
    unsigned char mask[N], other[N];
    const double expected = 2 * 0.3 * 0.7;
    mask_draw(*state, ELEMENT_F32, 0.3, 11, 1, 1, mask);
    mask_draw(*state, ELEMENT_F32, 0.3, 11, 1, 1, other);
    assert_memory_equal(mask, other, N);
    mask_draw(*state, ELEMENT_F32, 0.3, 11, 1, 2, other);
    assert_true(fabs(differing(mask, other) - expected) < 0.02);
    mask_draw(*state, ELEMENT_F32, 0.3, 12, 1, 1, other);
    assert_true(fabs(differing(mask, other) - expected) < 0.02);
    mask_draw(*state, ELEMENT_F32, 0.3, 11, 2, 1, other);
    assert_true(fabs(differing(mask, other) - expected) < 0.02);
    mask_draw(*state, ELEMENT_F32, 0.3, 11, 1, UINT64_C(1) + (UINT64_C(1) << 32),
              other); /* the upper half counts as well */
    assert_true(fabs(differing(mask, other) - expected) < 0.02);
}

static void a_channel_is_dropped_at_all_its_positions(void **state)
{
    unsigned char mask[N];
    struct random_key key = {3, 12, 5};
    for (int f64 = 0; f64 < 2; f64++) {
        unit_mask_draw(*state, f64 ? ELEMENT_F64 : ELEMENT_F32, 0.25, DROPOUT_CHANNEL, 12, 3, 5, mask);
        for (int i = 0; i < N; i++) {
            int sample = i / (POSITIONS * CHANNELS), channel = i % CHANNELS;
            assert_int_equal(mask[i], random_u16(&key, (uint64_t)(sample * CHANNELS + channel)) >= 1 << 14);
        }
        assert_true(fabs(share(mask) - 0.75) < 4 * sqrt(0.25 * 0.75 / (SAMPLES * CHANNELS)));
    }
}

static void a_sample_is_dropped_as_a_whole(void **state)
{
    unsigned char mask[N];
    struct random_key key = {3, 12, 5};
    for (int f64 = 0; f64 < 2; f64++) {
        unit_mask_draw(*state, f64 ? ELEMENT_F64 : ELEMENT_F32, 0.25, DROPOUT_SAMPLE, 12, 3, 5, mask);
        for (int i = 0; i < N; i++)
            assert_int_equal(mask[i], random_u16(&key, (uint64_t)(i / (POSITIONS * CHANNELS))) >= 1 << 14);
        assert_true(fabs(share(mask) - 0.75) < 4 * sqrt(0.25 * 0.75 / SAMPLES));
    }
}

static void a_rate_outside_0_to_1_is_refused(void **state)
{
    struct kernel_context *kernels = *state;
    const double rates[] = {1, -0.1, NAN};
    for (int i = 0; i < 3; i++) {
        struct dropout_attributes attributes = {rates[i], 1, DROPOUT_ELEMENT};
        struct op_call call = {
            .ctx = kernels->ctx, .op = &op_dropout, .attributes = &attributes, .name = "drop", .n_inputs = 1};
        call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(SHAPE_BATCH, 3)};
        assert_int_equal(op_dropout.shape(&call), STATUS_BAD_INPUT);
        assert_non_null(strstr(kernels->ctx->error.message, "drop: expected a rate in [0, 1), found "));
        error_clear(kernels->ctx);
    }
}

static void random_numbers_have_their_moments(void **state)
{
    for (int normal = 0; normal < 2; normal++) {
        struct random_attributes attributes = {normal ? DISTRIBUTION_NORMAL : DISTRIBUTION_UNIFORM, 3, SHAPE(N)};
        struct op_once o;
        op_once_new(&o, *state, &op_random, &attributes, ELEMENT_F32, 0, NULL);
        op_once_forward(&o);
        double first = op_once_out(&o, 0, 0), mean = 0, square = 0;
        for (int64_t i = 0; i < N; i++) {
            double value = op_once_out(&o, 0, i);
            assert_true(normal || (value >= 0 && value < 1));
            mean += value / N;
            square += value * value / N;
        }
        double variance = normal ? 1 : 1.0 / 12, middle = normal ? 0 : 0.5;
        assert_true(fabs(mean - middle) < 4 * sqrt(variance / N));
        assert_true(fabs(square - middle * middle - variance) < 0.03 * variance);
        o.random.step++;
        op_once_forward(&o);
        assert_true(op_once_out(&o, 0, 0) != first);
        op_once_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_that_is_kept_is_one_less_the_rate),
        cmocka_unit_test(the_mask_is_that_of_the_counted_stream),
        cmocka_unit_test(another_step_stream_or_seed_gives_another_mask),
        cmocka_unit_test(a_channel_is_dropped_at_all_its_positions),
        cmocka_unit_test(a_sample_is_dropped_as_a_whole),
        cmocka_unit_test(a_rate_outside_0_to_1_is_refused),
        cmocka_unit_test(random_numbers_have_their_moments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
