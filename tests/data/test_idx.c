/* test_idx.c: IDX files are read, plain and packed; a broken one is refused with its path and what is wrong. */
#include "data/reader.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/idx_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_reads_grey_colour_and_packed(void **state)
{
    (void)state;
    struct context ctx;
    struct samples samples = {0};
    char path[TEST_PATH_SIZE];
    counted_context(&ctx);
    idx_images_put("grey", 5, 3, 4, 0, 1);
    idx_images_put("colour", 2, 3, 4, 3, 2);
    idx_labels_put("labels", 5, 3);
    assert_int_equal(idx_read(&ctx, "grey", "labels", &samples), STATUS_OK);
    assert_int_equal(samples.element, ELEMENT_U8);
    assert_int_equal(samples.count, 5);
    assert_int_equal(samples.height, 3);
    assert_int_equal(samples.width, 4);
    assert_int_equal(samples.channels, 1);
    for (int i = 0; i < 60; i++)
        assert_int_equal(((uint8_t *)samples.images)[i], idx_byte(1, i));
    for (int i = 0; i < 5; i++)
        assert_int_equal(samples.labels[i], i % 3);
    samples_free(&ctx, &samples);
    assert_int_equal(idx_read(&ctx, "colour", NULL, &samples), STATUS_OK);
    assert_int_equal(samples.channels, 3);
    assert_null(samples.labels);
    samples_free(&ctx, &samples);
    assert_int_equal(idx_read(&ctx, test_source("format/fixtures/grey.idx.gz", path), NULL, &samples), STATUS_OK);
    assert_int_equal(samples.count, 3);
    for (int i = 0; i < 12; i++)
        assert_int_equal(((uint8_t *)samples.images)[i], i);
    samples_free(&ctx, &samples);
    assert_int_equal(counted_blocks(), 0);
}

static void test_refuses_broken_images(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        enum status status;
        const char *message;
    } cases[] = {
        {"", 0, STATUS_BAD_INPUT, "a.idx: expected IDX images, found an empty file"},
        {"\0\0\10", 3, STATUS_BAD_INPUT, "a.idx: cut short: expected IDX images, found 3 bytes"},
        {"\0\0\10\1\0\0\0\1\0", 9, STATUS_BAD_INPUT,
         "wrong magic number for IDX images (unsigned bytes): expected 0x00000803 or 0x00000804, found 0x00000801"},
        {"\0\0\15\3\0\0\0\1", 8, STATUS_BAD_INPUT, "found 0x00000d03"},
        {"\x89PNG....", 8, STATUS_BAD_INPUT, "found 0x89504e47"},
        {"\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0", 15, STATUS_BAD_INPUT, "cut short: the header needs 16 bytes, found 15"},
        {"\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\2abc", 19, STATUS_BAD_INPUT,
         "cut short: [1,2,2] needs 4 bytes behind the header, found 3"},
        {"\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\2abcde", 21, STATUS_BAD_INPUT, "bytes behind its end: [1,2,2] needs 4"},
        {"\0\0\10\3\0\0\0\0\0\0\0\2\0\0\0\2", 16, STATUS_BAD_SHAPE, "dimensions of at least 1, found [0,2,2]"},
        {"\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\0", 16, STATUS_BAD_SHAPE, "found [2,2,0]"},
        {"\0\0\10\3\0\1\0\0\0\1\0\0\0\0\0\2", 16, STATUS_BAD_SHAPE, "too large: expected less than 2^31 elements"},
        {"\0\0\10\4\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 20, STATUS_BAD_SHAPE,
         "too large"},
        {"\0\0\10\3\200\0\0\0\0\0\0\1\0\0\0\1", 16, STATUS_BAD_SHAPE, "too large"},
    };
    struct context ctx;
    struct samples samples = {0};
    counted_context(&ctx);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;
        expect_failure(&ctx, idx_parse_images(&ctx, "a.idx", bytes, cases[i].count, &samples), cases[i].status,
                       "a.idx: ", cases[i].message, NULL);
        test_file_put("b.idx", bytes, cases[i].count);
        expect_failure(&ctx, idx_read(&ctx, "b.idx", NULL, &samples), cases[i].status, "b.idx: ", NULL);
        assert_null(samples.images);
    }
    assert_int_equal(counted_blocks(), 0);
}

static void test_refuses_broken_labels(void **state)
{
    (void)state;
    struct context ctx;
    int32_t *labels = NULL;
    int64_t count = 0;
    struct samples samples = {0};
    counted_context(&ctx);
    const unsigned char images[] = "\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\1";
    expect_failure(&ctx, idx_parse_labels(&ctx, "l.idx", images, 17, &labels, &count), STATUS_BAD_INPUT,
                   "l.idx: wrong magic number for IDX labels", "expected 0x00000801, found 0x00000803", NULL);
    expect_failure(&ctx, idx_parse_labels(&ctx, "l.idx", images, 0, &labels, &count), STATUS_BAD_INPUT,
                   "IDX labels, found an empty file", NULL);
    idx_images_put("grey", 5, 3, 4, 0, 1);
    idx_labels_put("labels", 4, 3);
    expect_failure(&ctx, idx_read(&ctx, "grey", "labels", &samples), STATUS_BAD_INPUT,
                   "grey has 5 images, but labels has 4 labels", NULL);
    samples_free(&ctx, &samples);
    expect_failure(&ctx, idx_read(&ctx, "grey", "none", &samples), STATUS_IO, "none", "No such file", NULL);
    samples_free(&ctx, &samples);
    expect_failure(&ctx, idx_read(&ctx, "none", NULL, &samples), STATUS_IO, "none", NULL);
    unsigned char packed[64];
    char path[TEST_PATH_SIZE];
    FILE *file = fopen(test_source("format/fixtures/grey.idx.gz", path), "rb");
    assert_non_null(file);
    size_t length = fread(packed, 1, sizeof packed, file);
    fclose(file);
    test_file_put("cut.gz", packed, length - 9);
    expect_failure(&ctx, idx_read(&ctx, "cut.gz", NULL, &samples), STATUS_BAD_INPUT,
                   "cut.gz: the gzip data is cut short", NULL);
    assert_int_equal(counted_blocks(), 0);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    struct samples samples = {0};
    enum status status = idx_read(ctx, "grey", "labels", &samples);
    samples_free(ctx, &samples);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    idx_images_put("grey", 5, 3, 4, 0, 1);
    idx_labels_put("labels", 5, 3);
    assert_true(fault_loop(work, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_grey_colour_and_packed),
                                       cmocka_unit_test(test_refuses_broken_images),
                                       cmocka_unit_test(test_refuses_broken_labels), cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
