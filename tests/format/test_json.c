/* test_json.c: JSON comes back as it was written, number by number. */
#include "format/json.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    context_init(&fixture->ctx);
    fixture->ctx.log_level = LOG_QUIET;
    fixture->arena = arena_new(&fixture->ctx);
    *state = fixture;
    return fixture->arena == NULL;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static struct value *parse(struct fixture *f, const char *text)
{
    struct value *value = NULL;
    assert_int_equal(json_parse(&f->ctx, f->arena, "a.json", text, strlen(text), &value), STATUS_OK);
    return value;
}

static void assert_written(struct fixture *f, const struct value *value, int indent, const char *expected)
{
    struct text text;
    text_init(&text, &f->ctx);
    json_write(value, &text, indent);
    char *bytes = text_take(&text);
    assert_non_null(bytes);
    assert_string_equal(bytes, expected);
    memory_free(&f->ctx, bytes);
}

static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-9223372036854775808",
        "9223372036854775807",
        "1.0",
        "-0.0",
        "0.1",
        "1e+300",
        "2.5e-05",
        "\"\"",
        "\"a\\\"b\\\\c\\n\\t\\u0001/ü€😀\"",
        "[]",
        "{}",
        "[1,2.5,\"x\",[],{}]",
        "{\"b\":1,\"a\":{\"d\":[{}],\"c\":null}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_written(f, parse(f, texts[i]), 0, texts[i]);
    assert_int_equal(parse(f, " 12 ")->kind, VALUE_INTEGER);
    assert_int_equal(parse(f, "12.0")->kind, VALUE_REAL);
    assert_written(f, NULL, 0, "null");
}

static void test_numbers_round_trip(void **state)
{
    struct fixture *f = *state;
    const double numbers[] = {0.1, 1.0 / 3, DBL_MAX, DBL_MIN, 5e-324, 1e22, 123456789012345680.0, -2.5, 92.53e-2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct text text;
        text_init(&text, &f->ctx);
        json_write_real(numbers[i], &text);
        char *bytes = text_take(&text);
        const struct value *value = parse(f, bytes);
        assert_int_equal(value->kind, VALUE_REAL);
        assert_true(value->real == numbers[i]);
        memory_free(&f->ctx, bytes);
    }
    assert_written(f, value_real(f->arena, 0.925), 0, "0.925");
    struct value bad = {.kind = VALUE_REAL, .real = NAN};
    assert_written(f, &bad, 0, "null");
    bad.real = -INFINITY;
    assert_written(f, &bad, 2, "null");
}

static void test_indented(void **state)
{
    struct fixture *f = *state;
    assert_written(f, parse(f, "{\"a\":[1,2],\"b\":[{\"c\":1},[]],\"d\":{}}"), 2,
                   "{\n  \"a\": [1, 2],\n  \"b\": [\n    {\n      \"c\": 1\n    },\n    []\n  ],\n  \"d\": {}\n}");
}

static void test_bytes_that_are_not_text(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct text text;
        text_init(&text, &f->ctx);
        json_write(value_text(f->arena, bad[i]), &text, 0);
        char *bytes = text_take(&text);
        assert_non_null(strstr(bytes, "\xef\xbf\xbd"));
        parse(f, bytes); /* which refuses what is not UTF-8 */
        memory_free(&f->ctx, bytes);
    }
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "a.json:1:"},
        {"{\"a\": 1,\n \"b\": }", "a.json:2:7: not valid JSON"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"[1] 2", "end of file expected"},
        {"\"\\u0000\"", "not valid JSON"},
        {"\"\xff\"", "unable to decode byte 0xff"},
        {"1e999", "real number overflow"},
        {"99999999999999999999", "too big integer"},
        {"nan", "not valid JSON"},
    };
    struct value *value = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum status status = json_parse(&f->ctx, f->arena, "a.json", cases[i].text, strlen(cases[i].text), &value);
        assert_null(value);
        expect_failure(&f->ctx, status, STATUS_BAD_INPUT, "a.json:", cases[i].message, NULL);
    }
    char deep[10000];
    memset(deep, '[', sizeof deep);
    expect_failure(&f->ctx, json_parse(&f->ctx, f->arena, "a.json", deep, sizeof deep, &value), STATUS_BAD_INPUT,
                   "maximum parsing depth", NULL);
    expect_failure(&f->ctx, json_read(&f->ctx, f->arena, "nowhere.json", &value), STATUS_IO, "nowhere.json", NULL);
    test_file_put("a.json", "[1]", 3);
    assert_int_equal(json_read(&f->ctx, f->arena, "a.json", &value), STATUS_OK);
    assert_int_equal(value->count, 1);
}

static enum status work(struct context *ctx, void *user)
{
    static const char example[] = "{\"a\":[1,2.5,\"x\",null,true,{\"b\":[]}],\"c\":\"a text\"}";
    (void)user;
    enum status status = STATUS_OK;
    struct value *value = NULL;
    struct text text;
    text_init(&text, ctx);
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(json_parse(ctx, arena, "a.json", example, sizeof example - 1, &value));
    json_write(value, &text, 4);
    char *bytes = text_take(&text);
    if (bytes == NULL)
        status = ctx->error.status;
    memory_free(ctx, bytes);

cleanup:
    text_free(&text);
    arena_free(arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_indented, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_not_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
