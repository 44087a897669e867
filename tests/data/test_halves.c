/* test_halves.c: batches of two halves: pairs of one class, and samples that come again in the next batch. */
#include "data/loader.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every fourth sample has no label; sample ALONE has a class of its own, the others are of classes 0 to 2. Neither kind
 * fills a whole number of half batches. */
enum {
    N = 42,
    LABELLED = 31,
    ALONE = 5,
    CLASS_ALONE = 4,
    HEIGHT = 6,
    WIDTH = 5,
    IMAGE = HEIGHT * WIDTH,
    BATCH = 8,
    HALF = BATCH / 2,
    STEPS = N / BATCH,
    EPOCHS = 40
};

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
            step.setting.integer = 2;
            f->shifted.steps[f->shifted.count++] = step;
        } else if (strcmp(table[i]->name, "mixup") == 0) {
            step.setting.real = 0.5;
            f->mixup.mixer = step;
        }
    }
    assert_true(f->shifted.count == 1 && augmentation_mixes(&f->mixup));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    counted_context(&f->ctx);
    for (int i = 0; i < N * IMAGE; i++)
        f->images[i] = (uint8_t)(i % 251 + 1);
    for (int i = 0; i < N; i++)
        f->labels[i] = i == ALONE ? CLASS_ALONE : i % 4 == 0 ? -1 : i % 3;
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

static struct loader_spec spec_of(const struct fixture *f, enum loader_order order)
{
    return (struct loader_spec){.split = &f->split,
                                .batch = BATCH,
                                .shuffle = true,
                                .drop_last = true,
                                .seed = 3,
                                .augmentation = &f->shifted,
                                .order = order};
}

/* What all epochs bring, one batch behind the other. */
struct walk {
    int32_t samples[EPOCHS * STEPS][BATCH], views[EPOCHS * STEPS][BATCH];
};

static void walk_take(struct context *ctx, const struct loader_spec *spec, struct walk *walk)
{
    const uint8_t *images = spec->split->images;
    struct loader *loader = loader_new(ctx, spec);
    assert_non_null(loader);
    assert_int_equal(loader_steps(loader), STEPS);
    for (int at = 0; at < EPOCHS * STEPS; at++) {
        struct batch batch;
        if (at % STEPS == 0)
            loader_epoch(loader, at / STEPS);
        assert_true(loader_next(loader, &batch));
        assert_int_equal(batch.count, BATCH);
        memcpy(walk->samples[at], batch.samples, sizeof walk->samples[at]);
        memcpy(walk->views[at], batch.views, sizeof walk->views[at]);
        for (int i = 0; i < BATCH; i++) {
            assert_int_equal(batch.labels[i], spec->split->labels[batch.samples[i]]);
            assert_int_equal(batch.rows[i], batch.samples[i] * loader_views(loader) + batch.views[i]);
            if (spec->augmentation == NULL)
                assert_memory_equal((uint8_t *)batch.images + i * IMAGE, images + batch.samples[i] * IMAGE, IMAGE);
        }
    }
    loader_free(loader);
}

static void test_pairs_are_of_one_class(void **state)
{
    struct fixture *f = *state;
    const struct loader_spec spec = spec_of(f, ORDER_PAIRS);
    struct walk walk;
    walk_take(&f->ctx, &spec, &walk);
    int alone = 0, other_views = 0;
    for (int at = 0; at < EPOCHS * STEPS; at++)
        for (int i = 0; i < HALF; i++) {
            const int32_t a = walk.samples[at][i], b = walk.samples[at][HALF + i];
            assert_true(f->labels[a] >= 0 && f->labels[a] == f->labels[b]);
            assert_int_equal(a == b, a == ALONE);
            alone += a == ALONE;
            other_views += a == ALONE && walk.views[at][i] != walk.views[at][HALF + i];
        }
    assert_true(alone >= 20 && other_views > alone * 3 / 4); /* of 25 views one is the same by chance */
}

/* The front halves go through the samples that have a label: none is ahead of another by more than one pass. */
static void test_pairs_cover_the_labelled_samples(void **state)
{
    struct fixture *f = *state;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        struct loader_spec spec = spec_of(f, ORDER_PAIRS);
        struct walk walk;
        int seen[N] = {0}, drawn = 0;
        spec.shuffle = shuffle == 1;
        walk_take(&f->ctx, &spec, &walk);
        for (int at = 0; at < EPOCHS * STEPS; at++) {
            for (int i = 0; i < HALF; i++, drawn++)
                seen[walk.samples[at][i]]++;
            for (int i = 0; i < N; i++)
                assert_in_range(seen[i], f->labels[i] < 0 ? 0 : drawn / LABELLED,
                                f->labels[i] < 0 ? 0 : (drawn + LABELLED - 1) / LABELLED);
        }
    }
}

/* Each of the others is drawn as often as each, within five deviations of a binomial. */
static void test_peers_are_drawn_evenly(void **state)
{
    struct fixture *f = *state;
    static int drawn[N][N];
    int of[N] = {0}, peers[CLASS_ALONE + 1] = {0};
    memset(drawn, 0, sizeof drawn);
    for (int i = 0; i < N; i++)
        if (f->labels[i] >= 0)
            peers[f->labels[i]]++;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct loader_spec spec = spec_of(f, ORDER_PAIRS);
        struct walk walk;
        spec.seed = seed;
        spec.augmentation = NULL;
        walk_take(&f->ctx, &spec, &walk);
        for (int at = 0; at < EPOCHS * STEPS; at++)
            for (int i = 0; i < HALF; i++) {
                of[walk.samples[at][i]]++;
                drawn[walk.samples[at][i]][walk.samples[at][HALF + i]]++;
            }
    }
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            if (a != b && f->labels[a] >= 0 && f->labels[a] == f->labels[b]) {
                const double part = 1.0 / (peers[f->labels[a]] - 1), off = drawn[a][b] - of[a] * part;
                assert_true(of[a] > 700 && off * off < 25 * of[a] * part * (1 - part));
            }
}

/* One that is drawn for several samples of a pass comes as several views. */
static void test_a_peer_of_many_has_many_views(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < N; i++)
        f->labels[i] = i < 3 ? 1 : -1;
    const struct loader_spec spec = spec_of(f, ORDER_PAIRS);
    struct walk walk;
    walk_take(&f->ctx, &spec, &walk);
    int again = 0, same = 0;
    for (int at = 0; at < EPOCHS * STEPS; at++)
        for (int i = 1; i < HALF; i++)
            if ((at * HALF + i) % 3 != 0 && walk.samples[at][HALF + i] == walk.samples[at][HALF + i - 1]) {
                again++;
                same += walk.views[at][HALF + i] == walk.views[at][HALF + i - 1];
            }
    assert_true(again > 80 && same < again / 5);
}

/* A sample and its peer that are each other's only one: the four have views of their own. */
static void test_peers_have_views_of_their_own(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < N; i++) /* two samples with a label: each is the other's only peer */
        f->labels[i] = i == 3 || i == 8 ? 1 : -1;
    const struct loader_spec spec = spec_of(f, ORDER_PAIRS);
    struct walk walk;
    walk_take(&f->ctx, &spec, &walk);
    int same_pair = 0, same_peer = 0;
    for (int at = 0; at < EPOCHS * STEPS; at++)
        for (int i = 0; i < HALF; i++) {
            const int twin = i % 2 == 0 ? i + 1 : i - 1; /* of the same pass: its peer is this one */
            assert_int_equal(walk.samples[at][i], walk.samples[at][HALF + twin]);
            same_pair += walk.views[at][i] == walk.views[at][HALF + twin];
            same_peer += at > 0 && walk.samples[at][HALF] == walk.samples[at - 1][HALF] &&
                         walk.views[at][HALF] == walk.views[at - 1][HALF];
        }
    assert_true(same_pair < EPOCHS * STEPS * HALF / 10);
    assert_true(same_peer < EPOCHS * STEPS * HALF / 10);
}

static void test_the_second_half_comes_again(void **state)
{
    struct fixture *f = *state;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        struct loader_spec spec = spec_of(f, ORDER_REPEATED);
        struct walk walk;
        int seen[N] = {0}, drawn = HALF, same = 0;
        spec.shuffle = shuffle == 1;
        walk_take(&f->ctx, &spec, &walk);
        for (int i = 0; i < HALF; i++)
            seen[walk.samples[0][i]]++;
        for (int at = 0; at < EPOCHS * STEPS; at++) {
            if (at > 0)
                assert_memory_equal(walk.samples[at], walk.samples[at - 1] + HALF, HALF * sizeof walk.samples[0][0]);
            for (int i = 0; i < HALF; i++, drawn++) {
                same += at > 0 && walk.views[at][i] == walk.views[at - 1][HALF + i];
                seen[walk.samples[at][HALF + i]]++;
            }
            for (int i = 0; i < N; i++) /* all samples come as new ones, with and without a label */
                assert_in_range(seen[i], drawn / N, (drawn + N - 1) / N);
        }
        assert_true(same < EPOCHS * STEPS * HALF / 10);
    }
}

/* Where views are limited to a few, each pass of a sample has the next of them: what comes again is the other one of two. */
static void test_repeated_views_differ_among_a_few(void **state)
{
    struct fixture *f = *state;
    struct augmentation few = f->shifted;
    struct loader_spec spec = spec_of(f, ORDER_REPEATED);
    struct walk walk;
    few.limit = 2;
    spec.augmentation = &few;
    walk_take(&f->ctx, &spec, &walk);
    for (int at = 1; at < EPOCHS * STEPS; at++)
        for (int i = 0; i < HALF; i++)
            assert_int_equal(walk.views[at][i], 1 - walk.views[at - 1][HALF + i]);
}

static void test_orders_differ(void **state)
{
    struct fixture *f = *state;
    for (int order = ORDER_PAIRS; order <= ORDER_REPEATED; order++) {
        struct loader_spec spec = spec_of(f, (enum loader_order)order);
        struct walk first, other;
        walk_take(&f->ctx, &spec, &first);
        spec.seed = 4;
        walk_take(&f->ctx, &spec, &other);
        assert_memory_not_equal(first.samples[0], other.samples[0], sizeof first.samples[0]);
        assert_memory_not_equal(first.samples[0], first.samples[STEPS], sizeof first.samples[0]);
    }
}

/* A jump lands on the batch that going through all of them leads to. */
static void test_seek(void **state)
{
    struct fixture *f = *state;
    for (int variant = 0; variant < 4; variant++) {
        struct loader_spec spec = spec_of(f, variant % 2 == 0 ? ORDER_PAIRS : ORDER_REPEATED);
        spec.shuffle = variant < 2;
        struct loader *through = loader_new(&f->ctx, &spec), *jumping = loader_new(&f->ctx, &spec);
        struct batch a, b;
        for (int64_t epoch = 0; epoch < 9; epoch++) {
            loader_epoch(through, epoch);
            for (int64_t step = 0; step < STEPS; step++) {
                assert_true(loader_next(through, &a));
                loader_seek(jumping, 8 - epoch, STEPS - 1 - step); /* away, and there */
                assert_true(loader_next(jumping, &b));
                loader_seek(jumping, epoch, step);
                assert_true(loader_next(jumping, &b));
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

static void test_a_step_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    for (int order = ORDER_PAIRS; order <= ORDER_REPEATED; order++) {
        const struct loader_spec spec = spec_of(f, (enum loader_order)order);
        struct batch batch;
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

static void refused(struct fixture *f, const struct loader_spec *spec, const char *message)
{
    assert_null(loader_new(&f->ctx, spec));
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_INPUT, message, NULL);
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct loader_spec pairs = spec_of(f, ORDER_PAIRS), repeated = spec_of(f, ORDER_REPEATED);
    pairs.batch = 7;
    refused(f, &pairs, "batch: expected an even number for pairs of samples, found 7; use 6");
    repeated.batch = 1;
    refused(f, &repeated, "batch: expected an even number for samples that come twice, found 1; use 2");
    pairs.batch = repeated.batch = BATCH;
    pairs.augmentation = repeated.augmentation = &f->mixup;
    refused(
        f, &pairs,
        "data.augment.mixup mixes each sample with another, and its label, but pairs of samples are compared as they "
        "are; leave one of the two out");
    refused(f, &repeated, "but samples that come twice are compared as they are; leave one of the two out");
    pairs.augmentation = NULL;
    for (int i = 0; i < N; i++)
        f->labels[i] = -1;
    refused(f, &pairs, "no sample of the train split has a label");
}

static enum status work(struct context *ctx, void *user)
{
    const struct fixture *f = user;
    for (int order = ORDER_PAIRS; order <= ORDER_REPEATED; order++) {
        const struct loader_spec spec = spec_of(f, (enum loader_order)order);
        struct batch batch;
        struct loader *loader = loader_new(ctx, &spec);
        if (loader == NULL)
            return ctx->error.status;
        assert_true(loader_next(loader, &batch));
        loader_free(loader);
    }
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    assert_true(fault_loop(work, *state) >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pairs_are_of_one_class, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pairs_cover_the_labelled_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peers_are_drawn_evenly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_peer_of_many_has_many_views, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peers_have_views_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_second_half_comes_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeated_views_differ_among_a_few, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orders_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_allocates_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
