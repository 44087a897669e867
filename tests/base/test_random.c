/* test_random.c: counted random numbers. */
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_philox_gives_the_published_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        random_philox(cases[i].key, cases[i].counter, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

static void test_stream_is_fnv1a(void **state)
{
    (void)state;
    assert_int_equal(random_stream(""), 0x811c9dc5);
    assert_int_equal(random_stream("a"), 0xe40c292c);
    assert_int_equal(random_stream("foobar"), 0xbf9cf968);
}

static void test_each_coordinate_matters(void **state)
{
    (void)state;
    const struct random_key key = {.seed = 1, .stream = 2, .step = 3};
    uint32_t base[4], again[4];
    random_block(&key, 4, base);
    random_block(&key, 4, again);
    assert_memory_equal(base, again, sizeof base);
    const struct random_key others[] = {
        {.seed = 2, .stream = 2, .step = 3},
        {.seed = 1, .stream = 3, .step = 3},
        {.seed = 1, .stream = 2, .step = 4},
        {.seed = 1 + (UINT64_C(1) << 40), .stream = 2, .step = 3},
        {.seed = 1, .stream = 2, .step = 3 + (UINT64_C(1) << 40)},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        random_block(&others[i], 4, again);
        assert_memory_not_equal(base, again, sizeof base);
    }
    random_block(&key, 4 + (UINT64_C(1) << 40), again);
    assert_memory_not_equal(base, again, sizeof base);
}

/* The keys of neighbouring seeds and streams never meet: no word repeats in a grid of them. */
static void test_seeds_and_streams_do_not_meet(void **state)
{
    (void)state;
    enum { SIDE = 24 };
    static uint64_t seen[SIDE * SIDE];
    int count = 0;
    for (uint64_t seed = 0; seed < SIDE; seed++)
        for (uint32_t stream = 0; stream < SIDE; stream++) {
            uint32_t words[4];
            const struct random_key key = {.seed = seed, .stream = stream};
            random_block(&key, 0, words);
            uint64_t joined = (uint64_t)words[0] << 32 | words[1];
            for (int i = 0; i < count; i++)
                assert_true(seen[i] != joined);
            seen[count++] = joined;
        }
}

static void test_word_and_half_are_parts_of_their_block(void **state)
{
    (void)state;
    const struct random_key key = {.seed = 7, .stream = random_stream("shuffle"), .step = 9};
    uint32_t words[4];
    random_block(&key, 25, words);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(random_u32(&key, 100 + i), words[i]);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(random_u16(&key, 200 + i), i % 2 ? words[i / 2] >> 16 : words[i / 2] & 0xffff);
}

static void test_uniform_has_its_moments(void **state)
{
    (void)state;
    enum { COUNT = 200000, BINS = 20 };
    const struct random_key key = {.seed = 3, .stream = random_stream("uniform"), .step = 0};
    double sum = 0.0, square = 0.0, product = 0.0, last = 0.5;
    int bins[BINS] = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        double u = random_uniform(&key, i);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        square += u * u;
        product += (u - 0.5) * (last - 0.5);
        last = u;
        bins[(int)(u * BINS)]++;
    }
    /* Each within five standard errors. */
    assert_true(fabs(sum / COUNT - 0.5) < 5.0 * sqrt(1.0 / 12.0 / COUNT));
    assert_true(fabs(square / COUNT - 1.0 / 3.0) < 5.0 * sqrt(4.0 / 45.0 / COUNT));
    assert_true(fabs(product / COUNT) < 5.0 / 12.0 / sqrt(COUNT));
    for (int i = 0; i < BINS; i++)
        assert_true(fabs(bins[i] - (double)COUNT / BINS) < 5.0 * sqrt((double)COUNT / BINS));
}

static void test_normal_has_its_moments(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    const struct random_key key = {.seed = 3, .stream = random_stream("normal"), .step = 1};
    double moments[5] = {0};
    int within = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        double x = random_normal(&key, i);
        assert_true(isfinite(x));
        within += fabs(x) < 1.0;
        double power = 1.0;
        for (int k = 1; k <= 4; k++)
            moments[k] += (power *= x) / COUNT;
    }
    assert_true(fabs(moments[1]) < 5.0 / sqrt(COUNT));
    assert_true(fabs(moments[2] - 1.0) < 5.0 * sqrt(2.0 / COUNT));
    assert_true(fabs(moments[3]) < 5.0 * sqrt(15.0 / COUNT));
    assert_true(fabs(moments[4] - 3.0) < 5.0 * sqrt(96.0 / COUNT));
    assert_true(fabs((double)within / COUNT - 0.6826895) < 5.0 * sqrt(0.2166 / COUNT));
}

static void test_permutation_holds_each_once(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int32_t order[COUNT], again[COUNT];
    bool seen[COUNT] = {false};
    struct random_key key = {.seed = 5, .stream = random_stream("shuffle"), .step = 2};
    random_permutation(&key, COUNT, order);
    for (int i = 0; i < COUNT; i++) {
        assert_true(order[i] >= 0 && order[i] < COUNT && !seen[order[i]]);
        seen[order[i]] = true;
    }
    random_permutation(&key, COUNT, again);
    assert_memory_equal(order, again, sizeof order);
    key.step = 3;
    random_permutation(&key, COUNT, again);
    assert_memory_not_equal(order, again, sizeof order);
    random_permutation(&key, 0, order);
    random_permutation(&key, 1, order);
    assert_int_equal(order[0], 0);
}

static void test_permutation_favours_nothing(void **state)
{
    (void)state;
    enum { N = 5, ROUNDS = 20000 };
    int counts[N][N] = {{0}};
    for (uint64_t step = 0; step < ROUNDS; step++) {
        int32_t order[N];
        const struct random_key key = {.seed = 11, .stream = random_stream("shuffle"), .step = step};
        random_permutation(&key, N, order);
        for (int i = 0; i < N; i++)
            counts[i][order[i]]++;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_true(abs(counts[i][j] - ROUNDS / N) < 5 * sqrt(ROUNDS * 0.16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_gives_the_published_answers),
        cmocka_unit_test(test_stream_is_fnv1a),
        cmocka_unit_test(test_each_coordinate_matters),
        cmocka_unit_test(test_seeds_and_streams_do_not_meet),
        cmocka_unit_test(test_word_and_half_are_parts_of_their_block),
        cmocka_unit_test(test_uniform_has_its_moments),
        cmocka_unit_test(test_normal_has_its_moments),
        cmocka_unit_test(test_permutation_holds_each_once),
        cmocka_unit_test(test_permutation_favours_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
