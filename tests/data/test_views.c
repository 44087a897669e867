/* A limit of views: a sample goes through those of its first epochs in turn, and mixup is a view's as well. */
#include "data/augment.h"
#include "recipe/recipe.h"
#include "support/augmentation_case.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGE_MAX = 5 * 7 * 3 };

/* Where there would be more views than the limit, a sample's views are what it is in the first epochs, and no other ever comes. */
static void test_limited_views_are_those_of_the_first_epochs(void **state)
{
    (void)state;
    enum { LIMIT = 3, SAMPLES = 40 };
    static const char *const many[] = {"{crop: 1, cutout: 3}", "{flip: true, shift: 2}", "{erase: 1, flip: true}"};
    const struct augment_image image = {5, 7, 3, 4};
    float from[IMAGE_MAX], expected[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        struct augmentation all = augmentation_of(many[i]), room;
        const struct augmentation *few = augmentation_limited(&all, LIMIT, &room);
        int different = 0;
        assert_int_equal(augmentation_views(few), LIMIT);
        assert_true(all.limit == 0 && augmentation_views(&all) != LIMIT);
        for (int64_t sample = 0; sample < SAMPLES; sample++)
            for (int64_t view = 0; view < LIMIT; view++) {
                augmentation_apply(&all, &image, from, expected, scratch, view, sample,
                                   augmentation_draw(&all, view, sample));
                for (int64_t epoch = 0; epoch < 20; epoch += 7) { /* whenever it is asked for */
                    augmentation_apply(few, &image, from, to, scratch, epoch, sample, view);
                    assert_memory_equal(to, expected, sizeof to);
                }
                augmentation_apply(&all, &image, from, to, scratch, view + 1, sample,
                                   augmentation_draw(&all, view + 1, sample));
                different += memcmp(to, expected, sizeof to) != 0;
            }
        assert_true(different > SAMPLES * LIMIT / 2);
    }
}

static void test_limited_views_come_in_turn(void **state)
{
    (void)state;
    enum { LIMIT = 5, SAMPLES = 1000 };
    struct augmentation all = augmentation_of("{crop: 1, cutout: 3}"), room;
    const struct augmentation *few = augmentation_limited(&all, LIMIT, &room);
    int begun[LIMIT] = {0};
    for (int64_t sample = 0; sample < SAMPLES; sample++) {
        const int64_t first = augmentation_draw(few, 0, sample);
        assert_true(first >= 0 && first < LIMIT);
        begun[first]++;
        for (int64_t epoch = 1; epoch < 3 * LIMIT; epoch++)
            assert_int_equal(augmentation_draw(few, epoch, sample), (first + epoch) % LIMIT);
    }
    for (int i = 0; i < LIMIT; i++) /* so that an epoch has all of them */
        assert_true(begun[i] > SAMPLES / LIMIT * 3 / 4 && begun[i] < SAMPLES / LIMIT * 5 / 4);
    few = augmentation_limited(&all, 1, &room);
    assert_int_equal(augmentation_views(few), 1);
    for (int64_t epoch = 0; epoch < 9; epoch++)
        assert_int_equal(augmentation_draw(few, epoch, 17), 0);
}

static void test_a_limit_above_the_views_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int64_t limit, views;
    } cases[] = {{"{flip: true}", 2, 2},   {"{flip: true}", 3, 2}, {"{flip: true, shift: 2}", 50, 50},
                 {"{shift: 1}", 10000, 9}, {"{}", 3, 1},           {"{crop: 1, cutout: 3}", 0, 0}};
    const struct augment_image image = {5, 7, 3, 4};
    float from[IMAGE_MAX], expected[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct augmentation all = augmentation_of(cases[i].yaml), room;
        const struct augmentation *same = augmentation_limited(&all, cases[i].limit, &room);
        assert_int_equal(augmentation_views(same), cases[i].views);
        for (int64_t sample = 0; sample < 50; sample++)
            for (int64_t epoch = 0; epoch < 4; epoch++) {
                const int64_t view = augmentation_draw(&all, epoch, sample);
                assert_int_equal(augmentation_draw(same, epoch, sample), view);
                augmentation_apply(&all, &image, from, expected, scratch, epoch, sample, view);
                augmentation_apply(same, &image, from, to, scratch, epoch, sample, view);
                assert_memory_equal(to, expected, sizeof to);
            }
    }
    struct augmentation room;
    assert_null(augmentation_limited(NULL, 3, &room));
    assert_int_equal(augmentation_draw(NULL, 3, 5), 0);
}

/* What a sample is mixed with, and how much, is its view's, in whatever epoch that comes. */
static void test_limited_mixup(void **state)
{
    (void)state;
    enum { LIMIT = 3, SPLIT = 100 };
    struct augmentation all = augmentation_of("{mixup: 0.4, flip: true}"), room;
    const struct augmentation *few = augmentation_limited(&all, LIMIT, &room);
    int alike = 0;
    assert_int_equal(augmentation_views(few), LIMIT);
    assert_true(augmentation_mixes(few));
    for (int64_t sample = 0; sample < SPLIT; sample++)
        for (int64_t view = 0; view < LIMIT; view++) {
            int64_t expected, next, other;
            double part, next_part, own;
            augmentation_mix(&all, view, 0, sample, SPLIT, &expected, &part);
            augmentation_mix(few, 0, (view + 1) % LIMIT, sample, SPLIT, &next, &next_part);
            alike += next == expected && next_part == part;
            for (int64_t epoch = 0; epoch < 9; epoch++) {
                augmentation_mix(few, epoch, view, sample, SPLIT, &other, &own);
                assert_true(other == expected && own == part);
            }
        }
    assert_true(alike < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limited_views_are_those_of_the_first_epochs),
        cmocka_unit_test(test_limited_views_come_in_turn),
        cmocka_unit_test(test_a_limit_above_the_views_changes_nothing),
        cmocka_unit_test(test_limited_mixup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
