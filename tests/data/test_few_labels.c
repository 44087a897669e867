/* test_few_labels.c: `labelled` and `extra`: few samples keep their labels, and more samples come without any. */
#include "data/labelled.h"
#include "data/samples.h"
#include "format/npy.h"
#include "recipe/recipe.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/idx_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 60, HELD_OUT = 10, TRAIN = FILES - HELD_OUT, EXTRA = 7, TEST = 6, CLASSES = 5, IMAGE = 12 };

struct fixture {
    struct context ctx;
    struct arena *arena;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    counted_context(&fixture->ctx);
    fixture->arena = arena_new(&fixture->ctx);
    idx_images_put("train", FILES, 4, 3, 0, 1);
    idx_labels_put("train-labels", FILES, CLASSES);
    idx_images_put("test", TEST, 4, 3, 0, 2);
    idx_labels_put("test-labels", TEST, CLASSES);
    idx_images_put("extra", EXTRA, 4, 3, 0, 3);
    idx_labels_put("extra-labels", EXTRA, 3);
    *state = fixture;
    return fixture->arena == NULL;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    free(fixture);
    return counted_blocks() != 0;
}

#define SETS "train_images: train, train_labels: train-labels, test_images: test, test_labels: test-labels"

static enum status open_data(struct context *ctx, struct arena *arena, const char *more, struct data **out)
{
    char yaml[512];
    struct value *section = NULL;
    *out = NULL;
    snprintf(yaml, sizeof yaml, "{idx: {" SETS "}, validation: 10, %s}", more);
    RETURN_IF(recipe_parse(ctx, arena, "r.yaml", yaml, strlen(yaml), &section));
    return data_open(ctx, arena, section, "r.yaml", out);
}

static struct data *opened(struct fixture *f, const char *more)
{
    struct data *data = NULL;
    if (open_data(&f->ctx, f->arena, more, &data) != STATUS_OK)
        fail_msg("%s: %s", more, f->ctx.error.message);
    return data;
}

static void array_put(struct fixture *f, const char *path, enum element element, struct shape shape, const void *values)
{
    assert_int_equal(npy_write(&f->ctx, path, element, &shape, values), STATUS_OK);
}

static void indices_put(struct fixture *f, const char *path, int64_t count, const int64_t *indices)
{
    array_put(f, path, ELEMENT_I64, SHAPE(count), indices);
}

/* labels_put: of the training files, one byte a sample. */
static void labels_put(const unsigned char labels[FILES])
{
    unsigned char bytes[8 + FILES] = {0, 0, 8, 1, 0, 0, 0, FILES};
    memcpy(bytes + 8, labels, FILES);
    test_file_put("train-labels", bytes, sizeof bytes);
}

static void per_class(const struct split *split, int counts[CLASSES])
{
    memset(counts, 0, CLASSES * sizeof counts[0]);
    for (int64_t i = 0; i < split->count; i++)
        if (split->labels[i] >= 0)
            counts[split->labels[i]]++;
}

static void test_the_choice_is_balanced(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int number, counts[CLASSES];
    } cases[] = {
        {13, {3, 3, 3, 2, 2}}, {5, {1, 1, 1, 1, 1}}, {2, {1, 1, 0, 0, 0}}, {0, {0}}, {TRAIN, {10, 10, 10, 10, 10}}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        char more[64];
        int counts[CLASSES];
        snprintf(more, sizeof more, "labelled: %d", cases[k].number);
        struct data *data = opened(f, more);
        const struct split *train = &data->splits[SPLIT_TRAIN], *validation = &data->splits[SPLIT_VALIDATION];
        assert_int_equal(train->count, TRAIN);
        assert_int_equal(train->labelled, cases[k].number);
        per_class(train, counts);
        for (int i = 0; i < CLASSES; i++)
            assert_int_equal(counts[i], cases[k].counts[i]);
        for (int64_t i = 0; i < TRAIN; i++) {
            assert_true(train->labels[i] == -1 || train->labels[i] == i % CLASSES);
            assert_int_equal(data->all_labels.labels[i], i % CLASSES);
        }
        assert_int_equal(data->all_labels.labelled, TRAIN);
        assert_ptr_equal(data->all_labels.images, train->images);
        assert_int_equal(validation->labelled, HELD_OUT);
        for (int64_t i = 0; i < HELD_OUT; i++)
            assert_int_equal(validation->labels[i], (TRAIN + i) % CLASSES);
        assert_int_equal(data->splits[SPLIT_TEST].labelled, TEST);
        assert_int_equal(data->classes, CLASSES);
        data_free(&f->ctx, data);
    }
}

static void test_the_choice_is_seeded(void **state)
{
    struct fixture *f = *state;
    static const char *const sections[] = {"labelled: 15",
                                           ("labelled: 15, labelled_seed: 0, classes: 5, extra: {idx: "
                                            "{train_images: extra}}"),
                                           "labelled: 15, labelled_seed: 1"};
    int32_t labels[3][TRAIN];
    for (int i = 0; i < 3; i++) {
        struct data *data = opened(f, sections[i]);
        memcpy(labels[i], data->splits[SPLIT_TRAIN].labels, sizeof labels[i]);
        data_free(&f->ctx, data);
    }
    assert_memory_equal(labels[0], labels[1], sizeof labels[0]);
    assert_memory_not_equal(labels[0], labels[2], sizeof labels[0]);
    /* Of more labels the smaller choice is a part. */
    struct data *data = opened(f, "labelled: 25");
    for (int i = 0; i < TRAIN; i++)
        assert_true(labels[0][i] < 0 || data->splits[SPLIT_TRAIN].labels[i] == labels[0][i]);
    data_free(&f->ctx, data);
}

/* Whatever the labels are that nobody keeps: the data is the same, its hash included. */
static void test_a_file_of_indices(void **state)
{
    struct fixture *f = *state;
    static const int64_t indices[] = {49, 0, 7, 23};
    unsigned char labels[FILES];
    char hash[65], other[65], plain[65];
    indices_put(f, "kept.npy", 4, indices);
    struct data *whole = opened(f, "augment_seed: 0"), *data = opened(f, "labelled: kept.npy");
    for (int64_t i = 0; i < TRAIN; i++) {
        const bool kept = i == 0 || i == 7 || i == 23 || i == 49;
        assert_int_equal(data->splits[SPLIT_TRAIN].labels[i], kept ? i % CLASSES : -1);
        assert_int_equal(data->all_labels.labels[i], i % CLASSES);
    }
    assert_int_equal(data->splits[SPLIT_TRAIN].labelled, 4);
    assert_int_equal(data_sha256(&f->ctx, data, hash), STATUS_OK);
    assert_int_equal(data_sha256(&f->ctx, whole, plain), STATUS_OK);
    assert_string_not_equal(hash, plain);
    data_free(&f->ctx, whole);

    for (int i = 0; i < FILES; i++)
        labels[i] = (unsigned char)(i >= TRAIN || i == 0 || i == 7 || i == 23 || i == 49 ? i % CLASSES : 200 + i % 50);
    labels_put(labels);
    for (int classes = 0; classes <= CLASSES; classes += CLASSES) {
        char more[64];
        snprintf(more, sizeof more, "labelled: kept.npy, classes: %d", classes);
        struct data *again = opened(f, more);
        assert_int_equal(again->classes, CLASSES);
        assert_memory_equal(again->splits[SPLIT_TRAIN].labels, data->splits[SPLIT_TRAIN].labels,
                            TRAIN * sizeof(int32_t));
        assert_int_equal(data_sha256(&f->ctx, again, other), STATUS_OK);
        assert_string_equal(hash, other);
        assert_int_equal(data_check_classes(&f->ctx, again, CLASSES), STATUS_OK);
        expect_failure(&f->ctx, data_check_all_labels(&f->ctx, again), STATUS_BAD_INPUT,
                       "train-labels: the label of sample 1 is out of range: expected 0 to 4", "found 201", NULL);
        data_free(&f->ctx, again);
    }
    assert_int_equal(data_check_all_labels(&f->ctx, data), STATUS_OK);
    data_free(&f->ctx, data);
    /* Without the file they are wrong. */
    expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "classes: 5", &data), STATUS_BAD_INPUT,
                   "train-labels: the label of sample 1 is out of range", NULL);
    /* An empty file keeps none. */
    indices_put(f, "none.npy", 0, indices);
    data = opened(f, "labelled: none.npy");
    assert_int_equal(data->splits[SPLIT_TRAIN].labelled, 0);
    assert_int_equal(data->classes, CLASSES); /* of validation and test */
    data_free(&f->ctx, data);
}

static void test_nothing_is_masked(void **state)
{
    struct fixture *f = *state;
    struct data *data = opened(f, "labelled: null");
    assert_ptr_equal(data->all_labels.labels, data->splits[SPLIT_TRAIN].labels);
    assert_int_equal(data->all_labels.count, TRAIN);
    assert_null(value_get(data->resolved, "labelled"));
    assert_int_equal(data_check_all_labels(&f->ctx, data), STATUS_OK);
    data_free(&f->ctx, data);
    data = opened(f, "labelled: 1e1");
    assert_int_equal(data->splits[SPLIT_TRAIN].labelled, 10);
    data_free(&f->ctx, data);
}

static void test_wrong_labelled(void **state)
{
    struct fixture *f = *state;
    static const int64_t beyond[] = {3, 2, 50}, twice[] = {3, 2, 3}, negative[] = {-1};
    static const float reals[] = {1, 2};
    static const struct {
        const char *section;
        enum status status;
        const char *message, *more;
    } cases[] = {
        {"labelled: -1", STATUS_BAD_INPUT,
         "r.yaml:1:", "an integer, at least 0) or an NPY file of their indices, found -1"},
        {"labelled: 1.5", STATUS_BAD_INPUT, "r.yaml:1:", "found 1.5"},
        {"labelled: 5e9", STATUS_BAD_INPUT, "r.yaml:1:", "found 5e9"},
        {"labelled: true", STATUS_BAD_INPUT, "r.yaml:1:", "found true"},
        {"labelled: [1]", STATUS_BAD_INPUT, "r.yaml:1:", "found a list"},
        {"labelled_seed: x", STATUS_BAD_INPUT, "r.yaml:1:", "labelled_seed"},
        {"labelled: 53", STATUS_BAD_INPUT,
         "r.yaml:1:", "labelled: 53 samples of 5 classes are 11 of class 0, but the train split has 10 of it"},
        {"labelled: 12, classes: 6", STATUS_BAD_INPUT,
         "r.yaml:1:", "12 samples of 6 classes are 2 of class 5, but the train split has 0 of it"},
        {"labelled: nowhere.npy", STATUS_IO, "nowhere.npy", "No such file"},
        {"labelled: train", STATUS_BAD_INPUT, "train: ", "NPY"},
        {"labelled: beyond.npy", STATUS_BAD_INPUT, "r.yaml:1:",
         "labelled: beyond.npy: row 2 is 50: expected an index into the 50 samples of the train split, 0 to 49"},
        {"labelled: negative.npy", STATUS_BAD_INPUT, "r.yaml:1:", "row 0 is -1: expected an index"},
        {"labelled: twice.npy", STATUS_BAD_INPUT, "r.yaml:1:", "row 2 is 3, which stands in an earlier row, too"},
        {"labelled: reals.npy", STATUS_BAD_INPUT, "r.yaml:1:", "reals.npy: expected indices, i64 [n], found f32 [2]"},
        {"labelled: table.npy", STATUS_BAD_INPUT, "r.yaml:1:", "table.npy: expected indices, i64 [n], found i64 [3,1]"},
        {"labelled: beyond.npy, extra: {idx: {train_images: extra}}", STATUS_BAD_INPUT, "r.yaml:1:", "0 to 49"},
    };
    indices_put(f, "beyond.npy", 3, beyond);
    indices_put(f, "twice.npy", 3, twice);
    indices_put(f, "negative.npy", 1, negative);
    array_put(f, "reals.npy", ELEMENT_F32, SHAPE(2), reals);
    array_put(f, "table.npy", ELEMENT_I64, SHAPE(3, 1), twice);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data *data = NULL;
        expect_failure(&f->ctx, open_data(&f->ctx, f->arena, cases[i].section, &data), cases[i].status,
                       cases[i].message, cases[i].more, NULL);
        assert_null(data);
    }
}

/* What has no label cannot keep it. */
static void test_without_labels(void **state)
{
    struct fixture *f = *state;
    static const char yaml[] = "{idx: {train_images: train, test_images: test, test_labels: test-labels}, labelled: 4}";
    static const char names[] = "{idx: {train_images: train}, class_names: [a, b]}";
    const int32_t labels[] = {0, -1};
    const struct labelled labelled = {.path = "second.npy"};
    const int64_t second[] = {1};
    bool kept[2] = {false, false};
    struct value *section = NULL;
    struct data *data = NULL;
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    expect_failure(&f->ctx, data_open(&f->ctx, f->arena, section, "r.yaml", &data), STATUS_BAD_INPUT,
                   "r.yaml:1:", "labelled: expected 4 training samples with a label, found none", NULL);
    indices_put(f, "second.npy", 1, second);
    expect_failure(&f->ctx, labelled_choose(&f->ctx, &labelled, labels, 2, 1, kept), STATUS_BAD_INPUT,
                   "second.npy: row 0 is 1, and that training sample has no label to keep", NULL);
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "r.yaml", names, strlen(names), &section), STATUS_OK);
    expect_failure(&f->ctx, data_open(&f->ctx, f->arena, section, "r.yaml", &data), STATUS_BAD_INPUT, "r.yaml:1:",
                   "class_names: the data has no labels that say how many classes there are, found 2 names; add "
                   "classes: 2",
                   NULL);
}

static void expect_images(const struct split *split, int64_t first, int64_t count, unsigned seed, int64_t from)
{
    const uint8_t *images = split->images;
    for (int64_t i = 0; i < count * IMAGE; i++)
        assert_int_equal(images[first * IMAGE + i], idx_byte(seed, from * IMAGE + i));
}

static void test_extra(void **state)
{
    struct fixture *f = *state;
    struct data *data = opened(f, "labelled: 10, extra: {idx: {train_images: extra, train_labels: extra-labels}}");
    const struct split *train = &data->splits[SPLIT_TRAIN], *validation = &data->splits[SPLIT_VALIDATION];
    assert_int_equal(data->extra, EXTRA);
    assert_int_equal(train->count, TRAIN + EXTRA);
    assert_int_equal(train->labelled, 10);
    expect_images(train, 0, TRAIN, 1, 0);
    expect_images(train, TRAIN, EXTRA, 3, 0);
    for (int i = TRAIN; i < TRAIN + EXTRA; i++)
        assert_true(train->labels[i] == -1 && data->all_labels.labels[i] == -1);
    assert_int_equal(data->all_labels.count, TRAIN + EXTRA);
    assert_int_equal(data->all_labels.labelled, TRAIN);
    assert_int_equal(validation->count, HELD_OUT);
    assert_int_equal(validation->first, TRAIN);
    expect_images(validation, 0, HELD_OUT, 1, TRAIN);
    for (int i = 0; i < HELD_OUT; i++)
        assert_int_equal(validation->labels[i], (TRAIN + i) % CLASSES);
    expect_images(&data->splits[SPLIT_TEST], 0, TEST, 2, 0);
    assert_int_equal(data->classes, CLASSES);
    /* Other programs count the files' samples, and then the extra ones. */
    assert_int_equal(data_file_row(data, SPLIT_TRAIN, 0), 0);
    assert_int_equal(data_file_row(data, SPLIT_TRAIN, TRAIN - 1), TRAIN - 1);
    assert_int_equal(data_file_row(data, SPLIT_TRAIN, TRAIN), FILES);
    assert_int_equal(data_file_row(data, SPLIT_TRAIN, TRAIN + EXTRA - 1), FILES + EXTRA - 1);
    assert_int_equal(data_file_row(data, SPLIT_VALIDATION, 0), TRAIN);
    assert_int_equal(data_file_row(data, SPLIT_VALIDATION, HELD_OUT - 1), FILES - 1);
    assert_int_equal(data_file_row(data, SPLIT_TEST, 5), 5);
    /* A label that is out of range is named by its place in the file, wherever the sample went. */
    expect_failure(&f->ctx, data_check_classes(&f->ctx, data, 4), STATUS_BAD_INPUT,
                   "train-labels: the label of sample ", NULL);
    data_free(&f->ctx, data);
    data = opened(f, "labelled: 0, extra: {idx: {train_images: extra}}");
    expect_failure(&f->ctx, data_check_classes(&f->ctx, data, 4), STATUS_BAD_INPUT,
                   "train-labels: the label of sample 54 is out of range", NULL);
    data_free(&f->ctx, data);
}

/* The labels of `extra` are not read into anything: with and without them, the hash is the same; another image counts. */
static void test_extra_and_the_hash(void **state)
{
    struct fixture *f = *state;
    static const char *const sections[] = {"extra: {idx: {train_images: extra}}",
                                           "extra: {name: idx, idx: {train_images: extra, train_labels: extra-labels}}",
                                           "extra: {idx: {train_images: extra}}", "extra: null"};
    char hashes[4][65];
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            idx_images_put("extra", EXTRA, 4, 3, 0, 4);
        struct data *data = opened(f, sections[i]);
        assert_int_equal(data_sha256(&f->ctx, data, hashes[i]), STATUS_OK);
        data_free(&f->ctx, data);
    }
    assert_string_equal(hashes[0], hashes[1]);
    assert_string_not_equal(hashes[0], hashes[2]);
    assert_string_not_equal(hashes[0], hashes[3]);
}

/* Extra samples alone are a train split, too: a transfer set beside a test set. */
static void test_extra_alone(void **state)
{
    struct fixture *f = *state;
    static const char yaml[] =
        "{idx: {test_images: test, test_labels: test-labels}, extra: {idx: {train_images: extra, "
        "train_labels: extra-labels}}}";
    struct value *section = NULL;
    struct data *data = NULL;
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    assert_int_equal(data_open(&f->ctx, f->arena, section, "r.yaml", &data), STATUS_OK);
    assert_int_equal(data->splits[SPLIT_TRAIN].count, EXTRA);
    assert_int_equal(data->splits[SPLIT_TRAIN].labelled, 0);
    expect_images(&data->splits[SPLIT_TRAIN], 0, EXTRA, 3, 0);
    assert_int_equal(data_file_row(data, SPLIT_TRAIN, 2), 2);
    data_free(&f->ctx, data);
}

static void test_wrong_extra(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *section;
        enum status status;
        const char *message;
    } cases[] = {
        {"extra: 3", STATUS_BAD_INPUT, "data.extra: expected a map of options, found 3"},
        {"extra: {}", STATUS_BAD_INPUT, "data.extra: no data set; expected `name: NAME`"},
        {"extra: {name: idy}", STATUS_BAD_INPUT, "no data set \"idy\"; nearest: \"idx\""},
        {"extra: {idx: {train_images: extra}, fashion-mnist: {}}", STATUS_BAD_INPUT,
         "data.extra: expected one data set, found"},
        {"extra: {name: fashion-mnist, idx: {train_images: extra}}", STATUS_BAD_INPUT,
         "data.extra: expected one data set, found \"fashion-mnist\" and \"idx\""},
        {"extra: {idx: {train_images: extra}, validation: 3}", STATUS_BAD_INPUT,
         "data.extra has no option \"validation\""},
        {"extra: {idx: {train_image: extra}}", STATUS_BAD_INPUT, "nearest: \"train_images\""},
        {"extra: {idx: {test_images: test}}", STATUS_BAD_INPUT, "extra: expected training images, found none"},
        {"extra: {idx: {train_images: nowhere}}", STATUS_IO, "cannot read nowhere"},
        {"extra: {idx: {train_images: larger}}", STATUS_BAD_SHAPE,
         "train has images of 4x3x1, but larger has images of 4x4x1 (height, width, channels): expected the same"},
        {"extra: {idx: {train_images: coloured}}", STATUS_BAD_SHAPE, "but coloured has images of 4x3x3"},
    };
    idx_images_put("larger", EXTRA, 4, 4, 0, 3);
    idx_images_put("coloured", EXTRA, 4, 3, 3, 3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data *data = NULL;
        expect_failure(&f->ctx, open_data(&f->ctx, f->arena, cases[i].section, &data), cases[i].status,
                       cases[i].message, NULL);
        assert_null(data);
    }
    const struct samples bytes = {.element = ELEMENT_U8, .count = 1, .images_path = "bytes"};
    const struct samples floats = {.element = ELEMENT_F32, .count = 1, .images_path = "floats"};
    expect_failure(&f->ctx, samples_alike(&f->ctx, &bytes, &floats), STATUS_BAD_SHAPE,
                   "bytes has values of type u8, but floats has values of type f32", NULL);
}

/* Resolved, the section means the same wherever it is read from. */
static void test_resolved(void **state)
{
    struct fixture *f = *state;
    static const char yaml[] = "{idx: {train_images: ../train, train_labels: ../train-labels}, labelled: kept.npy, "
                               "labelled_seed: 3, extra: {idx: {train_images: ../extra}}}";
    const int64_t indices[] = {5};
    char folder[2048], expected[2200];
    struct value *section = NULL;
    struct data *data = NULL, *again = NULL;
    assert_non_null(getcwd(folder, sizeof folder));
    mkdir("few", 0777);
    indices_put(f, "few/kept.npy", 1, indices);
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "few/r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    assert_int_equal(data_open(&f->ctx, f->arena, section, "few/r.yaml", &data), STATUS_OK);
    snprintf(expected, sizeof expected, "%s/few/kept.npy", folder);
    assert_string_equal(value_path(data->resolved, "labelled")->text, expected);
    assert_int_equal(value_path(data->resolved, "labelled_seed")->integer, 3);
    assert_string_equal(value_path(data->resolved, "extra.name")->text, "idx");
    snprintf(expected, sizeof expected, "%s/few/../extra", folder);
    assert_string_equal(value_path(data->resolved, "extra.idx.train_images")->text, expected);
    assert_int_equal(data_open(&f->ctx, f->arena, data->resolved, "elsewhere/recipe.yaml", &again), STATUS_OK);
    assert_true(value_equal(data->resolved, again->resolved));
    assert_int_equal(again->splits[SPLIT_TRAIN].labels[5], 0);
    assert_int_equal(again->splits[SPLIT_TRAIN].labelled, 1);
    data_free(&f->ctx, again);
    data_free(&f->ctx, data);
    data = opened(f, "labelled: 12");
    assert_int_equal(value_path(data->resolved, "labelled")->integer, 12);
    data_free(&f->ctx, data);
}

static enum status work(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct data *data = NULL;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(open_data(ctx, arena, user, &data));

cleanup:
    data_free(ctx, data);
    arena_free(arena);
    return status;
}

static void test_no_memory(void **state)
{
    struct fixture *f = *state;
    static char number[] = "labelled: 10, extra: {idx: {train_images: extra}}", file[] = "labelled: kept.npy";
    const int64_t indices[] = {5, 6};
    indices_put(f, "kept.npy", 2, indices);
    assert_true(fault_loop(work, number) > 15);
    assert_true(fault_loop(work, file) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_choice_is_balanced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_choice_is_seeded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_of_indices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_masked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_labelled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extra, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extra_and_the_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extra_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_extra, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
