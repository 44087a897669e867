/* test_augment.c: each augment against its definition written plainly; draws that depend on nothing but their key. */
#include "data/augment.h"
#include "recipe/recipe.h"
#include "support/augmentation_case.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/guarded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGE_MAX = 5 * 7 * 3 };

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
    struct augmentation augmentation = augmentation_of("{}");
    assert_int_equal(augmentation.count, 0);
    assert_int_equal(augmentation_views(&augmentation), 1);
    assert_int_equal(augmentation_views(NULL), 1);
    augmentation = augmentation_of("{flip: false, shift: 0}");
    assert_int_equal(augmentation.count, 0);
    augmentation = augmentation_of("{flip: true}");
    assert_int_equal(augmentation_views(&augmentation), 2);
    augmentation = augmentation_of("{shift: 2, flip: true}");
    assert_int_equal(augmentation.count, 2);
    assert_string_equal(augmentation.steps[0].augment->name, "flip"); /* the table's order, not the recipe's */
    assert_int_equal(augmentation_views(&augmentation), 50);
    augmentation = augmentation_of("{shift: 3}");
    assert_int_equal(augmentation_views(&augmentation), 49);
    augmentation = augmentation_of("{shift: 1, crop: 1}"); /* 81 are more than anyone records */
    assert_int_equal(augmentation_views(&augmentation), 0);
    for (int i = 0; i < 3; i++) {
        static const char *const unnumbered[] = {"{cutout: 2}", "{erase: 0.5}", "{mixup: 1}"};
        augmentation = augmentation_of(unnumbered[i]);
        assert_int_equal(augmentation_views(&augmentation), 0);
    }
    assert_true(augmentation_mixes(&augmentation) && augmentation.count == 0);
    augmentation = augmentation_of("{cutout: 0, erase: 0, jitter: [0, 0, 0], mixup: 0, crop: 0}");
    assert_int_equal(augmentation_views(&augmentation), 1);
    assert_false(augmentation_mixes(&augmentation) || augmentation_mixes(NULL));
}

static void test_flip(void **state)
{
    (void)state;
    static const struct augment_image shapes[] = {{3, 4, 1, 4}, {5, 7, 3, 4}, {1, 1, 1, 4}, {2, 1, 3, 4}};
    struct augmentation augmentation = augmentation_of("{flip: true}");
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

/* moves_check: an augment that moves by up to 2 each way: each view is one move, and the draws are even. */
static void moves_check(const char *yaml)
{
    static const struct augment_image shapes[] = {{5, 7, 3, 4}, {1, 2, 1, 4}};
    struct augmentation augmentation = augmentation_of(yaml);
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    int counts[5][5] = {{0}};
    for (size_t s = 0; s < 2; s++) { /* the second image is smaller than a shift: it may leave it altogether */
        for (int64_t sample = 0; sample < 2500; sample++) {
            int64_t view = augmentation_draw(&augmentation, 1, sample);
            augmentation_apply(&augmentation, &shapes[s], from, to, scratch, 1, sample, view);
            assert_true(view >= 0 && view < 25);
            assert_true(matches(from, to, &shapes[s], false, view / 5 - 2, view % 5 - 2));
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

static void test_moves(void **state)
{
    (void)state;
    moves_check("{shift: 2}");
    moves_check("{crop: 2}");
    struct augmentation shift = augmentation_of("{shift: 2}"), crop = augmentation_of("{crop: 2}");
    int alike = 0;
    for (int64_t sample = 0; sample < 1000; sample++)
        alike += augmentation_draw(&shift, 0, sample) == augmentation_draw(&crop, 0, sample);
    assert_true(alike < 100); /* 40 expected: each has draws of its own */
}

/* cleared: the rows and columns outside of which `to` is `from`, and inside of which it is 0; false: it is nothing of that kind. */
static bool cleared(const float *from, const float *to, const struct augment_image *at, int64_t box[4])
{
    bool any = false;
    int64_t low_y = at->height, high_y = -1, low_x = at->width, high_x = -1;
    for (int64_t y = 0; y < at->height; y++)
        for (int64_t x = 0; x < at->width; x++)
            if (pixel(to, at, y, x, 0) != pixel(from, at, y, x, 0)) {
                any = true;
                low_y = y < low_y ? y : low_y;
                high_y = y > high_y ? y : high_y;
                low_x = x < low_x ? x : low_x;
                high_x = x > high_x ? x : high_x;
            }
    box[0] = low_y, box[1] = low_x, box[2] = any ? high_y - low_y + 1 : 0, box[3] = any ? high_x - low_x + 1 : 0;
    for (int64_t y = 0; y < at->height; y++)
        for (int64_t x = 0; x < at->width; x++)
            for (int64_t c = 0; c < at->channels; c++) {
                bool inside = any && y >= low_y && y <= high_y && x >= low_x && x <= high_x;
                if (pixel(to, at, y, x, c) != (inside ? 0 : pixel(from, at, y, x, c)))
                    return false;
            }
    return true;
}

/* Each pixel is the centre equally often, so the square hangs over the border as often as its centre is near it. */
static void test_cutout(void **state)
{
    (void)state;
    const struct augment_image image = {5, 7, 3, 4};
    struct augmentation augmentation = augmentation_of("{cutout: 3}");
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    int64_t box[4];
    int whole = 0, counts[5][7] = {{0}};
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (int64_t sample = 0; sample < 3500; sample++) {
        augmentation_apply(&augmentation, &image, from, to, scratch, 1, sample, 0);
        assert_true(cleared(from, to, &image, box));
        assert_true(box[2] >= 2 && box[2] <= 3 && box[3] >= 2 && box[3] <= 3);
        int64_t y = box[0] == 0 && box[2] == 2 ? 0 : box[0] + 1, x = box[1] == 0 && box[3] == 2 ? 0 : box[1] + 1;
        counts[y][x]++;
        whole += box[2] == 3 && box[3] == 3;
    }
    for (int i = 0; i < 35; i++)
        assert_true(counts[i / 7][i % 7] > 50 && counts[i / 7][i % 7] < 150); /* 100 expected */
    assert_true(whole > 1300 && whole < 1700);                                /* 3 * 5 of 35 places: 1500 expected */
    struct augmentation all = augmentation_of("{cutout: 20}");
    augmentation_apply(&all, &image, from, to, scratch, 1, 3, 0);
    assert_true(cleared(from, to, &image, box) && box[2] == 5 && box[3] == 7);
}

static void test_erase(void **state)
{
    (void)state;
    enum { SIDE = 20 };
    const struct augment_image image = {SIDE, SIDE, 1, 4};
    struct augmentation augmentation = augmentation_of("{erase: 0.3}");
    static float from[SIDE * SIDE], to[SIDE * SIDE], scratch[SIDE * SIDE];
    int64_t box[4];
    int erased = 0, tall = 0, upper = 0;
    double area = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        from[i] = (float)i + 1;
    for (int64_t sample = 0; sample < 5000; sample++) {
        augmentation_apply(&augmentation, &image, from, to, scratch, 1, sample, 0);
        assert_true(cleared(from, to, &image, box));
        if (box[2] == 0)
            continue;
        double part = (double)(box[2] * box[3]) / (SIDE * SIDE), ratio = (double)box[2] / (double)box[3];
        assert_true(part > 0.01 && part < 0.36 && ratio > 0.2 && ratio < 5); /* by the rounding to pixels */
        erased++;
        tall += box[2] > box[3];
        upper += 2 * box[0] + box[2] < SIDE;
        area += part;
    }
    assert_true(erased > 1400 && erased < 1600); /* 1500 expected */
    assert_true(fabs(area / erased - 0.175) < 0.01);
    assert_true(tall > erased / 3 && tall < 2 * erased / 3);
    assert_true(upper > erased / 3 && upper < 2 * erased / 3);
    const struct augment_image dot = {1, 1, 1, 4}; /* nothing fits into it */
    float one = 5, out = 0;
    struct augmentation always = augmentation_of("{erase: 1}");
    augmentation_apply(&always, &dot, &one, &out, scratch, 1, 1, 0);
    assert_true(out == 5);
}

/* grey_of, jitter_step: the definitions, in double. */
static double grey_of(const double *x)
{
    return 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2];
}

static void jitter_step(int which, double f, double *x, int pixels)
{
    double mean = 0;
    for (int p = 0; p < pixels; p++)
        mean += grey_of(x + 3 * p) / pixels;
    for (int p = 0; p < pixels; p++) {
        double own = grey_of(x + 3 * p);
        for (int c = 0; c < 3; c++)
            x[3 * p + c] = fmin(1, fmax(0, f * x[3 * p + c] + (1 - f) * (which == 0 ? 0 : which == 1 ? mean : own)));
    }
}

/* One kind of jitter alone is recovered: its factor from one value, which then explains all others. */
static void test_jitter(void **state)
{
    (void)state;
    enum { PIXELS = 35 };
    static const char *const kinds[] = {"{jitter: [0.5, 0, 0]}", "{jitter: [0, 0.5, 0]}", "{jitter: [0, 0, 0.5]}"};
    const struct augment_image image = {5, 7, 3, 4}, bytes = {5, 7, 3, 1};
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    uint8_t from_bytes[IMAGE_MAX], to_bytes[IMAGE_MAX], scratch_bytes[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++) {
        from_bytes[i] = (uint8_t)(60 + (i * 37) % 90); /* nothing is clamped */
        from[i] = (float)from_bytes[i] / 255;
    }
    for (int kind = 0; kind < 3; kind++) {
        struct context ctx;
        struct augmentation augmentation;
        struct value *section = NULL;
        double least = 9, most = 0;
        counted_context(&ctx);
        struct arena *arena = arena_new(&ctx); /* the setting's numbers lie in it */
        assert_int_equal(recipe_parse(&ctx, arena, "r.yaml", kinds[kind], strlen(kinds[kind]), &section), STATUS_OK);
        assert_int_equal(augmentation_bind(&ctx, arena, section, AUGMENTATION_SEED, &augmentation, NULL), STATUS_OK);
        assert_int_equal(augmentation_views(&augmentation), 0);
        for (int64_t sample = 0; sample < 500; sample++) {
            double unchanged[IMAGE_MAX], expected[IMAGE_MAX];
            augmentation_apply(&augmentation, &image, from, to, scratch, 1, sample, 0);
            augmentation_apply(&augmentation, &bytes, from_bytes, to_bytes, scratch_bytes, 1, sample, 0);
            for (int i = 0; i < IMAGE_MAX; i++)
                unchanged[i] = expected[i] = (double)from[i];
            jitter_step(kind, 0, unchanged, PIXELS); /* what factor 0 gives: the other end of the line */
            double f = ((double)to[0] - unchanged[0]) / ((double)from[0] - unchanged[0]);
            jitter_step(kind, f, expected, PIXELS);
            least = fmin(least, f);
            most = fmax(most, f);
            for (int i = 0; i < IMAGE_MAX; i++) {
                assert_true(fabs((double)to[i] - expected[i]) < 1e-4);
                assert_true(fabs((double)to_bytes[i] - 255 * (double)to[i]) <= 0.5 + 1e-3);
            }
        }
        assert_true(least > 0.5 - 1e-3 && least < 0.52 && most > 1.48 && most < 1.5 + 1e-3);
        arena_free(arena);
    }
}

static void test_jitter_of_other_images(void **state)
{
    (void)state;
    struct context ctx;
    struct augmentation augmentation;
    struct value *section = NULL;
    static const char yaml[] = "{jitter: 10}", two[] = "{jitter: [0.1, 0.2]}";
    counted_context(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_int_equal(recipe_parse(&ctx, arena, "r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    assert_int_equal(augmentation_bind(&ctx, arena, section, AUGMENTATION_SEED, &augmentation, NULL), STATUS_OK);
    for (int64_t channels = 1; channels <= 5; channels += 2) { /* strong: everything is clamped to [0,1] */
        const struct augment_image image = {3, 4, channels, 4};
        float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
        for (int i = 0; i < IMAGE_MAX; i++)
            from[i] = (float)(i % 11) / 10;
        for (int64_t sample = 0; sample < 100; sample++) {
            augmentation_apply(&augmentation, &image, from, to, scratch, 1, sample, 0);
            for (int64_t i = 0; i < 12 * channels; i++)
                assert_true(to[i] >= 0 && to[i] <= 1);
        }
    }
    assert_int_equal(augmentation_check(&ctx, &augmentation, 64), STATUS_OK);
    assert_int_equal(augmentation_check(&ctx, NULL, 65), STATUS_OK);
    expect_failure(&ctx, augmentation_check(&ctx, &augmentation, 65), STATUS_UNSUPPORTED,
                   "augment jitter: expected images of at most 64 channels, found 65", NULL);
    assert_int_equal(recipe_parse(&ctx, arena, "r.yaml", two, strlen(two), &section), STATUS_OK);
    expect_failure(
        &ctx, augmentation_bind(&ctx, arena, section, AUGMENTATION_SEED, &augmentation, NULL), STATUS_BAD_INPUT,
        "r.yaml:1:10: augment, \"jitter\": expected one number or [brightness, contrast, saturation], found 2 "
        "numbers",
        NULL);
    arena_free(arena);
}

/* The parts are from Beta(a, a): mean 1/2, variance 1/(4(2a+1)), and for a = 1 uniform; partners are even. */
static void test_mixup(void **state)
{
    (void)state;
    enum { N = 20000, SPLIT = 10 };
    static const struct {
        const char *yaml;
        double alpha;
    } cases[] = {{"{mixup: 0.01}", 0.01}, {"{mixup: 0.2}", 0.2}, {"{mixup: 1}", 1}, {"{mixup: 8}", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct augmentation augmentation = augmentation_of(cases[i].yaml);
        double sum = 0, squares = 0;
        int tenths[10] = {0}, others[SPLIT] = {0}, alike = 0;
        for (int64_t sample = 0; sample < N; sample++) {
            int64_t other = -1, again = -1;
            double part = -1, later;
            augmentation_mix(&augmentation, 3, 0, sample, SPLIT, &other, &part);
            augmentation_mix(&augmentation, 4, 0, sample, SPLIT, &again, &later);
            alike += other == again; /* another epoch, another one */
            assert_true(part >= 0 && part <= 1 && other >= 0 && other < SPLIT);
            sum += part;
            squares += (part - 0.5) * (part - 0.5);
            tenths[part < 1 ? (int)(10 * part) : 9]++;
            others[other]++;
        }
        double variance = 1 / (4 * (2 * cases[i].alpha + 1));
        assert_true(fabs(sum / N - 0.5) < 4 * sqrt(variance / N));
        assert_true(fabs(squares / N - variance) < 0.03 * variance);
        assert_true(alike > N / 12 && alike < N / 8);
        for (int j = 0; j < 10; j++) {
            assert_true(others[j] > 1800 && others[j] < 2200);
            assert_true(cases[i].alpha != 1 || (tenths[j] > 1800 && tenths[j] < 2200));
        }
    }
}

static void test_both(void **state)
{
    (void)state;
    const struct augment_image image = {5, 7, 3, 4};
    struct augmentation augmentation = augmentation_of("{flip: true, shift: 1}"),
                        flip = augmentation_of("{flip: true}");
    float from[IMAGE_MAX], to[IMAGE_MAX], scratch[IMAGE_MAX];
    for (int i = 0; i < IMAGE_MAX; i++)
        from[i] = (float)i + 1;
    for (int64_t sample = 0; sample < 200; sample++) {
        augmentation_apply(&augmentation, &image, from, to, scratch, 2, sample,
                           augmentation_draw(&augmentation, 2, sample));
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
    struct augmentation augmentation = augmentation_of("{flip: true, shift: 2, cutout: 2, erase: 0.5}");
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
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_flip),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_cutout),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_jitter_of_other_images),
        cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
