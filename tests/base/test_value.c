/* test_value.c: trees of values, typed scalars, and what messages say about them. */
#include "base/scalar.h"
#include "base/value.h"
#include "support/fault_loop.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    counted_context(&fixture.ctx);
    fixture.arena = arena_new(&fixture.ctx);
    *state = &fixture;
    return fixture.arena == NULL;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return counted_blocks();
}

/* {name: kd, weight: 0.5, taps: [1, 2, true, null]} */
static struct value *sample(struct arena *arena)
{
    struct value *taps = value_list(arena);
    taps = value_append(arena, taps, value_integer(arena, 1));
    taps = value_append(arena, taps, value_integer(arena, 2));
    taps = value_append(arena, taps, value_boolean(arena, true));
    taps = value_append(arena, taps, value_null(arena));
    struct value *map = value_map(arena);
    map = value_set(arena, map, "name", value_text(arena, "kd"));
    map = value_set(arena, map, "weight", value_real(arena, 0.5));
    return value_set(arena, map, "taps", taps);
}

static void test_tree_is_found_by_path(void **state)
{
    struct fixture *f = *state;
    struct value *map = sample(f->arena);
    assert_string_equal(value_get(map, "name")->text, "kd");
    assert_null(value_get(map, "nam"));
    assert_null(value_get(NULL, "name"));
    assert_null(value_get(value_get(map, "name"), "name"));
    assert_int_equal(value_path(map, "taps.1")->integer, 2);
    assert_true(value_path(map, "taps.1")->real == 2.0);
    assert_int_equal(value_path(map, "taps.2")->kind, VALUE_BOOLEAN);
    assert_null(value_path(map, "taps.4"));
    assert_null(value_path(map, "taps.-1"));
    assert_null(value_path(map, "taps.x"));
    assert_null(value_path(map, "taps."));
    assert_null(value_path(map, "taps.99999999999999999999"));
    assert_null(value_path(map, "name.x"));
    assert_null(value_path(map, ""));
}

static void test_set_replaces(void **state)
{
    struct fixture *f = *state;
    struct value *map = sample(f->arena);
    value_set(f->arena, map, "weight", value_integer(f->arena, 3));
    assert_int_equal(map->count, 3);
    assert_int_equal(value_get(map, "weight")->integer, 3);
    assert_string_equal(map->entries[1].key, "weight");
}

static void test_makers_are_sticky(void **state)
{
    struct fixture *f = *state;
    assert_null(value_append(f->arena, NULL, value_null(f->arena)));
    assert_null(value_append(f->arena, value_list(f->arena), NULL));
    assert_null(value_set(f->arena, NULL, "a", value_null(f->arena)));
    assert_null(value_set(f->arena, value_map(f->arena), "a", NULL));
    assert_int_equal(value_real(f->arena, NAN)->kind, VALUE_NULL);
    assert_int_equal(value_real(f->arena, -INFINITY)->kind, VALUE_NULL);
}

static void test_copy_is_deep(void **state)
{
    struct fixture *f = *state;
    struct value *map = sample(f->arena);
    map->file = "a.yaml";
    map->line = 3;
    map->entries[1].line = 4;
    map->entries[1].column = 5;
    struct value *copy = value_copy(f->arena, map);
    assert_true(value_equal(map, copy));
    assert_string_equal(copy->file, "a.yaml");
    assert_int_equal(copy->line, 3);
    assert_int_equal(copy->entries[1].line, 4);
    assert_int_equal(copy->entries[1].column, 5);
    value_append(f->arena, value_get(copy, "taps"), value_null(f->arena));
    assert_false(value_equal(map, copy));
    assert_int_equal(value_get(map, "taps")->count, 4);
    assert_null(value_copy(f->arena, NULL));
}

static void test_equal_sees_each_difference(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"null", "true",   "false",  "1",      "2",           "1.0",
                                        "2.5",  "one",    "two",    "[]",     "[1]",         "[2]",
                                        "{}",   "{a: 1}", "{b: 1}", "{a: 2}", "{a: 1, b: 1}"};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            assert_int_equal(value_equal(value_flow(f->arena, texts[i]), value_flow(f->arena, texts[j])), i == j);
}

static void test_plain_scalars_are_typed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        enum value_kind kind;
        double real;
    } cases[] = {
        {"", VALUE_NULL, 0},
        {"~", VALUE_NULL, 0},
        {"null", VALUE_NULL, 0},
        {"NULL", VALUE_NULL, 0},
        {"nULL", VALUE_TEXT, 0},
        {"0", VALUE_INTEGER, 0},
        {"-12", VALUE_INTEGER, -12},
        {"+7", VALUE_INTEGER, 7},
        {"0x1F", VALUE_INTEGER, 31},
        {"0o17", VALUE_INTEGER, 15},
        {"010", VALUE_INTEGER, 10},
        {"0x", VALUE_TEXT, 0},
        {"0o8", VALUE_TEXT, 0},
        {"-0x1", VALUE_TEXT, 0},
        {"1_000", VALUE_TEXT, 0},
        {"1e-4", VALUE_REAL, 1e-4},
        {"5E-4", VALUE_REAL, 5e-4},
        {"1e3", VALUE_REAL, 1000},
        {"0.1", VALUE_REAL, 0.1},
        {".5", VALUE_REAL, 0.5},
        {"3.", VALUE_REAL, 3},
        {"-1.5e+2", VALUE_REAL, -150},
        {".", VALUE_TEXT, 0},
        {"e5", VALUE_TEXT, 0},
        {"1e", VALUE_TEXT, 0},
        {"1e+", VALUE_TEXT, 0},
        {"1.2.3", VALUE_TEXT, 0},
        {"+", VALUE_TEXT, 0},
        {"-", VALUE_TEXT, 0},
        {"inf", VALUE_TEXT, 0},
        {"nan", VALUE_TEXT, 0},
        {".inf", VALUE_REAL, INFINITY},
        {"-.Inf", VALUE_REAL, -INFINITY},
        {"1e999", VALUE_REAL, INFINITY},
        {"yes", VALUE_TEXT, 0},
        {"one-cycle", VALUE_TEXT, 0},
        {"9223372036854775807", VALUE_INTEGER, 9223372036854775807.0},
        {"9223372036854775808", VALUE_REAL, 0x1p63},
        {"-9223372036854775808", VALUE_INTEGER, -0x1p63},
        {"0xFFFFFFFFFFFFFFFFF", VALUE_REAL, 0x1p68},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value *value = value_plain(f->arena, cases[i].text);
        if (value->kind != cases[i].kind || value->real != cases[i].real)
            fail_msg("\"%s\": %s, %g", cases[i].text, value_kind_text(value->kind), value->real);
        assert_string_equal(value->text, cases[i].text);
    }
    assert_int_equal(value_plain(f->arena, "9223372036854775807")->integer, INT64_MAX);
    assert_true(isnan(value_plain(f->arena, ".nan")->real));
    assert_true(value_plain(f->arena, "True")->boolean);
    assert_false(value_plain(f->arena, "FALSE")->boolean);
    assert_int_equal(value_plain(f->arena, "FALSE")->kind, VALUE_BOOLEAN);
}

static void assert_round_trip(struct arena *arena, double number)
{
    char text[NUMBER_TEXT_SIZE];
    number_text(number, text);
    struct value *value = value_plain(arena, text);
    if (value->kind != VALUE_REAL || memcmp(&value->real, &number, sizeof number) != 0)
        fail_msg("%.17g became \"%s\"", number, text);
}

static void test_numbers_round_trip(void **state)
{
    struct fixture *f = *state;
    char text[NUMBER_TEXT_SIZE];
    assert_string_equal(number_text(0.1, text), "0.1");
    assert_string_equal(number_text(1.0, text), "1.0");
    assert_string_equal(number_text(-3.0, text), "-3.0");
    assert_string_equal(number_text(1e-5, text), "1e-05");
    assert_string_equal(number_text(1e300, text), "1e+300");
    const double numbers[] = {
        0.0,  -0.0, 1.0 / 3.0, 2.0 / 3.0, 0.1 + 0.2, DBL_MAX,         -DBL_MAX, DBL_MIN, 5e-324, 123456789012345680.0,
        1e15, 1e16, 1e17,      1e22,      1e23,      3.14159265358979};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_round_trip(f->arena, numbers[i]);
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number))
            assert_round_trip(f->arena, number);
        assert_round_trip(f->arena, (double)(bits >> 40) / 1000.0);
    }
    assert_string_equal(value_real(f->arena, 0.25)->text, "0.25");
    assert_string_equal(value_integer(f->arena, INT64_MIN)->text, "-9223372036854775808");
}

static void test_numbers_do_not_heed_the_locale(void **state)
{
    struct fixture *f = *state;
    char text[NUMBER_TEXT_SIZE];
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_NUMERIC, names[i]) == NULL)
            continue; /* not installed */
        assert_string_equal(number_text(1.5, text), "1.5");
        assert_string_equal(number_text(2.0, text), "2.0");
        assert_true(value_plain(f->arena, "2.75")->real == 2.75);
    }
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(number_text(1.5, text), "1.5");
}

static void test_flow_is_read(void **state)
{
    struct fixture *f = *state;
    struct value *list = value_flow(f->arena, "[32, 0.5,word , ]");
    assert_int_equal(list->count, 4);
    assert_int_equal(list->items[0]->integer, 32);
    assert_true(list->items[1]->real == 0.5);
    assert_string_equal(list->items[2]->text, "word");
    assert_int_equal(list->items[3]->kind, VALUE_NULL);
    assert_int_equal(value_flow(f->arena, "[ ]")->count, 0);
    struct value *map = value_flow(f->arena, "{from: 1, to: 4.5, course: cosine}");
    assert_int_equal(map->count, 3);
    assert_true(value_get(map, "to")->real == 4.5);
    assert_string_equal(value_get(map, "course")->text, "cosine");
    assert_int_equal(value_flow(f->arena, "[")->kind, VALUE_TEXT);
}

static void line_keep(void *user, enum log_level level, const char *line)
{
    assert_int_equal(level, LOG_WARNING);
    snprintf(user, 64, "%s", line);
}

static void test_warnings_say_where(void **state)
{
    struct fixture *f = *state;
    struct value value = {.kind = VALUE_REAL, .file = "r.yaml", .line = 3, .column = 9};
    char line[64] = "";
    f->ctx.log_level = LOG_WARNING;
    f->ctx.log = line_keep;
    f->ctx.log_user = line;
    value_warn(&f->ctx, &value, "found %d", 4);
    assert_string_equal(line, "r.yaml:3:9: found 4");
    value_warn(&f->ctx, NULL, "found");
    assert_string_equal(line, "found");
    assert_int_equal(f->ctx.error.status, STATUS_OK);
    f->ctx.log = NULL;
}

static void test_messages_say_where(void **state)
{
    struct fixture *f = *state;
    struct value value = {.kind = VALUE_REAL, .file = "r.yaml", .line = 3, .column = 9};
    assert_int_equal(value_fail(&f->ctx, &value, STATUS_BAD_INPUT, "found %d", 4), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "r.yaml:3:9: found 4");
    error_clear(&f->ctx);
    value.line = 0;
    value_fail(&f->ctx, &value, STATUS_BAD_INPUT, "found");
    assert_string_equal(f->ctx.error.message, "r.yaml: found");
    error_clear(&f->ctx);
    value_fail(&f->ctx, NULL, STATUS_BAD_INPUT, "found");
    assert_string_equal(f->ctx.error.message, "found");
    error_clear(&f->ctx);
    value_fail_at(&f->ctx, "r.yaml", 1, 2, STATUS_IO, "x");
    assert_string_equal(f->ctx.error.message, "r.yaml:1:2: x");
}

static void test_found_quotes_and_cuts(void **state)
{
    struct fixture *f = *state;
    char out[VALUE_FOUND_SIZE];
    assert_string_equal(value_found(value_text(f->arena, "kdd"), out), "\"kdd\"");
    assert_string_equal(value_found(value_plain(f->arena, "1e-4"), out), "1e-4");
    assert_string_equal(value_found(value_boolean(f->arena, true), out), "true");
    assert_string_equal(value_found(value_null(f->arena), out), "nothing");
    assert_string_equal(value_found(NULL, out), "nothing");
    assert_string_equal(value_found(value_list(f->arena), out), "a list");
    assert_string_equal(value_found(value_map(f->arena), out), "a map");
    char text[201] = "";
    for (int i = 0; i < 66; i++)
        strcat(text, "\xE2\x82\xAC"); /* three bytes each; byte 60 begins one */
    assert_int_equal(strlen(value_found(value_text(f->arena, text), out)), 60 + 2 + 3);
    text[0] = 'x';
    memmove(text + 1, text + 3, strlen(text + 3) + 1); /* now byte 60 is within one */
    assert_int_equal(strlen(value_found(value_text(f->arena, text), out)), 58 + 2 + 3);
}

static void assert_nearest(const char *name, const char *expected)
{
    static const char *const names[] = {"kd", "labels", "logits-mse", "temperature", "weight", "warmup"};
    const char *found = nearest_name(name, names, sizeof names / sizeof names[0]);
    if (expected == NULL)
        assert_null(found);
    else
        assert_true(found != NULL && strcmp(found, expected) == 0);
}

static void test_nearest_name(void **state)
{
    (void)state;
    assert_nearest("kdd", "kd");
    assert_nearest("k", "kd");
    assert_nearest("dk", "kd"); /* a swap is one slip */
    assert_nearest("temprature", "temperature");
    assert_nearest("tempertaure", "temperature");
    assert_nearest("lables", "labels");
    assert_nearest("wieght", "weight");
    assert_nearest("logits_mse", "logits-mse");
    assert_nearest("laxyls", "labels"); /* two of six */
    assert_nearest("laxyzs", NULL);     /* three of six */
    assert_nearest("xy", NULL);
    assert_nearest("momentum", NULL);
    assert_nearest("", NULL);
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_nearest(text, NULL);
    assert_null(nearest_name("a", NULL, 0));
}

static enum status build(struct context *ctx, void *user)
{
    (void)user;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    struct value *list = value_list(arena);
    for (int i = 0; i < 100; i++)
        list = value_append(arena, list, sample(arena));
    list = value_append(arena, list, value_flow(arena, "[1, {a: 2}, 3.5]"));
    list = value_append(arena, list, value_flow(arena, "{a: b, c: d}"));
    enum status status = value_copy(arena, list) == NULL ? ctx->error.status : STATUS_OK;
    arena_free(arena);
    return status;
}

static void test_failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_true(fault_loop(build, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree_is_found_by_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_makers_are_sticky, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copy_is_deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_equal_sees_each_difference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain_scalars_are_typed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_do_not_heed_the_locale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flow_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_messages_say_where, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_warnings_say_where, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_found_quotes_and_cuts, set_up, tear_down),
        cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
