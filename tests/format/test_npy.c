/* test_npy.c: arrays that NumPy wrote are read, ours come back, and everything else is refused by name. */
#include "format/npy.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

static enum status read_fixture(struct context *ctx, const char *name, struct npy *out)
{
    char below[128], path[TEST_PATH_SIZE];
    snprintf(below, sizeof below, "format/fixtures/%s.npy", name);
    return npy_read(ctx, test_source(below, path), out);
}

static void assert_shape(const struct shape *shape, const char *expected)
{
    char text[SHAPE_TEXT_SIZE];
    assert_string_equal(shape_text(shape, text), expected);
}

/* Element i of a fixture, in C order, is i / 4 - 1. */
static void test_reads_what_numpy_wrote(void **state)
{
    (void)state;
    static const char *const f32[] = {"f32_3x4", "version2_f32_3x4", "fortran_f32_3x4x2"};
    struct context ctx = quiet();
    struct npy npy;
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(read_fixture(&ctx, f32[k], &npy), STATUS_OK);
        assert_int_equal(npy.element, ELEMENT_F32);
        assert_shape(&npy.shape, k < 2 ? "[3,4]" : "[3,4,2]");
        for (int64_t i = 0; i < shape_elements(&npy.shape); i++)
            assert_true(((float *)npy.data)[i] == (float)i / 4 - 1);
        npy_free(&ctx, &npy);
        assert_null(npy.data);
    }
    assert_int_equal(read_fixture(&ctx, "f64_2x3x2", &npy), STATUS_OK);
    assert_int_equal(npy.element, ELEMENT_F64);
    assert_shape(&npy.shape, "[2,3,2]");
    for (int i = 0; i < 12; i++)
        assert_true(((double *)npy.data)[i] == (double)i / 4 - 1);
    npy_free(&ctx, &npy);
    assert_int_equal(read_fixture(&ctx, "f64_scalar", &npy), STATUS_OK);
    assert_int_equal(npy.shape.rank, 0);
    assert_true(((double *)npy.data)[0] == 0.1);
    npy_free(&ctx, &npy);
    assert_int_equal(read_fixture(&ctx, "i64_5", &npy), STATUS_OK);
    static const int64_t integers[] = {-1, 0, 1, INT64_C(1) << 62, -(INT64_C(1) << 62)};
    assert_int_equal(npy.element, ELEMENT_I64);
    assert_memory_equal(npy.data, integers, sizeof integers);
    npy_free(&ctx, &npy);
    assert_int_equal(read_fixture(&ctx, "i32_0x3", &npy), STATUS_OK);
    assert_int_equal(npy.element, ELEMENT_I32);
    assert_shape(&npy.shape, "[0,3]");
    assert_non_null(npy.data);
    npy_free(&ctx, &npy);
    assert_int_equal(read_fixture(&ctx, "u8_2x3x2", &npy), STATUS_OK);
    assert_int_equal(npy.element, ELEMENT_U8);
    for (int i = 0; i < 12; i++)
        assert_int_equal(((uint8_t *)npy.data)[i], i);
    npy_free(&ctx, &npy);
    npy_free(&ctx, NULL);
}

static void test_refuses_other_types(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct npy npy;
    static const struct {
        const char *name, *found;
    } cases[] = {{"big_endian", "'>f4'"}, {"boolean", "'|b1'"},
                 {"half", "'<f2'"},       {"complex", "'<c8'"},
                 {"text", "'<U2'"},       {"structured", "a structured type"},
                 {"rank7", "at most 6"},  {"version3_f32_3x4", "found 3.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_failure(&ctx, read_fixture(&ctx, cases[i].name, &npy), STATUS_UNSUPPORTED, cases[i].name, "expected",
                       cases[i].found, NULL);
        assert_null(npy.data);
    }
    expect_failure(&ctx, npy_read(&ctx, "nowhere.npy", &npy), STATUS_IO, "nowhere.npy", "No such file", NULL);
}

/* make: a version 1.0 file with this header text and `numbers` zero bytes; returns its length. */
static size_t make(const char *header, size_t numbers, unsigned char out[512])
{
    size_t length = strlen(header);
    memset(out, 0, 512);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (unsigned char)length;
    out[9] = (unsigned char)(length >> 8);
    memcpy(out + 10, header, length);
    assert_true(10 + length + numbers <= 512);
    return 10 + length + numbers;
}

static void test_refuses_broken_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t numbers;
        enum status status;
        const char *message;
    } cases[] = {
        {"", 0, STATUS_BAD_INPUT, "expected \"{\""},
        {"{'descr': '<f4'", 0, STATUS_BAD_INPUT, "a comma or the header's end"},
        {"{'descr': '<f4'}", 0, STATUS_BAD_INPUT, "\"fortran_order\" is missing"},
        {"{'fortran_order': False, 'shape': ()}", 4, STATUS_BAD_INPUT, "\"descr\" is missing"},
        {"{'descr': '<f4', 'fortran_order': False}", 4, STATUS_BAD_INPUT, "\"shape\" is missing"},
        {"{'descr': '<f4', 'descr': '<f4'}", 4, STATUS_BAD_INPUT, "found \"descr\" twice"},
        {"{'colour': 1}", 4, STATUS_BAD_INPUT, "found \"colour\""},
        {"{'descr' '<f4'}", 4, STATUS_BAD_INPUT, "\":\" behind a key"},
        {"{'descr': 4}", 4, STATUS_BAD_INPUT, "an element type in quotes, found \"4}\""},
        {"{'descr': '<f4', 'fortran_order': 0}", 4, STATUS_BAD_INPUT, "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 3}", 4, STATUS_BAD_INPUT, "a shape in parentheses"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", 4, STATUS_BAD_INPUT,
         "a dimension, found \"-3,)}\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3", 12, STATUS_BAD_INPUT, "the end of the shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x", 12, STATUS_BAD_INPUT,
         "the header's end, found \"x"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4, STATUS_BAD_SHAPE, "2^31"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536)}", 4, STATUS_BAD_SHAPE, "[65536,65536]"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 11, STATUS_BAD_INPUT, "cut short: f32[3] needs 12"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 13, STATUS_BAD_INPUT, "bytes behind its end"},
        {"{'descr': '\x01\xff', 'fortran_order': False, 'shape': (3,)}", 13, STATUS_UNSUPPORTED, "found '\?\?'"},
    };
    struct context ctx = quiet();
    struct npy npy;
    unsigned char bytes[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = make(cases[i].header, cases[i].numbers, bytes);
        expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, count, &npy), cases[i].status, "a.npy: ", cases[i].message,
                       NULL);
    }
    expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, 0, &npy), STATUS_BAD_INPUT, "an empty file", NULL);
    expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, 9, &npy), STATUS_BAD_INPUT, "not an NPY file", NULL);
    expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, 40, &npy), STATUS_BAD_INPUT, "the header alone needs", NULL);
    bytes[6] = 2;
    expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, 11, &npy), STATUS_BAD_INPUT, "cut short", NULL);
    bytes[0] = 'x';
    expect_failure(&ctx, npy_parse(&ctx, "a.npy", bytes, 100, &npy), STATUS_BAD_INPUT, "x93NUMPY", NULL);
    /* quotes and order as no NumPy writes them, but as its reader takes them */
    size_t count = make(" { \"shape\" : ( 2 , ) , \"fortran_order\":True,\"descr\":\"<f4\" , } \n", 8, bytes);
    assert_int_equal(npy_parse(&ctx, "a.npy", bytes, count, &npy), STATUS_OK);
    assert_shape(&npy.shape, "[2]");
    npy_free(&ctx, &npy);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[512];
    struct context ctx = quiet();
    size_t count = make("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }   \n", 32, bytes);
    for (size_t cut = 0; cut < count; cut++) {
        struct npy npy;
        unsigned char *exact = malloc(cut + 1); /* so that a sanitizer sees a look behind the end */
        memcpy(exact, bytes, cut);
        exact = realloc(exact, cut > 0 ? cut : 1);
        expect_failure(&ctx, npy_parse(&ctx, "a.npy", exact, cut, &npy), STATUS_BAD_INPUT, "a.npy", NULL);
        free(exact);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    static const struct shape shapes[] = {{0, {0}}, {1, {7}}, {2, {3, 0}}, {6, {1, 2, 1, 2, 1, 3}}};
    static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64, ELEMENT_I64,
                                            ELEMENT_I32, ELEMENT_U32, ELEMENT_U8};
    struct context ctx = quiet();
    unsigned char numbers[12 * 8];
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (unsigned char)(7 * i + 1);
    for (size_t s = 0; s < 4; s++) {
        for (size_t e = 0; e < 6; e++) {
            struct npy npy;
            assert_int_equal(npy_write(&ctx, "back.npy", elements[e], &shapes[s], numbers), STATUS_OK);
            assert_int_equal(npy_read(&ctx, "back.npy", &npy), STATUS_OK);
            assert_int_equal(npy.element, elements[e]);
            assert_true(shape_equal(&npy.shape, &shapes[s]));
            assert_memory_equal(npy.data, numbers, (size_t)shape_elements(&npy.shape) * element_size(npy.element));
            npy_free(&ctx, &npy);
        }
    }
    /* the same bytes as NumPy's */
    struct npy npy;
    char path[TEST_PATH_SIZE];
    assert_int_equal(read_fixture(&ctx, "f32_3x4", &npy), STATUS_OK);
    assert_int_equal(npy_write(&ctx, "back.npy", npy.element, &npy.shape, npy.data), STATUS_OK);
    FILE *ours = fopen("back.npy", "rb"), *theirs = fopen(test_source("format/fixtures/f32_3x4.npy", path), "rb");
    char a[1024], b[1024];
    assert_non_null(ours);
    assert_non_null(theirs);
    size_t count = fread(a, 1, sizeof a, ours);
    assert_int_equal(count, fread(b, 1, sizeof b, theirs));
    assert_memory_equal(a, b, count);
    fclose(ours);
    fclose(theirs);
    npy_free(&ctx, &npy);
}

static void test_streamed_rows(void **state)
{
    (void)state;
    struct context ctx = quiet();
    const struct shape shape = SHAPE(5, 3);
    float rows[15];
    for (int i = 0; i < 15; i++)
        rows[i] = (float)i;
    struct npy_writer *writer = npy_writer_new(&ctx, "rows.npy", ELEMENT_F32, &shape);
    assert_non_null(writer);
    assert_int_equal(npy_writer_rows(writer, rows, 2), STATUS_OK);
    assert_int_equal(npy_writer_rows(writer, rows, 0), STATUS_OK);
    assert_int_equal(npy_writer_rows(writer, rows + 6, 3), STATUS_OK);
    assert_int_equal(npy_writer_finish(writer), STATUS_OK);
    struct npy npy;
    assert_int_equal(npy_read(&ctx, "rows.npy", &npy), STATUS_OK);
    assert_memory_equal(npy.data, rows, sizeof rows);
    npy_free(&ctx, &npy);

    writer = npy_writer_new(&ctx, "short.npy", ELEMENT_F32, &shape);
    assert_int_equal(npy_writer_rows(writer, rows, 4), STATUS_OK);
    expect_failure(&ctx, npy_writer_finish(writer), STATUS_BAD_SHAPE, "short.npy", "expected 5 rows, got 4", NULL);
    assert_null(fopen("short.npy", "rb"));
    writer = npy_writer_new(&ctx, "discarded.npy", ELEMENT_F32, &shape);
    npy_writer_discard(writer);
    npy_writer_discard(NULL);
    assert_null(fopen("discarded.npy", "rb"));
    assert_null(npy_writer_new(&ctx, "no/folder.npy", ELEMENT_F32, &shape));
    expect_failure(&ctx, ctx.error.status, STATUS_IO, "no/folder.npy", NULL);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    const struct shape shape = SHAPE(2, 2), scalar = SHAPE_SCALAR;
    const float numbers[] = {1, 2, 3, 4};
    struct npy npy;
    RETURN_IF(npy_write(ctx, "fault.npy", ELEMENT_F32, &scalar, numbers));
    RETURN_IF(npy_write(ctx, "fault.npy", ELEMENT_F32, &shape, numbers));
    RETURN_IF(npy_read(ctx, "fault.npy", &npy));
    npy_free(ctx, &npy);
    RETURN_IF(read_fixture(ctx, "fortran_f32_3x4x2", &npy));
    npy_free(ctx, &npy);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 5);
}

static void test_not_finite(void **state)
{
    (void)state;
    const float f32[] = {0, 1, -__builtin_inff()};
    const double f64[] = {0, __builtin_nan(""), 2};
    const int64_t i64[] = {INT64_MAX, INT64_MIN};
    assert_int_equal(format_not_finite(ELEMENT_F32, f32, 3), 2);
    assert_int_equal(format_not_finite(ELEMENT_F32, f32, 2), -1);
    assert_int_equal(format_not_finite(ELEMENT_F64, f64, 3), 1);
    assert_int_equal(format_not_finite(ELEMENT_I64, i64, 2), -1);
    assert_string_equal(format_not_finite_text(ELEMENT_F32, f32, 2), "-inf");
    assert_string_equal(format_not_finite_text(ELEMENT_F64, f64, 1), "NaN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_numpy_wrote),
        cmocka_unit_test(test_refuses_other_types),
        cmocka_unit_test(test_refuses_broken_headers),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_streamed_rows),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
