/* test_npy_stream.c: arrays that follow each other come out of a stream however it is cut, and nothing else does. */
#include "format/npy_stream.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

static size_t fixture_read(const char *name, unsigned char *out, size_t room)
{
    char below[128], path[TEST_PATH_SIZE];
    snprintf(below, sizeof below, "format/fixtures/%s.npy", name);
    FILE *file = fopen(test_source(below, path), "rb");
    assert_non_null(file);
    size_t count = fread(out, 1, room, file);
    assert_true(count > 0 && count < room);
    fclose(file);
    return count;
}

/* The fixtures' element i, in C order, is i / 4 - 1, in float32 and float64, both orders and both versions. */
static void test_arrays_in_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct shape shape;
    } arrays[] = {{"f32_3x4", {2, {3, 4}}},
                  {"fortran_f32_3x4x2", {3, {3, 4, 2}}},
                  {"version2_f32_3x4", {2, {3, 4}}},
                  {"fortran_f32_3x4x2", {3, {3, 4, 2}}}};
    enum { ARRAYS = sizeof arrays / sizeof arrays[0] };
    unsigned char bytes[2048], wide[512];
    size_t count = 0;
    for (int i = 0; i < ARRAYS; i++)
        count += fixture_read(arrays[i].name, bytes + count, sizeof bytes - count);
    size_t wide_count = fixture_read("f64_2x3x2", wide, sizeof wide);
    struct context ctx = quiet();
    for (size_t piece = 1; piece <= count; piece++) {
        struct npy_stream *stream = npy_stream_new(&ctx, 24);
        assert_non_null(stream);
        size_t at = 0;
        for (int i = 0; i < ARRAYS; i++) {
            npy_stream_expect(stream, "the stream", &arrays[i].shape);
            assert_false(npy_stream_begun(stream));
            while (npy_stream_numbers(stream) == NULL) {
                assert_true(at < count);
                size_t taken,
                    given = piece - at % piece; /* a piece may hold the end of one and the start of the next */
                given = given < count - at ? given : count - at;
                assert_int_equal(npy_stream_take(stream, bytes + at, given, &taken), STATUS_OK);
                assert_true(taken == given || npy_stream_numbers(stream) != NULL);
                at += taken;
                assert_true(npy_stream_begun(stream));
            }
            for (int64_t k = 0; k < shape_elements(&arrays[i].shape); k++)
                assert_true(npy_stream_numbers(stream)[k] == (float)k / 4 - 1);
            size_t taken = 1;
            assert_int_equal(npy_stream_take(stream, bytes, count, &taken), STATUS_OK); /* it is complete */
            assert_int_equal(taken, 0);
        }
        assert_int_equal(at, count);
        npy_stream_expect(stream, "the stream", &(struct shape){3, {2, 3, 2}});
        size_t taken = 0;
        assert_int_equal(npy_stream_take(stream, wide, wide_count, &taken), STATUS_OK);
        assert_int_equal(taken, wide_count);
        for (int k = 0; k < 12; k++)
            assert_true(npy_stream_numbers(stream)[k] == (float)k / 4 - 1);
        npy_stream_free(stream);
    }
    npy_stream_free(NULL);
}

/* make: a header of this version and text, and `numbers` zero bytes; returns the length. */
static size_t make(int version, const char *text, size_t numbers, unsigned char out[1024])
{
    size_t start = version == 2 ? 12 : 10, length = strlen(text);
    memset(out, 0, 1024);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)version;
    out[8] = (unsigned char)length;
    memcpy(out + start, text, length);
    assert_true(start + length + numbers <= 1024);
    return start + length + numbers;
}

static void test_nothing_is_an_array_of_no_numbers(void **state)
{
    (void)state;
    unsigned char bytes[1024];
    struct context ctx = quiet();
    struct npy_stream *stream = npy_stream_new(&ctx, 0);
    npy_stream_expect(stream, "the stream", &(struct shape){2, {0, 3}});
    size_t taken, count = make(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 3)}", 0, bytes);
    assert_int_equal(npy_stream_take(stream, bytes, count, &taken), STATUS_OK);
    assert_int_equal(taken, count);
    assert_non_null(npy_stream_numbers(stream));
    npy_stream_free(stream);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *text;
        enum status status;
        const char *message;
    } cases[] = {
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", STATUS_BAD_SHAPE,
         "the stream: expected an array [2,3], found [2,4]"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", STATUS_BAD_SHAPE, "found [6]"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 2000)}", STATUS_BAD_SHAPE,
         "found [1000000,2000]"},
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 2000000)}", STATUS_BAD_SHAPE,
         "found [1000000,2000000]"},
        {1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3)}", STATUS_UNSUPPORTED,
         "the stream: element type: expected one of <f4, <f8, found '<i8'"},
        {1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)}", STATUS_UNSUPPORTED,
         "<f4, <f8, found '<f2'; convert"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", STATUS_UNSUPPORTED,
         "expected one of <f4, <f8, found a structured type"},
        {3, "", STATUS_UNSUPPORTED, "found 3.0"},
        {1, "", STATUS_BAD_INPUT, "the stream: NPY header: expected \"{\""},
        {2, "{}", STATUS_BAD_INPUT, "\"descr\" is missing"},
    };
    unsigned char bytes[1024];
    struct context ctx = quiet();
    struct npy_stream *stream = npy_stream_new(&ctx, 6);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t taken, count = make(cases[i].version, cases[i].text, 0, bytes);
        for (size_t piece = 1; piece <= count; piece += count - 1) { /* one by one, and at once */
            enum status status = STATUS_OK;
            npy_stream_expect(stream, "the stream", &(struct shape){2, {2, 3}});
            for (size_t at = 0; at < count && status == STATUS_OK; at += piece)
                status = npy_stream_take(stream, bytes + at, piece, &taken);
            expect_failure(&ctx, status, cases[i].status, cases[i].message, NULL);
            assert_null(npy_stream_numbers(stream));
        }
    }
    /* a header whose length is a lie asks for no memory */
    size_t taken, count = make(2, "", 0, bytes);
    bytes[11] = 0x7f;
    npy_stream_expect(stream, "the stream", &(struct shape){2, {2, 3}});
    expect_failure(&ctx, npy_stream_take(stream, bytes, count, &taken), STATUS_BAD_INPUT, "at most 4096 bytes, found",
                   NULL);
    npy_stream_free(stream);
}

static void test_text_is_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"Loading the model ... and a lot more than fits\n", "found \"Loading the model ... and a lot more tha\""},
        {"a\x01\xff\nb", "found \"a?\?\""},
        {"\n", "found \"\""},
        {"\x93NUM ERR\n", "found \"?NUM ERR\""},
    };
    struct context ctx = quiet();
    struct npy_stream *stream = npy_stream_new(&ctx, 6);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t taken;
        npy_stream_expect(stream, "the stream", &(struct shape){2, {2, 3}});
        expect_failure(&ctx,
                       npy_stream_take(stream, (const unsigned char *)cases[i].text, strlen(cases[i].text), &taken),
                       STATUS_BAD_INPUT, "the stream: expected an NPY array", cases[i].message, NULL);
    }
    /* the first byte is enough */
    size_t taken;
    npy_stream_expect(stream, "the stream", &(struct shape){2, {2, 3}});
    expect_failure(&ctx, npy_stream_take(stream, (const unsigned char *)"L", 1, &taken), STATUS_BAD_INPUT, "\"L\"",
                   NULL);
    npy_stream_free(stream);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    unsigned char bytes[1024];
    size_t taken, count = fixture_read("fortran_f32_3x4x2", bytes, sizeof bytes);
    struct npy_stream *stream = npy_stream_new(ctx, 24);
    if (stream == NULL)
        return ctx->error.status;
    npy_stream_expect(stream, "the stream", &(struct shape){3, {3, 4, 2}});
    enum status status = npy_stream_take(stream, bytes, count, &taken);
    npy_stream_free(stream);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(fault_loop(work, NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays_in_pieces), cmocka_unit_test(test_nothing_is_an_array_of_no_numbers),
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_text_is_quoted),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
