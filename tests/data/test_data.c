/* test_data.c: a recipe's data section becomes splits; a wrong one is refused with its position. */
#include "data/augment.h"
#include "data/data.h"
#include "data/reader.h"
#include "recipe/recipe.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/idx_files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    counted_context(&fixture->ctx);
    fixture->arena = arena_new(&fixture->ctx);
    idx_images_put("train", 10, 4, 3, 0, 1);
    idx_labels_put("train-labels", 10, 5);
    idx_images_put("test", 6, 4, 3, 0, 2);
    idx_labels_put("test-labels", 6, 5);
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

static enum status open_data(struct context *ctx, struct arena *arena, const char *yaml, const char *recipe_path,
                             struct data **out)
{
    struct value *section = NULL;
    *out = NULL;
    RETURN_IF(recipe_parse(ctx, arena, "r.yaml", yaml, strlen(yaml), &section));
    return data_open(ctx, arena, section, recipe_path, out);
}

#define FILES "train_images: train, train_labels: train-labels, test_images: test, test_labels: test-labels"

static void test_splits(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    const struct split *split = NULL;
    assert_int_equal(
        open_data(&f->ctx, f->arena, "idx: {" FILES "}\nvalidation: 3\naugment: {flip: true}\n", "r.yaml", &data),
        STATUS_OK);
    assert_string_equal(data->name, "idx");
    assert_int_equal(data->classes, 5);
    assert_int_equal(data->height, 4);
    assert_int_equal(data->width, 3);
    assert_int_equal(data->channels, 1);
    assert_int_equal(data_split(&f->ctx, data, SPLIT_TRAIN, true, &split), STATUS_OK);
    assert_int_equal(split->count, 7);
    assert_int_equal(split->labelled, 7);
    assert_string_equal(split->name, "train");
    assert_int_equal(data_split(&f->ctx, data, SPLIT_VALIDATION, true, &split), STATUS_OK);
    assert_int_equal(split->count, 3); /* the last ones of the training data */
    assert_int_equal(split->first, 7);
    for (int i = 0; i < 36; i++)
        assert_int_equal(((const uint8_t *)split->images)[i], idx_byte(1, 7 * 12 + i));
    for (int i = 0; i < 3; i++)
        assert_int_equal(split->labels[i], (7 + i) % 5);
    assert_int_equal(data_split(&f->ctx, data, SPLIT_TEST, true, &split), STATUS_OK);
    assert_int_equal(split->count, 6);
    assert_int_equal(((const uint8_t *)split->images)[0], idx_byte(2, 0));
    assert_int_equal(augmentation_views(data->augmentation), 2);
    data_free(&f->ctx, data);
    data_free(&f->ctx, NULL);
    assert_int_equal(split_find("validation"), SPLIT_VALIDATION);
    assert_int_equal(split_find("all"), -1);
}

static void test_sets_that_are_missing(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    const struct split *split = NULL;
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {train_images: train}", NULL, &data), STATUS_OK);
    assert_int_equal(data->classes, 0);
    assert_null(data->augmentation);
    assert_int_equal(data_split(&f->ctx, data, SPLIT_TRAIN, false, &split), STATUS_OK);
    assert_int_equal(split->labelled, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(split->labels[i], -1);
    expect_failure(&f->ctx, data_split(&f->ctx, data, SPLIT_TRAIN, true, &split), STATUS_BAD_INPUT,
                   "no sample of the train split has a label", NULL);
    expect_failure(&f->ctx, data_split(&f->ctx, data, SPLIT_TEST, false, &split), STATUS_BAD_INPUT,
                   "has no test split; give test images", NULL);
    expect_failure(&f->ctx, data_split(&f->ctx, data, SPLIT_VALIDATION, false, &split), STATUS_BAD_INPUT,
                   "has no validation split; set validation: N", NULL);
    assert_null(split);
    data_free(&f->ctx, data);
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {test_images: test, test_labels: test-labels}", NULL, &data),
                     STATUS_OK);
    assert_int_equal(data->height, 4);
    assert_int_equal(data->splits[SPLIT_TRAIN].count, 0);
    data_free(&f->ctx, data);
}

static void test_paths_are_relative_to_the_recipe(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    char folder[4096];
    assert_non_null(getcwd(folder, sizeof folder));
    mkdir("sub", 0777);
    idx_images_put("sub/here", 2, 2, 2, 0, 1);
    assert_int_equal(
        open_data(&f->ctx, f->arena, "idx: {train_images: here, test_images: ../test}", "sub/r.yaml", &data),
        STATUS_BAD_SHAPE);
    expect_failure(&f->ctx, f->ctx.error.status, STATUS_BAD_SHAPE, "sub/here has images of 2x2x1, but sub/../test has",
                   "4x3x1", NULL);
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {train_images: here}", "sub/r.yaml", &data), STATUS_OK);
    /* resolved, the section means the same wherever it lies */
    const char *path = value_path(data->resolved, "idx.train_images")->text;
    assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
    assert_non_null(strstr(path, "/sub/here"));
    struct data *again = NULL;
    assert_int_equal(data_open(&f->ctx, f->arena, data->resolved, "elsewhere/recipe.yaml", &again), STATUS_OK);
    assert_true(value_equal(data->resolved, again->resolved));
    char hash[65], hash_again[65];
    assert_int_equal(data_sha256(&f->ctx, data, hash), STATUS_OK);
    assert_int_equal(data_sha256(&f->ctx, again, hash_again), STATUS_OK);
    assert_string_equal(hash, hash_again);
    data_free(&f->ctx, again);
    data_free(&f->ctx, data);
    /* an absolute path stays; one in the recipe's own folder is named as it was given */
    expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "idx: {train_images: /no/where}", "sub/r.yaml", &data),
                   STATUS_IO, "cannot read /no/where:", NULL);
    expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "idx: {train_images: none}", "r.yaml", &data), STATUS_IO,
                   "cannot read none:", NULL);
}

static void test_resolved(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {" FILES "}\naugment: {shift: 2}\n", NULL, &data), STATUS_OK);
    assert_string_equal(value_path(data->resolved, "name")->text, "idx");
    assert_int_equal(value_path(data->resolved, "validation")->integer, 0);
    assert_int_equal(value_path(data->resolved, "augment_seed")->integer, 0);
    assert_int_equal(value_path(data->resolved, "augment.shift")->integer, 2);
    assert_false(value_path(data->resolved, "augment.flip")->boolean);
    data_free(&f->ctx, data);
}

static void test_classes(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    assert_int_equal(open_data(&f->ctx, f->arena, "{idx: {" FILES "}, classes: 8}", NULL, &data), STATUS_OK);
    assert_int_equal(data->classes, 8);
    assert_int_equal(data_check_classes(&f->ctx, data, 5), STATUS_OK);
    expect_failure(
        &f->ctx, data_check_classes(&f->ctx, data, 4), STATUS_BAD_INPUT,
        "train-labels: the label of sample 4 is out of range: expected 0 to 3 (the network's outputs), found 4", NULL);
    data_free(&f->ctx, data);
    expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "{idx: {" FILES "}, classes: 3}", NULL, &data),
                   STATUS_BAD_INPUT, "train-labels: the label of sample 3 is out of range", "found 3", NULL);
    idx_labels_put("test-labels", 6, 6);
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {" FILES "}", NULL, &data), STATUS_OK);
    assert_int_equal(data->classes, 6);
    expect_failure(&f->ctx, data_check_classes(&f->ctx, data, 5), STATUS_BAD_INPUT,
                   "test-labels: the label of sample 5 is out of range", NULL);
    data_free(&f->ctx, data);
}

static void test_class_names(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    assert_int_equal(open_data(&f->ctx, f->arena, "{idx: {" FILES "}, class_names: [a, b, c, d, e]}", NULL, &data),
                     STATUS_OK);
    assert_int_equal(data->classes, 5);
    assert_string_equal(data->class_names[4], "e");
    assert_string_equal(value_path(data->resolved, "class_names.0")->text, "a");
    data_free(&f->ctx, data);
    assert_int_equal(open_data(&f->ctx, f->arena, "idx: {" FILES "}", NULL, &data), STATUS_OK);
    assert_null(data->class_names);
    assert_null(value_path(data->resolved, "class_names"));
    data_free(&f->ctx, data);
    expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "{idx: {" FILES "}, class_names: [a, b]}", "r.yaml", &data),
                   STATUS_BAD_INPUT, "r.yaml:1:", "class_names: expected a name for each of the 5 classes, found 2",
                   NULL);
    /* What a reader knows of its classes does not bind a recipe that has others. */
    assert_int_equal(open_data(&f->ctx, f->arena, "name: fashion-mnist", NULL, &data), STATUS_OK);
    assert_string_equal(data->class_names[9], "ankle boot");
    data_free(&f->ctx, data);
    struct data *again = NULL;
    assert_int_equal(open_data(&f->ctx, f->arena, "{name: fashion-mnist, classes: 11}", NULL, &data), STATUS_OK);
    assert_null(data->class_names);
    assert_int_equal(data_open(&f->ctx, f->arena, data->resolved, NULL, &again), STATUS_OK);
    data_free(&f->ctx, again);
    data_free(&f->ctx, data);
}

static void test_wrong_sections(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *yaml;
        enum status status;
        const char *message;
    } cases[] = {
        {"validation: 3", STATUS_BAD_INPUT, "r.yaml:1:1: data: no data set; expected `name: NAME`"},
        {"{name: fashon-mnist}", STATUS_BAD_INPUT,
         "r.yaml:1:8: no data set \"fashon-mnist\"; nearest: \"fashion-mnist\""},
        {"{name: xyz}", STATUS_BAD_INPUT, "no data set \"xyz\"; `retort list data`"},
        {"{idx: {" FILES "}, validaton: 3}", STATUS_BAD_INPUT, "nearest: \"validation\""},
        {"{idx: {train_image: train}}", STATUS_BAD_INPUT, "nearest: \"train_images\""},
        {"{idx: {}}", STATUS_BAD_INPUT, "r.yaml:1:7: idx: no images"},
        {"{name: idx}", STATUS_BAD_INPUT, "idx: no images"},
        {"{idx: {train_labels: train-labels, test_images: test}}", STATUS_BAD_INPUT,
         "train_labels without train_images"},
        {"{idx: {" FILES "}, fashion-mnist: {}}", STATUS_BAD_INPUT, "expected one data set, found"},
        {"{name: fashion-mnist, idx: {" FILES "}}", STATUS_BAD_INPUT, "found \"fashion-mnist\" and \"idx\""},
        {"{idx: {" FILES "}, validation: -1}", STATUS_BAD_INPUT, "validation"},
        {"{idx: {" FILES "}, validation: 10}", STATUS_BAD_INPUT,
         "expected less than the 10 training samples, found 10"},
        {"{idx: {test_images: test}, validation: 1}", STATUS_BAD_INPUT, "less than the 0 training samples"},
        {"{idx: {" FILES "}, augment: {flipp: true}}", STATUS_BAD_INPUT, "nearest: \"flip\""},
        {"{idx: {" FILES "}, augment: {shift: -1}}", STATUS_BAD_INPUT, "shift"},
        {"{idx: {" FILES "}, augment: {flip: 3}}", STATUS_BAD_INPUT, "flip"},
        {"{idx: 3}", STATUS_BAD_INPUT, "r.yaml:1:7: "},
        {"[1]", STATUS_BAD_INPUT, "r.yaml:1:1: "},
        {"{fashion-mnist: {directory: nowhere}}", STATUS_IO,
         "nowhere/train-images-idx3-ubyte.gz is not there: the data set fashion-mnist comes with Debian's package "
         "dataset-fashion-mnist; install it with `apt-get install dataset-fashion-mnist`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data *data = NULL;
        expect_failure(&f->ctx, open_data(&f->ctx, f->arena, cases[i].yaml, "r.yaml", &data), cases[i].status,
                       cases[i].message, NULL);
        assert_null(data);
    }
}

/* Each of the four files that cannot be right is named. */
static void test_names_the_broken_file(void **state)
{
    struct fixture *f = NULL;
    (void)state;
    static const char *const files[] = {"train", "train-labels", "test", "test-labels"};
    for (int i = 0; i < 4; i++) {
        setup((void **)&f);
        test_file_put(files[i], "\0\0\10", 3);
        struct data *data = NULL;
        char expected[64];
        snprintf(expected, sizeof expected, "%s: cut short", files[i]);
        expect_failure(&f->ctx, open_data(&f->ctx, f->arena, "idx: {" FILES "}", NULL, &data), STATUS_BAD_INPUT,
                       expected, NULL);
        teardown((void **)&f);
    }
}

static void test_hash_depends_on_content(void **state)
{
    struct fixture *f = *state;
    char first[65], other[65];
    struct data *data = NULL;
    for (int i = 0; i < 5; i++) {
        /* 0: as it is, 1: other validation and augmentation, 2: an image, 3: a label, 4: no labels */
        if (i == 2)
            idx_images_put("test", 6, 4, 3, 0, 3);
        if (i == 3) {
            idx_images_put("test", 6, 4, 3, 0, 2);
            idx_labels_put("train-labels", 10, 4);
        }
        if (i == 4)
            idx_labels_put("train-labels", 10, 5);
        const char *yaml = i == 1   ? "{idx: {" FILES "}, validation: 2, augment: {flip: true}}"
                           : i == 4 ? "{idx: {train_images: train, test_images: test, test_labels: test-labels}}"
                                    : "{idx: {" FILES "}}";
        assert_int_equal(open_data(&f->ctx, f->arena, yaml, NULL, &data), STATUS_OK);
        assert_int_equal(data_sha256(&f->ctx, data, i == 0 ? first : other), STATUS_OK);
        if (i > 0)
            assert_int_equal(strcmp(first, other) == 0, i == 1);
        data_free(&f->ctx, data);
    }
}

static void test_channel_statistics(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 255, 7, 255, 255, 7, 51, 255, 7, 102, 255, 7};
    static const float floats[] = {0, 1, 2, 3};
    double mean[3], deviation[3];
    struct split split = {.element = ELEMENT_U8, .count = 2, .height = 1, .width = 2, .channels = 3, .images = bytes};
    split_channel_statistics(&split, mean, deviation);
    assert_true(fabs(mean[0] - 0.4) < 1e-15);
    assert_true(fabs(deviation[0] - sqrt((0.16 + 0.36 + 0.04 + 0) / 4)) < 1e-15);
    assert_true(mean[1] == 1 && deviation[1] == 0);
    assert_true(deviation[2] == 0);
    split =
        (struct split){.element = ELEMENT_F32, .count = 4, .height = 1, .width = 1, .channels = 1, .images = floats};
    split_channel_statistics(&split, mean, deviation);
    assert_true(mean[0] == 1.5 && fabs(deviation[0] - sqrt(1.25)) < 1e-15);
    split.count = 0;
    split_channel_statistics(&split, mean, deviation);
    assert_true(mean[0] == 0 && deviation[0] == 0);
}

static void test_tables(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    const struct reader *const *readers = reader_table(&count);
    assert_true(count >= 2);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(reader_find(readers[i]->name), readers[i]);
        assert_true(readers[i]->summary[0] != '\0' && readers[i]->help[0] != '\0' && readers[i]->read != NULL);
        assert_non_null(options_describe(f->arena, readers[i]->options));
        for (size_t k = 0; readers[i]->paths != NULL && readers[i]->paths[k] != NULL; k++) {
            bool known = false;
            for (size_t o = 0; o < readers[i]->options.count; o++)
                known = known || strcmp(readers[i]->options.specs[o].name, readers[i]->paths[k]) == 0;
            assert_true(known);
        }
    }
    assert_null(reader_find("none"));
}

static void test_fashion_mnist(void **state)
{
    struct fixture *f = *state;
    struct data *data = NULL;
    if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK) != 0)
        skip();
    assert_int_equal(open_data(&f->ctx, f->arena, "{name: fashion-mnist, validation: 5000}", NULL, &data), STATUS_OK);
    assert_int_equal(data->splits[SPLIT_TRAIN].count, 55000);
    assert_int_equal(data->splits[SPLIT_VALIDATION].count, 5000);
    assert_int_equal(data->splits[SPLIT_TEST].count, 10000);
    assert_int_equal(data->classes, 10);
    double mean, deviation;
    struct split whole = data->splits[SPLIT_TRAIN];
    whole.count = 60000;
    split_channel_statistics(&whole, &mean, &deviation);
    assert_true(fabs(mean - 0.2860) < 1e-4 && fabs(deviation - 0.3530) < 1e-4); /* as widely published */
    data_free(&f->ctx, data);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    enum status status = STATUS_OK;
    struct data *data = NULL;
    char hash[65];
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(open_data(ctx, arena,
                  "{name: idx, idx: {train_images: train, test_images: test, test_labels: test-labels}, validation: 2, "
                  "augment: {flip: true, shift: 1}}",
                  "./r.yaml", &data));
    TRY(data_sha256(ctx, data, hash));

cleanup:
    data_free(ctx, data);
    arena_free(arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_splits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sets_that_are_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_are_relative_to_the_recipe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_class_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_sections, setup, teardown),
        cmocka_unit_test(test_names_the_broken_file),
        cmocka_unit_test_setup_teardown(test_hash_depends_on_content, setup, teardown),
        cmocka_unit_test(test_channel_statistics),
        cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fashion_mnist, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
