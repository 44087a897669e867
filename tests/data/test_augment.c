/* test_augment.c: each augment against its definition written plainly; draws that depend on nothing but their key. */
#include "data/augment.h"
#include "recipe/recipe.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 7, IMAGE_MAX = 5 * 7 * 3 };

static struct augmentation bind(const char *yaml)
{
    struct context ctx;
    struct augmentation augmentation;
    struct value *section = NULL, *resolved = NULL;
    counted_context(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_int_equal(recipe_parse(&ctx, arena, "r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    assert_int_equal(augmentation_bind(&ctx, arena, section, SEED, &augmentation, &resolved), STATUS_OK);
    assert_int_equal(resolved->kind, VALUE_MAP);
    arena_free(arena);
    return augmentation;
}

/* pixel: element (y, x, c) of an image, 0 outside of it. */
static float pixel(const float *image, const struct augment_image *at, int64_t y, int64_t x, int64_t c)
{
    if (y < 0 || x < 0 || y >= at->height || x >= at->width)
        return 0;
    return image[(y * at->width + x) * at->channels + c];
}

/* matches: `to` is `from`, mirrored or not, then moved. */
static bool matches(const float *from, const float *to, const struct augment_image *at, bool flipped, int64_t down,
                    int64_t right)
{
    for (int64_t y = 0; y < at->height; y++)
        for (int64_t x = 0; x < at->width; x++)
            for (int64_t c = 0; c < at->channels; c++) {
                int64_t source = x - right;
                bool inside = source >= 0 && source < at->width;
                if (flipped)
                    source = at->width - 1 - source;
                float expected = inside ? pixel(from, at, y - down, source, c) : 0;
                if (pixel(to, at, y, x, c) != expected)
                    return false;
            }
    return true;
}

static void test_views(void **state)
{
    (void)state;
    struct augmentation augmentation = bind("{}");
    assert_int_equal(augmentation.count, 0);
    assert_int_equal(augmentation_views(&augmentation), 1);
    assert_int_equal(augmentation_views(NULL), 1);
    augmentation = bind("{flip: false, shift: 0}");
    assert_int_equal(augmentation.count, 0);
    augmentation = bind("{flip: true}");
    assert_int_equal(augmentation_views(&augmentation), 2);
    augmentation = bind("{shift: 2, flip: true}");
    assert_int_equal(augmentation.count, 2);
    assert_string_equal(augmentation.steps[0].augment->name, "flip"); /* the table's order, not the recipe's */
    assert_int_equal(augmentation_views(&augmentation), 0);
}

static void test_flip(void **state)
{
    (void)state;
    static const struct augment_image shapes[] = {{3, 4, 1, 4}, {5, 7, 3, 4}, {1, 1, 1, 4}, {2, 1, 3, 4}};
    struct augmentation augmentation = bind("{flip: true}");
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (size_t s = 0; s < 4; s++) {
        for (int64_t view = 0; view < 2; view++) {
            augmentation_apply(&augmentation, &shapes[s], from, to, scratch, 0, 0, view);
            assert_true(matches(from, to, &shapes[s], view == 1, 0, 0));
        }
    }
    int64_t flipped = 0, alike = 0;
    for (int64_t sample = 0; sample < 4000; sample++) {
        flipped += augmentation_draw(&augmentation, 3, sample);
        alike += augmentation_draw(&augmentation, 3, sample) == augmentation_draw(&augmentation, 4, sample);
    }
    assert_true(flipped > 1850 && flipped < 2150);
    assert_true(alike > 1850 && alike < 2150); /* another epoch is independent of this one */
}

static void test_shift(void **state)
{
    (void)state;
    static const struct augment_image shapes[] = {{5, 7, 3, 4}, {1, 2, 1, 4}};
    struct augmentation augmentation = bind("{shift: 2}");
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    int counts[5][5] = {{0}};
    for (size_t s = 0; s < 2; s++) { /* the second image is smaller than a shift: it may leave it altogether */
        for (int64_t sample = 0; sample < 2500; sample++) {
            assert_int_equal(augmentation_draw(&augmentation, 1, sample), 0);
            augmentation_apply(&augmentation, &shapes[s], from, to, scratch, 1, sample, 0);
            int found = 0;
            for (int down = -2; down <= 2; down++)
                for (int right = -2; right <= 2; right++)
                    if (matches(from, to, &shapes[s], false, down, right)) {
                        found++;
                        counts[down + 2][right + 2] += s == 0;
                    }
            assert_true(found >= 1);
            assert_true(s == 1 || found == 1);
        }
    }
    for (int i = 0; i < 25; i++)
        assert_true(counts[i / 5][i % 5] > 50 && counts[i / 5][i % 5] < 150); /* 100 expected */
}

static void test_both(void **state)
{
    (void)state;
    const struct augment_image image = {5, 7, 3, 4};
    struct augmentation augmentation = bind("{flip: true, shift: 1}"), flip = bind("{flip: true}");
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (int64_t sample = 0; sample < 200; sample++) {
        augmentation_apply(&augmentation, &image, from, to, scratch, 2, sample, 0);
        bool flipped = augmentation_draw(&flip, 2, sample) == 1; /* the same with and without the shift */
        int found = 0;
        for (int down = -1; down <= 1; down++)
            for (int right = -1; right <= 1; right++)
                found += matches(from, to, &image, flipped, down, right);
        assert_int_equal(found, 1);
    }
}

/* Bytes and floats of the same image are changed alike, and nothing is written beyond the image. */
static void test_bytes(void **state)
{
    (void)state;
    struct augmentation augmentation = bind("{flip: true, shift: 2}");
    const struct augment_image floats = {5, 7, 3, 4}, bytes = {5, 7, 3, 1};
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    uint8_t from_bytes[IMAGE_MAX];
    struct guarded to_bytes = guarded_new(IMAGE_MAX), scratch_bytes = guarded_new(IMAGE_MAX);
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = from_bytes[i] = (uint8_t)(i + 1);
    for (int64_t sample = 0; sample < 100; sample++) {
        augmentation_apply(&augmentation, &floats, from, to, scratch, 0, sample, 0);
        augmentation_apply(&augmentation, &bytes, from_bytes, to_bytes.data, scratch_bytes.data, 0, sample, 0);
        for (int i = 0; i < IMAGE_MAX; i++)
            assert_true(to[i] == (float)((uint8_t *)to_bytes.data)[i]);
        assert_true(guarded_intact(&to_bytes) && guarded_intact(&scratch_bytes));
    }
    guarded_free(&to_bytes);
    guarded_free(&scratch_bytes);
}

static void test_table(void **state)
{
    (void)state;
    size_t count = 0;
    const struct augment *const *table = augment_table(&count);
    assert_true(count >= 2 && count <= AUGMENT_MAX);
    const union augment_setting nothing = {0};
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(table[i]->name, table[i]->option.name);
        assert_int_equal(table[i]->option.offset, 0);
        assert_int_equal(table[i]->views(&nothing), 1);
        assert_true(table[i]->summary[0] != '\0' && table[i]->option.help[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views), cmocka_unit_test(test_flip),  cmocka_unit_test(test_shift),
        cmocka_unit_test(test_both),  cmocka_unit_test(test_bytes), cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
