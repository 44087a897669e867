/* test_safetensors.c: named tensors come back; a header that lies is refused by name. */
#include "format/safetensors.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <math.h>
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

static void test_reads_the_definition(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct safetensors file;
    char path[TEST_PATH_SIZE];
    assert_int_equal(safetensors_read(&ctx, test_source("format/fixtures/example.safetensors", path), &file),
                     STATUS_OK);
    assert_int_equal(file.count, 5);
    assert_string_equal(file.tensors[0].name, "bytes");
    assert_string_equal(file.tensors[4].name, "count");
    const struct safetensor *weight = safetensors_find(&file, "conv.weight");
    assert_non_null(weight);
    assert_int_equal(weight->tensor.element, ELEMENT_F32);
    assert_int_equal(weight->tensor.shape.dim[1], 3);
    assert_int_equal((uintptr_t)weight->tensor.data % 64, 0);
    for (int i = 0; i < 6; i++)
        assert_true(((float *)weight->tensor.data)[i] == (float)i / 4 - 1);
    assert_true(*(double *)safetensors_find(&file, "scale")->tensor.data == 0.1);
    assert_true(*(int64_t *)safetensors_find(&file, "count")->tensor.data == 7);
    assert_int_equal(shape_elements(&safetensors_find(&file, "none")->tensor.shape), 0);
    assert_null(safetensors_find(&file, "conv"));
    assert_string_equal(safetensors_text(&file, "retort.network"), "{\"layers\": []}");
    assert_string_equal(safetensors_text(&file, "note"), "für alle");
    assert_null(safetensors_text(&file, "nothing"));
    safetensors_free(&ctx, &file);
    safetensors_free(&ctx, NULL);
}

/* parse: a file with this header and `data` zero bytes behind it. */
static enum status parse(struct context *ctx, const char *header, size_t data, struct safetensors *out)
{
    size_t length = strlen(header), count = 8 + length + data;
    unsigned char *bytes = calloc(count, 1);
    assert_non_null(bytes);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    enum status status = safetensors_parse(ctx, "m.st", bytes, count, out);
    free(bytes);
    return status;
}

#define ENTRY(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_refuses_headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        enum status status;
        const char *message;
    } cases[] = {
        {"[]", 0, STATUS_BAD_INPUT, "the header is not a map"},
        {"{\"a\":", 0, STATUS_BAD_INPUT, "not valid JSON: line 1"},
        {"{\"a\":1,\"a\":1}", 0, STATUS_BAD_INPUT, "duplicate"},
        {"{\"a\":1}", 0, STATUS_BAD_INPUT, "tensor \"a\": expected a text \"dtype\""},
        {"{\"a\":" ENTRY("F16", "[2]", "[0,4]") "}", 4, STATUS_UNSUPPORTED,
         "expected dtype F32, F64, I64, I32, U32 or U8, found F16"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 4, STATUS_BAD_INPUT, "expected a list \"shape\""},
        {"{\"a\":" ENTRY("F32", "[1,1,1,1,1,1,1]", "[0,4]") "}", 4, STATUS_UNSUPPORTED,
         "at most 6 dimensions, found 7"},
        {"{\"a\":" ENTRY("F32", "[-1]", "[0,4]") "}", 4, STATUS_BAD_INPUT, "dimension 0: expected an integer"},
        {"{\"a\":" ENTRY("F32", "[65536,65536]", "[0,4]") "}", 4, STATUS_BAD_SHAPE, "too large"},
        {"{\"a\":" ENTRY("F32", "[9223372036854775807,9]", "[0,4]") "}", 4, STATUS_BAD_SHAPE, "too large"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, STATUS_BAD_INPUT, "expected \"data_offsets\""},
        {"{\"a\":" ENTRY("F32", "[1]", "[0]") "}", 4, STATUS_BAD_INPUT, "expected \"data_offsets\": [begin, end]"},
        {"{\"a\":" ENTRY("F32", "[1]", "[0,8]") "}", 4, STATUS_BAD_INPUT,
         "its bytes 0 to 8 lie outside of the file's 4"},
        {"{\"a\":" ENTRY("F32", "[1]", "[4,0]") "}", 4, STATUS_BAD_INPUT, "lie outside"},
        {"{\"a\":" ENTRY("F32", "[1]", "[-4,0]") "}", 4, STATUS_BAD_INPUT, "lie outside"},
        {"{\"a\":" ENTRY("F32", "[2]", "[0,4]") "}", 4, STATUS_BAD_INPUT, "f32[2] needs 8 bytes, its offsets give 4"},
        {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") ",\"b\":" ENTRY("F32", "[1]", "[2,6]") "}", 6, STATUS_BAD_INPUT,
         "tensors \"a\" and \"b\" overlap"},
        {"{\"a\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, STATUS_BAD_INPUT,
         "4 bytes in front of tensor \"a\" belong to no"},
        {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") "}", 6, STATUS_BAD_INPUT, "2 bytes at the end belong to no tensor"},
        {"{\"__metadata__\":[]}", 0, STATUS_BAD_INPUT, "expected a map \"__metadata__\""},
        {"{\"__metadata__\":{\"k\":1}}", 0, STATUS_BAD_INPUT, "metadata \"k\": expected a text"},
    };
    struct context ctx = quiet();
    struct safetensors file;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_failure(&ctx, parse(&ctx, cases[i].header, cases[i].data, &file), cases[i].status,
                       "m.st: ", cases[i].message, NULL);
        assert_null(file.arena);
    }
    /* out of order in the header, in order in the file: fine */
    assert_int_equal(parse(&ctx,
                           "{\"a\":" ENTRY("F32", "[1]", "[4,8]") ",\"e\":" ENTRY(
                               "F32", "[0]", "[4,4]") ",\"b\":" ENTRY("F32", "[]", "[0,4]") "} ",
                           8, &file),
                     STATUS_OK);
    assert_int_equal(file.tensors[2].tensor.shape.rank, 0);
    safetensors_free(&ctx, &file);
}

static void test_refuses_other_files(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct safetensors file;
    const unsigned char large[] = "\x93NUMPY\x01\x00 and more than that";
    const unsigned char cut[] = {20, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    expect_failure(&ctx, safetensors_parse(&ctx, "m.st", large, 0, &file), STATUS_BAD_INPUT, "an empty file", NULL);
    expect_failure(&ctx, safetensors_parse(&ctx, "m.st", large, 7, &file), STATUS_BAD_INPUT, "only 7 bytes", NULL);
    expect_failure(&ctx, safetensors_parse(&ctx, "m.st", large, sizeof large, &file), STATUS_BAD_INPUT,
                   "not a safetensors file: a header of", NULL);
    expect_failure(&ctx, safetensors_parse(&ctx, "m.st", cut, sizeof cut, &file), STATUS_BAD_INPUT,
                   "m.st: cut short: the header needs 20 bytes, found 2", NULL);
    expect_failure(&ctx, safetensors_read(&ctx, "nowhere.st", &file), STATUS_IO, "nowhere.st", NULL);
}

static float weights[6] = {1, 2, 3, 4, 5, 6};
static double scale = 0.1;
static struct safetensor example_tensors[] = {
    {"conv.weight", {ELEMENT_F32, {2, {2, 3}}, weights}},
    {"scale", {ELEMENT_F64, {0, {0}}, &scale}},
    {"none", {ELEMENT_I32, {1, {0}}, NULL}},
};
static struct safetensors_entry example_metadata[] = {{"z", "\"quoted\"\n"}, {"a", ""}};
static const struct safetensors example = {
    .count = 3, .tensors = example_tensors, .metadata_count = 2, .metadata = example_metadata};

static void test_round_trip(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct safetensors file;
    assert_int_equal(safetensors_write(&ctx, "m.st", &example), STATUS_OK);
    assert_int_equal(safetensors_read(&ctx, "m.st", &file), STATUS_OK);
    assert_int_equal(file.count, 3);
    assert_string_equal(file.tensors[0].name, "conv.weight");
    assert_memory_equal(file.tensors[0].tensor.data, weights, sizeof weights);
    assert_true(*(double *)file.tensors[1].tensor.data == scale);
    assert_int_equal(file.metadata_count, 2);
    assert_string_equal(file.metadata[0].key, "z");
    assert_string_equal(safetensors_text(&file, "z"), "\"quoted\"\n");
    safetensors_free(&ctx, &file);

    unsigned char head[8];
    FILE *raw = fopen("m.st", "rb");
    assert_non_null(raw);
    assert_int_equal(fread(head, 1, 8, raw), 8);
    fclose(raw);
    assert_int_equal(head[0] % 8, 0); /* the tensors are aligned in the file */

    const struct safetensors nothing = {0};
    assert_int_equal(safetensors_write(&ctx, "n.st", &nothing), STATUS_OK);
    assert_int_equal(safetensors_read(&ctx, "n.st", &file), STATUS_OK);
    assert_int_equal(file.count, 0);
    safetensors_free(&ctx, &file);
    expect_failure(&ctx, safetensors_write(&ctx, "no/m.st", &example), STATUS_IO, "no/m.st", NULL);
}

static void test_names_what_is_not_finite(void **state)
{
    (void)state;
    struct context ctx = quiet();
    assert_int_equal(safetensors_check_finite(&ctx, "m.st", &example), STATUS_OK);
    weights[4] = (float)NAN;
    expect_failure(&ctx, safetensors_check_finite(&ctx, "m.st", &example), STATUS_NOT_FINITE,
                   "m.st: tensor \"conv.weight\" at [1,1]: expected a finite number, found NaN", NULL);
    weights[4] = 5;
    scale = -INFINITY;
    expect_failure(&ctx, safetensors_check_finite(&ctx, "m.st", &example), STATUS_NOT_FINITE, "\"scale\"", "found -inf",
                   NULL);
    scale = 0.1;
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    struct safetensors file;
    RETURN_IF(safetensors_write(ctx, "fault.st", &example));
    RETURN_IF(safetensors_read(ctx, "fault.st", &file));
    safetensors_free(ctx, &file);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_definition),     cmocka_unit_test(test_refuses_headers_that_lie),
        cmocka_unit_test(test_refuses_other_files),      cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_names_what_is_not_finite), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
