/* test_loader.c: the order is a function of seed and epoch; an image one of (augment seed, epoch, sample). */
#include "data/loader.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 23, HEIGHT = 3, WIDTH = 4, IMAGE = HEIGHT * WIDTH };

struct fixture {
    struct context ctx;
    uint8_t images[N * IMAGE];
    int32_t labels[N];
    struct split split;
    struct augmentation flip, both, mixup;
};

static void augmentation_make(struct augmentation *out, int64_t shift)
{
    size_t count = 0;
    const struct augment *const *table = augment_table(&count);
    memset(out, 0, sizeof *out);
    out->seed = 5;
    for (size_t i = 0; i < count; i++) {
        struct augmentation_step step = {.augment = table[i], .stream = random_stream(table[i]->name)};
        if (strcmp(table[i]->name, "flip") == 0)
            step.setting.boolean = true;
        else if (strcmp(table[i]->name, "shift") == 0 && shift > 0)
            step.setting.integer = shift;
        else
            continue;
        out->steps[out->count++] = step;
    }
}

/* mixup_make: flips, shifts, and every sample mixed with another. */
static void mixup_make(struct augmentation *out, const struct augmentation *from)
{
    size_t count = 0;
    const struct augment *const *table = augment_table(&count);
    *out = *from;
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i]->name, "mixup") == 0)
            out->mixer = (struct augmentation_step){table[i], {.real = 0.5}, random_stream("mixup")};
    assert_true(augmentation_mixes(out));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    counted_context(&f->ctx);
    for (int i = 0; i < N * IMAGE; i++)
        f->images[i] = (uint8_t)(i % 251 + 1);
    for (int i = 0; i < N; i++)
        f->labels[i] = i % 10 - 1;
    f->split = (struct split){.name = "train",
                              .element = ELEMENT_U8,
                              .count = N,
                              .height = HEIGHT,
                              .width = WIDTH,
                              .channels = 1,
                              .images = f->images,
                              .labels = f->labels};
    augmentation_make(&f->flip, 0);
    augmentation_make(&f->both, 1);
    mixup_make(&f->mixup, &f->both);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return counted_blocks() != 0;
}

static void test_data_order(void **state)
{
    struct fixture *f = *state;
    struct batch batch;
    struct loader *loader = loader_new(&f->ctx, &(struct loader_spec){.split = &f->split, .batch = 10});
    assert_non_null(loader);
    assert_int_equal(loader_steps(loader), 3);
    assert_int_equal(loader_views(loader), 1);
    for (int epoch = 0; epoch < 2; epoch++) {
        int64_t at = 0;
        loader_epoch(loader, epoch);
        while (loader_next(loader, &batch)) {
            assert_int_equal(batch.count, at < 20 ? 10 : 3);
            assert_memory_equal(batch.images, f->images + at * IMAGE, (size_t)batch.count * IMAGE);
            for (int64_t i = 0; i < batch.count; i++, at++) {
                assert_int_equal(batch.samples[i], at);
                assert_int_equal(batch.rows[i], at);
                assert_int_equal(batch.views[i], 0);
                assert_int_equal(batch.labels[i], f->labels[at]);
            }
        }
        assert_int_equal(at, N);
        assert_false(loader_next(loader, &batch));
    }
    loader_free(loader);
    loader_free(NULL);
    loader = loader_new(&f->ctx, &(struct loader_spec){.split = &f->split, .batch = 10, .drop_last = true});
    assert_int_equal(loader_steps(loader), 2);
    loader_free(loader);
    loader = loader_new(&f->ctx, &(struct loader_spec){.split = &f->split, .batch = 1000000000000});
    assert_int_equal(loader_steps(loader), 1);
    assert_true(loader_next(loader, &batch));
    assert_int_equal(batch.count, N);
    loader_free(loader);
}

/* order: the samples of an epoch, in the order in which they come. */
static void order(struct fixture *f, uint64_t seed, int64_t epoch, int64_t size, int32_t out[N])
{
    struct batch batch;
    struct loader *loader =
        loader_new(&f->ctx, &(struct loader_spec){.split = &f->split, .batch = size, .shuffle = true, .seed = seed});
    assert_non_null(loader);
    loader_epoch(loader, epoch);
    int64_t at = 0;
    while (loader_next(loader, &batch)) {
        for (int64_t i = 0; i < batch.count; i++, at++) {
            out[at] = batch.samples[i];
            assert_int_equal(batch.labels[i], f->labels[out[at]]);
            assert_memory_equal((uint8_t *)batch.images + i * IMAGE, f->images + out[at] * IMAGE, IMAGE);
        }
    }
    assert_int_equal(at, N);
    loader_free(loader);
}

static void test_shuffled(void **state)
{
    struct fixture *f = *state;
    int32_t first[N], other[N];
    int seen[N] = {0};
    order(f, 1, 0, 10, first);
    for (int i = 0; i < N; i++)
        seen[first[i]]++;
    for (int i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    order(f, 1, 0, 4, other); /* whatever the batch size */
    assert_memory_equal(first, other, sizeof first);
    order(f, 1, 1, 10, other);
    assert_memory_not_equal(first, other, sizeof first);
    order(f, 2, 0, 10, other);
    assert_memory_not_equal(first, other, sizeof first);
}

static void test_seek(void **state)
{
    struct fixture *f = *state;
    const struct loader_spec spec = {
        .split = &f->split, .batch = 5, .shuffle = true, .drop_last = true, .augmentation = &f->both, .seed = 3};
    struct loader *through = loader_new(&f->ctx, &spec), *jumping = loader_new(&f->ctx, &spec);
    struct batch a, b;
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        loader_epoch(through, epoch);
        for (int64_t step = 0; step < loader_steps(through); step++) {
            loader_seek(jumping, epoch, step);
            assert_true(loader_next(through, &a) && loader_next(jumping, &b));
            assert_memory_equal(a.images, b.images, (size_t)a.count * IMAGE);
            assert_memory_equal(a.samples, b.samples, (size_t)a.count * sizeof a.samples[0]);
        }
        loader_seek(jumping, epoch, loader_steps(jumping));
        assert_false(loader_next(jumping, &b));
    }
    loader_free(through);
    loader_free(jumping);
}

/* An augmented sample is the same in every order and batch, for every seed of the run. */
static void test_augmentation_depends_on_the_sample_alone(void **state)
{
    struct fixture *f = *state;
    uint8_t first[N * IMAGE];
    struct batch batch;
    for (int variant = 0; variant < 4; variant++) {
        struct loader *loader = loader_new(&f->ctx, &(struct loader_spec){.split = &f->split,
                                                                          .batch = 1 + 6 * variant,
                                                                          .shuffle = variant % 2 == 1,
                                                                          .augmentation = &f->both,
                                                                          .seed = (uint64_t)variant});
        loader_epoch(loader, 2);
        while (loader_next(loader, &batch)) {
            for (int64_t i = 0; i < batch.count; i++) {
                uint8_t *image = (uint8_t *)batch.images + i * IMAGE, *kept = first + batch.samples[i] * IMAGE;
                if (variant == 0)
                    memcpy(kept, image, IMAGE);
                assert_memory_equal(image, kept, IMAGE);
                assert_int_equal(batch.rows[i], 18 * batch.samples[i] + batch.views[i]);
            }
        }
        loader_free(loader);
    }
    assert_memory_not_equal(first, f->images, sizeof first);
}

/* What is recorded under a row is what training sees under that row. */
static void test_recorded_views(void **state)
{
    struct fixture *f = *state;
    uint8_t recorded[2 * N * IMAGE];
    struct batch batch;
    struct loader *loader = loader_new(
        &f->ctx, &(struct loader_spec){.split = &f->split, .batch = 7, .augmentation = &f->flip, .every_view = true});
    assert_int_equal(loader_views(loader), 2);
    assert_int_equal(loader_steps(loader), 7);
    int64_t at = 0;
    while (loader_next(loader, &batch)) {
        memcpy(recorded + at * IMAGE, batch.images, (size_t)batch.count * IMAGE);
        for (int64_t i = 0; i < batch.count; i++, at++) {
            assert_int_equal(batch.rows[i], at);
            assert_int_equal(batch.samples[i], at / 2);
            assert_int_equal(batch.views[i], at % 2);
        }
    }
    assert_int_equal(at, 2 * N);
    loader_free(loader);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_int_equal(recorded[3 * IMAGE + y * WIDTH + x], f->images[IMAGE + y * WIDTH + WIDTH - 1 - x]);

    loader = loader_new(
        &f->ctx, &(struct loader_spec){.split = &f->split, .batch = 4, .augmentation = &f->flip, .shuffle = true});
    int flipped = 0;
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        loader_epoch(loader, epoch);
        while (loader_next(loader, &batch)) {
            for (int64_t i = 0; i < batch.count; i++) {
                assert_int_equal(batch.rows[i], 2 * batch.samples[i] + batch.views[i]);
                assert_memory_equal((uint8_t *)batch.images + i * IMAGE, recorded + batch.rows[i] * IMAGE, IMAGE);
                flipped += batch.views[i];
            }
        }
    }
    assert_true(flipped > 20 && flipped < 4 * N - 20);
    loader_free(loader);
}

/* A mixed image is part * itself + (1 - part) * another as that one is augmented in this epoch, in every order and batch. */
static void test_mixed(void **state)
{
    struct fixture *f = *state;
    uint8_t plain[N * IMAGE], first[N * IMAGE];
    double parts[N];
    int32_t others[N];
    struct batch batch;
    struct loader_spec spec = {.split = &f->split, .batch = N, .augmentation = &f->both};
    struct loader *loader = loader_new(&f->ctx, &spec);
    loader_epoch(loader, 2);
    assert_true(loader_next(loader, &batch) && batch.others == NULL && batch.parts == NULL);
    memcpy(plain, batch.images, sizeof plain);
    loader_free(loader);
    for (int variant = 0; variant < 3; variant++) {
        spec = (struct loader_spec){.split = &f->split,
                                    .batch = variant == 0 ? N : 4,
                                    .shuffle = variant > 0,
                                    .augmentation = &f->mixup,
                                    .seed = (uint64_t)variant};
        loader = loader_new(&f->ctx, &spec);
        loader_epoch(loader, 2);
        while (loader_next(loader, &batch))
            for (int64_t i = 0; i < batch.count; i++) {
                int32_t sample = batch.samples[i];
                uint8_t *image = (uint8_t *)batch.images + i * IMAGE;
                if (variant == 0) {
                    memcpy(first + sample * IMAGE, image, IMAGE);
                    parts[sample] = batch.parts[i];
                    others[sample] = batch.others[i];
                }
                assert_memory_equal(image, first + sample * IMAGE, IMAGE);
                assert_true(parts[sample] == batch.parts[i] && others[sample] == batch.others[i]);
                assert_int_equal(batch.rows[i], sample);
            }
        loader_free(loader);
    }
    for (int sample = 0; sample < N; sample++) {
        int64_t other = 0;
        double part = 0;
        augmentation_mix(&f->mixup, 2, 0, sample, N, &other, &part);
        assert_true(part == parts[sample] && others[sample] == f->labels[other]);
        for (int i = 0; i < IMAGE; i++) {
            double expected = part * plain[sample * IMAGE + i] + (1 - part) * plain[other * IMAGE + i];
            double apart = first[sample * IMAGE + i] - expected;
            assert_true(apart <= 0.5 + 1e-4 && apart >= -0.5 - 1e-4);
        }
    }
    assert_memory_not_equal(plain, first, sizeof plain);
}

static void test_floats(void **state)
{
    struct fixture *f = *state;
    float images[N * IMAGE];
    struct batch bytes, floats;
    for (int i = 0; i < N * IMAGE; i++)
        images[i] = f->images[i];
    struct split split = f->split;
    split.element = ELEMENT_F32;
    split.images = images;
    struct loader_spec spec = {.split = &f->split, .batch = 5, .augmentation = &f->both};
    struct loader *a = loader_new(&f->ctx, &spec);
    spec.split = &split;
    struct loader *b = loader_new(&f->ctx, &spec);
    while (loader_next(a, &bytes)) {
        assert_true(loader_next(b, &floats));
        assert_int_equal(floats.element, ELEMENT_F32);
        for (int64_t i = 0; i < bytes.count * IMAGE; i++)
            assert_true(((float *)floats.images)[i] == (float)((uint8_t *)bytes.images)[i]);
    }
    loader_free(a);
    loader_free(b);
}

static void test_a_step_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    struct batch batch;
    struct loader *loader = loader_new(
        &f->ctx, &(struct loader_spec){.split = &f->split, .batch = 5, .shuffle = true, .augmentation = &f->mixup});
    uint64_t before = f->ctx.allocator.allocations;
    for (int64_t epoch = 0; epoch < 50; epoch++) {
        loader_epoch(loader, epoch);
        while (loader_next(loader, &batch))
            assert_true(batch.count >= 3);
    }
    assert_int_equal(f->ctx.allocator.allocations, before);
    loader_free(loader);
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct split empty = {.name = "validation"};
    assert_null(loader_new(&f->ctx, &(struct loader_spec){.split = &empty, .batch = 5}));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT, "the validation split is empty", NULL);
    assert_null(loader_new(&f->ctx, &(struct loader_spec){.split = &f->split, .batch = 24, .drop_last = true}));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT,
                   "batch: expected at most the 23 samples of the train split, found 24", NULL);
    struct split large = f->split; /* only looked at, never read */
    large.count = INT32_MAX;
    assert_null(loader_new(
        &f->ctx, &(struct loader_spec){.split = &large, .batch = 1, .augmentation = &f->flip, .every_view = true}));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_SHAPE, "2147483647 samples with 2 views", NULL);
}

static enum status work(struct context *ctx, void *user)
{
    struct fixture *f = user;
    struct batch batch;
    struct loader *loader = loader_new(
        ctx, &(struct loader_spec){.split = &f->split, .batch = 5, .shuffle = true, .augmentation = &f->mixup});
    if (loader == NULL)
        return ctx->error.status;
    assert_true(loader_next(loader, &batch));
    loader_free(loader);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    assert_true(fault_loop(work, *state) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_data_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shuffled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
        cmocka_unit_test_setup_teardown(test_augmentation_depends_on_the_sample_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recorded_views, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_floats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_allocates_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
