/* test_sample_order.c: batches of the samples with a label alone, and of a part of those and the rest of the others. */
#include "data/loader.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every fourth sample has a label. */
enum { N = 40, LABELLED = N / 4, HEIGHT = 3, WIDTH = 4, IMAGE = HEIGHT * WIDTH, BATCH = 8, STEPS = N / BATCH };

struct fixture {
    struct context ctx;
    uint8_t images[N * IMAGE];
    int32_t labels[N];
    struct split split;
    struct augmentation shifted, mixup;
};

static void augmentation_make(struct fixture *f)
{
    size_t count = 0;
    const struct augment *const *table = augment_table(&count);
    f->shifted.seed = 5;
    for (size_t i = 0; i < count; i++) {
        struct augmentation_step step = {.augment = table[i], .stream = random_stream(table[i]->name)};
        if (strcmp(table[i]->name, "shift") == 0) {
            step.setting.integer = 1;
            f->shifted.steps[f->shifted.count++] = step;
        } else if (strcmp(table[i]->name, "mixup") == 0) {
            step.setting.real = 0.5;
            f->mixup.mixer = step;
        }
    }
    struct augmentation_step mixer = f->mixup.mixer;
    f->mixup = f->shifted;
    f->mixup.mixer = mixer;
    assert_true(f->shifted.count == 1 && augmentation_mixes(&f->mixup));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    counted_context(&f->ctx);
    for (int i = 0; i < N * IMAGE; i++)
        f->images[i] = (uint8_t)(i % 251 + 1);
    for (int i = 0; i < N; i++)
        f->labels[i] = i % 4 == 0 ? i / 4 % 3 : -1;
    f->split = (struct split){.name = "train",
                              .element = ELEMENT_U8,
                              .count = N,
                              .height = HEIGHT,
                              .width = WIDTH,
                              .channels = 1,
                              .images = f->images,
                              .labels = f->labels,
                              .labelled = LABELLED};
    augmentation_make(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return counted_blocks() != 0;
}

static struct loader_spec spec_of(const struct fixture *f, enum loader_order order, double labelled_part)
{
    return (struct loader_spec){.split = &f->split,
                                .batch = BATCH,
                                .shuffle = true,
                                .drop_last = true,
                                .seed = 3,
                                .order = order,
                                .labelled_part = labelled_part};
}

static void next(struct loader *loader, struct batch *batch)
{
    assert_true(loader_next(loader, batch));
    assert_int_equal(batch->count, BATCH);
}

/* As many batches as all samples fill, of the labelled ones: each pass has each of them once, in an order of its own. */
static void test_labelled_alone(void **state)
{
    struct fixture *f = *state;
    struct loader_spec spec = spec_of(f, ORDER_LABELLED, 0);
    struct loader *loader = loader_new(&f->ctx, &spec);
    struct batch batch;
    int32_t drawn[2][STEPS * BATCH];
    assert_int_equal(loader_steps(loader), STEPS);
    for (int epoch = 0; epoch < 2; epoch++) {
        loader_epoch(loader, epoch);
        for (int step = 0; step < STEPS; step++) {
            next(loader, &batch);
            for (int i = 0; i < BATCH; i++) {
                drawn[epoch][step * BATCH + i] = batch.samples[i];
                assert_int_equal(batch.labels[i], f->labels[batch.samples[i]]);
                assert_memory_equal((uint8_t *)batch.images + i * IMAGE, f->images + batch.samples[i] * IMAGE, IMAGE);
            }
        }
        assert_false(loader_next(loader, &batch));
        for (int pass = 0; pass < STEPS * BATCH / LABELLED; pass++) {
            int seen[N] = {0};
            for (int i = 0; i < LABELLED; i++)
                seen[drawn[epoch][pass * LABELLED + i]]++;
            for (int i = 0; i < N; i++)
                assert_int_equal(seen[i], f->labels[i] >= 0);
            if (pass > 0)
                assert_memory_not_equal(&drawn[epoch][pass * LABELLED], &drawn[epoch][(pass - 1) * LABELLED],
                                        LABELLED * sizeof drawn[0][0]);
        }
    }
    assert_memory_not_equal(drawn[0], drawn[1], sizeof drawn[0]);
    loader_free(loader);

    spec.shuffle = false;
    loader = loader_new(&f->ctx, &spec);
    for (int at = 0; at < STEPS * BATCH; at++) {
        if (at % BATCH == 0)
            next(loader, &batch);
        assert_int_equal(batch.samples[at % BATCH], 4 * (at % LABELLED));
    }
    loader_free(loader);
}

/* Where every sample has a label, asking for those changes nothing at all. */
static void test_all_labelled(void **state)
{
    struct fixture *f = *state;
    struct batch a, b;
    for (int i = 0; i < N; i++)
        f->labels[i] = i % 3;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        struct loader_spec all = spec_of(f, ORDER_ALL, 0), labelled = spec_of(f, ORDER_LABELLED, 0);
        all.batch = labelled.batch = 7; /* the last batch is left out */
        all.shuffle = labelled.shuffle = shuffle == 1;
        all.augmentation = labelled.augmentation = &f->mixup;
        struct loader *first = loader_new(&f->ctx, &all), *second = loader_new(&f->ctx, &labelled);
        assert_int_equal(loader_steps(first), loader_steps(second));
        for (int epoch = 0; epoch < 3; epoch++) {
            loader_epoch(first, epoch);
            loader_epoch(second, epoch);
            while (loader_next(first, &a)) {
                assert_true(loader_next(second, &b));
                assert_memory_equal(a.samples, b.samples, (size_t)a.count * sizeof a.samples[0]);
                assert_memory_equal(a.others, b.others, (size_t)a.count * sizeof a.others[0]);
                assert_memory_equal(a.images, b.images, (size_t)a.count * IMAGE);
            }
            assert_false(loader_next(second, &b));
        }
        loader_free(first);
        loader_free(second);
    }
}

/* A batch's part of labelled samples comes first; each kind is gone through evenly, from epoch to epoch. */
static void test_mixed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        double part;
        int each;
    } cases[] = {{0.25, 2}, {0.3, 2}, {0.32, 3}, {0.5, 4}, {1e-9, 1}, {0.999, BATCH - 1}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const int each = cases[k].each;
        const struct loader_spec spec = spec_of(f, ORDER_MIXED, cases[k].part);
        struct loader *loader = loader_new(&f->ctx, &spec);
        struct batch batch;
        int seen[N] = {0}, batches = 0;
        assert_int_equal(loader_steps(loader), STEPS);
        for (int epoch = 0; epoch < 40; epoch++) {
            loader_epoch(loader, epoch);
            while (loader_next(loader, &batch)) {
                batches++;
                for (int i = 0; i < BATCH; i++) {
                    seen[batch.samples[i]]++;
                    assert_int_equal(batch.labels[i] >= 0, i < each);
                    assert_int_equal(batch.labels[i], f->labels[batch.samples[i]]);
                }
                for (int i = 0; i < N; i++) {
                    const bool labelled = f->labels[i] >= 0;
                    const int drawn = batches * (labelled ? each : BATCH - each),
                              of = labelled ? LABELLED : N - LABELLED;
                    assert_in_range(seen[i], drawn / of, (drawn + of - 1) / of);
                }
            }
        }
        assert_int_equal(batches, 40 * STEPS);
        loader_free(loader);
    }
}

static void test_mixed_orders_differ(void **state)
{
    struct fixture *f = *state;
    struct loader_spec spec = spec_of(f, ORDER_MIXED, 0.5);
    struct batch batch;
    int32_t first[BATCH], other[BATCH];
    for (int variant = 0; variant < 3; variant++) { /* 0: as it is, 1: another epoch, 2: another seed */
        spec.seed = variant == 2 ? 4 : 3;
        struct loader *loader = loader_new(&f->ctx, &spec);
        loader_epoch(loader, variant == 1);
        next(loader, &batch);
        memcpy(variant == 0 ? first : other, batch.samples, sizeof first);
        if (variant > 0)
            assert_memory_not_equal(first, other, sizeof first);
        loader_free(loader);
    }
}

/* A jump lands on the batch that going through all of them leads to. */
static void test_seek(void **state)
{
    struct fixture *f = *state;
    for (int variant = 0; variant < 4; variant++) {
        struct loader_spec spec =
            spec_of(f, variant % 2 == 0 ? ORDER_LABELLED : ORDER_MIXED, variant % 2 == 0 ? 0 : 0.4);
        spec.augmentation = variant < 2 ? &f->shifted : &f->mixup;
        struct loader *through = loader_new(&f->ctx, &spec), *jumping = loader_new(&f->ctx, &spec);
        struct batch a, b;
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            loader_epoch(through, epoch);
            for (int64_t step = 0; step < STEPS; step++) {
                next(through, &a);
                loader_seek(jumping, 2 - epoch, STEPS - 1 - step); /* away, and there */
                next(jumping, &b);
                loader_seek(jumping, epoch, step);
                next(jumping, &b);
                assert_memory_equal(a.samples, b.samples, BATCH * sizeof a.samples[0]);
                assert_memory_equal(a.rows, b.rows, BATCH * sizeof a.rows[0]);
                assert_memory_equal(a.images, b.images, BATCH * IMAGE);
            }
            loader_seek(jumping, epoch, STEPS);
            assert_false(loader_next(jumping, &b));
        }
        loader_free(through);
        loader_free(jumping);
    }
}

/* A sample that comes again in an epoch comes as another view, and all seeds see the same ones of a pass. */
static void test_every_pass_has_views_of_its_own(void **state)
{
    struct fixture *f = *state;
    int views[2][STEPS * BATCH / LABELLED][N];
    struct batch batch;
    for (int seed = 0; seed < 2; seed++) {
        struct loader_spec spec = spec_of(f, ORDER_LABELLED, 0);
        spec.seed = (uint64_t)seed;
        spec.augmentation = &f->shifted;
        struct loader *loader = loader_new(&f->ctx, &spec);
        memset(views[seed], 0, sizeof views[seed]);
        for (int at = 0; at < STEPS * BATCH; at++) {
            if (at % BATCH == 0)
                next(loader, &batch);
            const int32_t sample = batch.samples[at % BATCH], view = batch.views[at % BATCH];
            views[seed][at / LABELLED][sample] = view;
            assert_int_equal(batch.rows[at % BATCH], sample * loader_views(loader) + view);
        }
        loader_free(loader);
    }
    assert_memory_equal(views[0], views[1], sizeof views[0]);
    for (int pass = 1; pass < STEPS * BATCH / LABELLED; pass++)
        assert_memory_not_equal(views[0][pass], views[0][pass - 1], sizeof views[0][0]);
}

/* Who has a label is mixed with those alone that have one; in batches of both kinds with all. */
static void test_mixup_partners(void **state)
{
    struct fixture *f = *state;
    for (int both = 0; both < 2; both++) {
        struct loader_spec spec = spec_of(f, both == 0 ? ORDER_LABELLED : ORDER_MIXED, both == 0 ? 0 : 0.5);
        struct batch batch;
        int without = 0;
        spec.augmentation = &f->mixup;
        struct loader *loader = loader_new(&f->ctx, &spec);
        for (int epoch = 0; epoch < 4; epoch++) {
            loader_epoch(loader, epoch);
            while (loader_next(loader, &batch))
                for (int i = 0; i < BATCH; i++)
                    without += batch.others[i] < 0;
        }
        assert_int_equal(without > 0, both == 1);
        loader_free(loader);
    }
}

static void test_a_step_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    for (int variant = 0; variant < 2; variant++) {
        struct batch batch;
        struct loader_spec spec = spec_of(f, variant == 0 ? ORDER_LABELLED : ORDER_MIXED, variant == 0 ? 0 : 0.5);
        struct loader *loader = loader_new(&f->ctx, &spec);
        uint64_t before = f->ctx.allocator.allocations;
        for (int64_t epoch = 0; epoch < 20; epoch++) {
            loader_epoch(loader, epoch);
            while (loader_next(loader, &batch))
                assert_int_equal(batch.count, BATCH);
        }
        assert_int_equal(f->ctx.allocator.allocations, before);
        loader_free(loader);
    }
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct loader_spec part = spec_of(f, ORDER_MIXED, 0.5), alone = spec_of(f, ORDER_LABELLED, 0);
    for (int i = 0; i < N; i++)
        f->labels[i] = 1;
    assert_null(loader_new(&f->ctx, &part));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT, "every sample of the train split has a label", NULL);
    for (int i = 0; i < N; i++)
        f->labels[i] = -1;
    assert_null(loader_new(&f->ctx, &part));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT, "no sample of the train split has a label", NULL);
    assert_null(loader_new(&f->ctx, &alone));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT, "no sample of the train split has a label", NULL);
}

static enum status work(struct context *ctx, void *user)
{
    const struct fixture *f = user;
    const struct loader_spec spec = spec_of(f, ORDER_MIXED, 0.5);
    struct batch batch;
    struct loader *loader = loader_new(ctx, &spec);
    if (loader == NULL)
        return ctx->error.status;
    assert_true(loader_next(loader, &batch));
    loader_free(loader);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    assert_true(fault_loop(work, *state) >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_labelled_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_labelled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixed_orders_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_pass_has_views_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixup_partners, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_allocates_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
