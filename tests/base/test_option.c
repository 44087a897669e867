/* test_option.c: options are bound from what a recipe says, and each mistake in it has its message. */
#include "base/option.h"
#include "base/real.h"
#include "base/scalar.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct all {
    double rate;
    struct real temperature;
    int64_t steps;
    bool nesterov;
    int mode;
    const char *file;
    struct option_pair kernel;
    struct option_integers widths;
    struct option_reals betas;
    struct option_texts taps;
    const struct value *network;
};

static const char *const modes[] = {"auto", "true", "mean-logit", NULL};

#define AT(field) .offset = offsetof(struct all, field)
static const struct option_spec specs[] = {
    {"rate", OPTION_REAL, AT(rate), .initial = "0.1", .max = 1.0, .flags = OPTION_BELOW_MAX, .help = "step size"},
    {"temperature", OPTION_SCHEDULED, AT(temperature), .initial = "4", .max = INFINITY, .flags = OPTION_ABOVE_MIN},
    {"steps", OPTION_INTEGER, AT(steps), .min = 1, .max = 1000, .initial = "10"},
    {"nesterov", OPTION_BOOLEAN, AT(nesterov)},
    {"mode", OPTION_CHOICE, AT(mode), .initial = "mean-logit", .choices = modes},
    {"file", OPTION_TEXT, AT(file)},
    {"kernel", OPTION_PAIR, AT(kernel), .initial = "[3, 5]", .min = 1, .max = 64},
    {"widths", OPTION_INTEGERS, AT(widths), .initial = "[8, 16]", .min = 1, .max = 4096},
    {"betas", OPTION_REALS, AT(betas)},
    {"taps", OPTION_TEXTS, AT(taps), .initial = "[stem, block2]"},
    {"network", OPTION_VALUE, AT(network)},
};
static const struct option_set set = {specs, sizeof specs / sizeof specs[0]};

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

static void test_defaults_apply(void **state)
{
    struct fixture *f = *state;
    struct all all;
    memset(&all, 0xAA, sizeof all);
    assert_int_equal(options_bind(&f->ctx, f->arena, set, NULL, "method x", &all), STATUS_OK);
    assert_true(all.rate == 0.1);
    assert_true(all.temperature.value == 4.0 && !real_changes(&all.temperature));
    assert_int_equal(all.steps, 10);
    assert_false(all.nesterov);
    assert_int_equal(all.mode, 2);
    assert_null(all.file);
    assert_int_equal(all.kernel.height, 3);
    assert_int_equal(all.kernel.width, 5);
    assert_int_equal(all.widths.count, 2);
    assert_int_equal(all.widths.values[1], 16);
    assert_int_equal(all.betas.count, 0);
    assert_int_equal(all.taps.count, 2);
    assert_string_equal(all.taps.values[1], "block2");
    assert_null(all.network);
    memset(&all, 0xAA, sizeof all);
    assert_int_equal(options_bind(&f->ctx, f->arena, set, value_null(f->arena), "method x", &all), STATUS_OK);
    assert_int_equal(all.steps, 10);
}

/* bind: the options of a flow map, which stands at r.yaml:12:3 with its values at 12:7. */
static enum status bind(struct fixture *f, const char *text, struct all *all)
{
    struct value *map = value_flow(f->arena, text);
    map->file = "r.yaml";
    map->line = 12;
    map->column = 3;
    for (size_t i = 0; map->kind == VALUE_MAP && i < map->count; i++) {
        map->entries[i].line = 12;
        map->entries[i].column = 5;
        struct value *value = map->entries[i].value;
        if (value->kind == VALUE_TEXT && strchr("[{", value->text[0]) != NULL) {
            /* `a: [1; 2]`: a list or map within, which value_flow itself does not nest */
            char *inner = arena_text(f->arena, value->text);
            for (char *at = inner; *at != '\0'; at++)
                *at = (char)(*at == ';' ? ',' : *at == '=' ? ':' : *at);
            value = map->entries[i].value = value_flow(f->arena, inner);
        }
        value->file = "r.yaml";
        value->line = 12;
        value->column = 7;
        for (size_t j = 0; j < value->count; j++) {
            struct value *item = value->kind == VALUE_LIST ? value->items[j] : value->entries[j].value;
            item->file = "r.yaml";
            item->line = 13;
            item->column = (int)j + 1;
        }
    }
    error_clear(&f->ctx);
    return options_bind(&f->ctx, f->arena, set, map, "method kd", all);
}

static void test_values_are_bound(void **state)
{
    struct fixture *f = *state;
    struct all all;
    assert_int_equal(bind(f,
                          "{rate: 0, temperature: {from=1; to=8; over=0.5; course=cosine}, steps: 1e2, nesterov: true, "
                          "mode: true, file: 2020, kernel: 7, widths: [1;2;3], betas: 0.9, taps: conv1, network: cnn}",
                          &all),
                     STATUS_OK);
    assert_true(all.rate == 0.0);
    assert_true(all.temperature.value == 1.0 && all.temperature.to == 8.0 && all.temperature.over == 0.5);
    assert_int_equal(all.temperature.course, REAL_COSINE);
    assert_int_equal(all.steps, 100);
    assert_true(all.nesterov);
    assert_int_equal(all.mode, 1);
    assert_string_equal(all.file, "2020");
    assert_int_equal(all.kernel.height, 7);
    assert_int_equal(all.kernel.width, 7);
    assert_int_equal(all.widths.count, 3);
    assert_int_equal(all.widths.values[2], 3);
    assert_true(all.betas.count == 1 && all.betas.values[0] == 0.9);
    assert_true(all.taps.count == 1 && strcmp(all.taps.values[0], "conv1") == 0);
    assert_string_equal(all.network->text, "cnn");
    assert_int_equal(bind(f, "{file: null, betas: null, network: null, widths: []}", &all), STATUS_OK);
    assert_true(all.file == NULL && all.betas.count == 0 && all.network == NULL && all.widths.count == 0);
    assert_int_equal(bind(f, "{temperature: {from=1; to=2}}", &all), STATUS_OK);
    assert_int_equal(all.temperature.course, REAL_LINEAR);
    assert_true(all.temperature.over == 1.0);
}

static void assert_written(struct fixture *f, const char *text, const char *expected)
{
    struct all all;
    assert_int_equal(bind(f, text, &all), STATUS_OK);
    const struct value *written = value_get(options_value(f->arena, set, &all), "temperature");
    assert_true(value_equal(written, value_flow(f->arena, expected)));
}

/* What a recipe leaves out of a course in epochs, or could not say before there were any, is not written. */
static void test_a_course_is_written_as_it_was_said(void **state)
{
    struct fixture *f = *state;
    assert_written(f, "{temperature: {from=1; to=2}}", "{from: 1.0, to: 2.0, over: 1.0, course: linear}");
    assert_written(f, "{temperature: {from=1; to=2; epochs=3; course=step}}",
                   "{from: 1.0, to: 2.0, course: step, epochs: 3.0}");
    assert_written(f, "{temperature: {from=1; to=2; whole=true; course=ramp}}",
                   "{from: 1.0, to: 2.0, over: 1.0, course: ramp, whole: true}");
}

static void assert_refused(struct fixture *f, const char *text, const char *message)
{
    struct all all;
    assert_int_equal(bind(f, text, &all), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, message);
}

static void test_unknown_key_names_the_nearest(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "{temprature: 4}",
                   "r.yaml:12:5: method kd has no option \"temprature\"; nearest: \"temperature\"");
    assert_refused(f, "{zzz: 4}",
                   "r.yaml:12:5: method kd has no option \"zzz\"; it has \"rate\", \"temperature\", \"steps\", "
                   "\"nesterov\", \"mode\", \"file\", \"kernel\", \"widths\", \"betas\", \"taps\", \"network\"");
    struct all all;
    error_clear(&f->ctx);
    struct value *map = value_flow(f->arena, "{a: 1}");
    assert_int_equal(options_bind(&f->ctx, f->arena, (struct option_set){specs, 0}, map, "layer relu", &all),
                     STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "layer relu has no option \"a\"; it has none");
    error_clear(&f->ctx);
    map->file = "r.yaml"; /* the map is the recipe's, the key came with --set */
    map->line = 3;
    value_get(map, "a")->file = "--set a";
    options_bind(&f->ctx, f->arena, set, map, "method kd", &all);
    assert_int_equal(strncmp(f->ctx.error.message, "--set a: method kd has no option \"a\"; ", 38), 0);
}

static void test_wrong_values_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "{rate: 1.5}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found 1.5");
    assert_refused(f, "{rate: 1}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found 1");
    assert_refused(f, "{rate: fast}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found \"fast\"");
    assert_refused(f, "{rate: [1]}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found a list");
    assert_refused(f, "{rate: null}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found nothing");
    assert_refused(f, "{rate: .nan}", "r.yaml:12:7: method kd, \"rate\": expected a number in [0, 1), found .nan");
    assert_refused(f, "{temperature: 0}",
                   "r.yaml:12:7: method kd, \"temperature\": expected a number above 0 or a map {from, to, over or "
                   "epochs, course, whole}, "
                   "found 0");
    assert_refused(f, "{temperature: {from=1; to=0}}",
                   "r.yaml:13:2: method kd, \"temperature\": expected a number above 0 or a map {from, to, over or "
                   "epochs, course, whole}, "
                   "found 0");
    assert_refused(f, "{temperature: {from=1}}",
                   "r.yaml:12:7: method kd, \"temperature\" needs the option \"to\": expected a number, found nothing");
    assert_refused(f, "{temperature: {from=1; to=2; over=0}}",
                   "r.yaml:13:3: method kd, \"temperature\", \"over\": expected a number in (0, 1], found 0");
    assert_refused(f, "{temperature: {from=1; to=2; epochs=0}}",
                   "r.yaml:13:3: method kd, \"temperature\", \"epochs\": expected a number above 0, found 0");
    assert_refused(
        f, "{temperature: {from=1; to=2; over=1; epochs=3}}",
        "r.yaml:13:4: method kd, \"temperature\": expected \"over\" or \"epochs\", found both; leave one out");
    assert_refused(f, "{steps: 1001}",
                   "r.yaml:12:7: method kd, \"steps\": expected an integer in [1, 1000], found 1001");
    assert_refused(f, "{steps: 1.5}", "r.yaml:12:7: method kd, \"steps\": expected an integer in [1, 1000], found 1.5");
    assert_refused(f, "{nesterov: 1}", "r.yaml:12:7: method kd, \"nesterov\": expected true or false, found 1");
    assert_refused(f, "{mode: mean-logits}",
                   "r.yaml:12:7: method kd, \"mode\": expected one of \"auto\", \"true\", \"mean-logit\", found "
                   "\"mean-logits\"; nearest: \"mean-logit\"");
    assert_refused(
        f, "{mode: [a]}",
        "r.yaml:12:7: method kd, \"mode\": expected one of \"auto\", \"true\", \"mean-logit\", found a list");
    assert_refused(f, "{file: true}", "r.yaml:12:7: method kd, \"file\": expected a text, found true");
    assert_refused(
        f, "{kernel: [3; 3; 3]}",
        "r.yaml:12:7: method kd, \"kernel\": expected an integer in [1, 64] or [height, width], found a list");
    assert_refused(f, "{kernel: [3; 0]}",
                   "r.yaml:13:2: method kd, \"kernel\": expected an integer in [1, 64] or [height, width], found 0");
    assert_refused(f, "{widths: [3; x]}",
                   "r.yaml:13:2: method kd, \"widths\": expected a list of integers in [1, 4096], found \"x\"");
    assert_refused(f, "{betas: [0.9; x]}",
                   "r.yaml:13:2: method kd, \"betas\": expected a list of numbers, found \"x\"");
    assert_refused(f, "{taps: [conv1; null]}",
                   "r.yaml:13:2: method kd, \"taps\": expected a list of texts, found nothing");
    assert_refused(f, "[1]", "r.yaml:12:3: method kd: expected a map of options, found a list");
}

static void test_required_option_is_demanded(void **state)
{
    struct fixture *f = *state;
    static const struct option_spec needed[] = {
        {"out", OPTION_INTEGER, 0, .min = 1, .max = 65536, .flags = OPTION_REQUIRED},
    };
    int64_t out = 0;
    struct value *map = value_map(f->arena);
    map->file = "r.yaml";
    map->line = 2;
    map->column = 4;
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(needed), map, "layer conv", &out), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "r.yaml:2:4: layer conv needs the option \"out\": expected an integer in "
                                              "[1, 65536], found nothing");
    error_clear(&f->ctx);
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(needed), NULL, "layer conv", &out), STATUS_BAD_INPUT);
    error_clear(&f->ctx);
    map = value_flow(f->arena, "{out: 3}");
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(needed), map, "layer conv", &out), STATUS_OK);
    assert_int_equal(out, 3);
}

static void test_range_open_on_one_side(void **state)
{
    struct fixture *f = *state;
    double out = 0.0;
    static const struct option_spec low[] = {{"a", OPTION_REAL, 0, .min = 0, .max = INFINITY}};
    static const struct option_spec high[] = {{"a", OPTION_REAL, 0, .min = -INFINITY, .max = 2}};
    struct value *map = value_flow(f->arena, "{a: -1}");
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(high), map, "x", &out), STATUS_OK);
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(low), map, "x", &out), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "x, \"a\": expected a number of at least 0, found -1");
    error_clear(&f->ctx);
    map = value_flow(f->arena, "{a: 3}");
    assert_int_equal(options_bind(&f->ctx, f->arena, OPTION_SET(high), map, "x", &out), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "x, \"a\": expected a number of at most 2, found 3");
}

static void test_resolved_options_read_back(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[] = {
        "{}",
        ("{rate: 0.3, temperature: {from=1; to=8; over=0.25; course=cosine}, steps: 3, nesterov: true, mode: auto, "
         "file: a.npz, kernel: [3;4], widths: [5], betas: [0.9;0.999], taps: [a;b;c], network: {name=cnn}}"),
        "{kernel: 3, widths: [1;2;3], temperature: 1.5}",
        "{temperature: {from=1; to=8; epochs=30; course=ramp; whole=true}}",
        "{temperature: {from=1; to=8; over=0.5; course=step}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct all first, second;
        assert_int_equal(bind(f, cases[i], &first), STATUS_OK);
        struct value *map = options_value(f->arena, set, &first);
        assert_non_null(map);
        assert_int_equal(options_bind(&f->ctx, f->arena, set, map, "method kd", &second), STATUS_OK);
        assert_true(first.rate == second.rate);
        assert_true(first.temperature.value == second.temperature.value);
        assert_true(first.temperature.to == second.temperature.to);
        assert_true(first.temperature.over == second.temperature.over);
        assert_true(first.temperature.epochs == second.temperature.epochs);
        assert_int_equal(first.temperature.whole, second.temperature.whole);
        assert_int_equal(first.temperature.course, second.temperature.course);
        assert_int_equal(first.steps, second.steps);
        assert_int_equal(first.nesterov, second.nesterov);
        assert_int_equal(first.mode, second.mode);
        assert_memory_equal(&first.kernel, &second.kernel, sizeof first.kernel);
        assert_int_equal(first.widths.count, second.widths.count);
        assert_int_equal(first.betas.count, second.betas.count);
        assert_int_equal(first.taps.count, second.taps.count);
        assert_int_equal(first.file == NULL, second.file == NULL);
        assert_int_equal(first.network == NULL, second.network == NULL);
        assert_true(value_equal(map, options_value(f->arena, set, &second)));
    }
}

static void test_description_has_all(void **state)
{
    struct fixture *f = *state;
    struct value *list = options_describe(f->arena, set);
    assert_int_equal(list->count, set.count);
    const struct value *rate = list->items[0];
    assert_string_equal(value_get(rate, "name")->text, "rate");
    assert_string_equal(value_get(rate, "type")->text, "number");
    assert_true(value_get(rate, "default")->real == 0.1);
    assert_true(value_get(rate, "min")->real == 0.0);
    assert_true(value_get(rate, "max")->real == 1.0);
    assert_true(value_get(rate, "max_excluded")->boolean);
    assert_null(value_get(rate, "min_excluded"));
    assert_string_equal(value_get(rate, "help")->text, "step size");
    assert_null(value_get(list->items[1], "max")); /* infinity is no bound */
    assert_string_equal(value_path(list, "4.values.2")->text, "mean-logit");
    assert_int_equal(value_path(list, "5.default")->kind, VALUE_NULL);
    for (size_t i = 0; i < list->count; i++) {
        static const char *const types[] = {"number", "integer", "boolean", "choice", "text"};
        const char *type = value_get(list->items[i], "type")->text;
        assert_non_null(nearest_name(type, types, 5));
        assert_non_null(value_get(list->items[i], "default"));
        assert_non_null(value_get(list->items[i], "help"));
    }
}

static enum status bind_faulty(struct context *ctx, void *user)
{
    (void)user;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    enum status status = STATUS_OK;
    struct all all;
    /* One arena block holds some two hundred of these, so several rounds make it allocate in many places. */
    for (int i = 0; i < 40 && status == STATUS_OK; i++) {
        status = options_bind(ctx, arena, set, NULL, "method kd", &all);
        if (status == STATUS_OK && options_value(arena, set, &all) == NULL)
            status = ctx->error.status;
        if (status == STATUS_OK && options_describe(arena, set) == NULL)
            status = ctx->error.status;
    }
    arena_free(arena);
    return status;
}

static void test_failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_true(fault_loop(bind_faulty, NULL) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_apply, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_are_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_key_names_the_nearest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_values_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_required_option_is_demanded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_range_open_on_one_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resolved_options_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_course_is_written_as_it_was_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_description_has_all, set_up, tear_down),
        cmocka_unit_test(test_failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
