/* test_recipe.c: recipes are read with positions, changed by --set, written back, and refused with a reason. */
#include "recipe/recipe.h"

#include "base/file.h"
#include "base/option.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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

static struct value *parse(struct fixture *f, const char *text)
{
    struct value *value = NULL;
    error_clear(&f->ctx);
    if (recipe_parse(&f->ctx, f->arena, "r.yaml", text, strlen(text), &value) != STATUS_OK)
        fail_msg("%s\n%s", f->ctx.error.message, text);
    assert_string_equal(f->ctx.error.message, "");
    return value;
}

static void assert_refused(struct fixture *f, const char *text, const char *message)
{
    struct value *value = NULL;
    error_clear(&f->ctx);
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "r.yaml", text, strlen(text), &value), STATUS_BAD_INPUT);
    assert_null(value);
    assert_string_equal(f->ctx.error.message, message);
}

static const char recipe[] = "data:\n"
                             "  name: fashion-mnist   # a comment\n"
                             "  validation: 5000\n"
                             "  augment: {flip: true, shift: 2}\n"
                             "student:\n"
                             "  network:\n"
                             "    layers:\n"
                             "      - {conv: {out: 8, kernel: 3}, name: stem}\n"
                             "      - batch_norm\n"
                             "distill:\n"
                             "  losses:\n"
                             "    - {method: labels, weight: 0.1}\n"
                             "    - method: kd\n"
                             "      weight: 9e-1\n"
                             "seeds: [0, 1, 2]\n"
                             "note: \"0.1\"\n"
                             "none: ~\n";

static void test_tree_has_kinds_and_positions(void **state)
{
    struct fixture *f = *state;
    const struct value *root = parse(f, recipe);
    assert_int_equal(root->kind, VALUE_MAP);
    assert_int_equal(root->count, 6);
    assert_string_equal(root->file, "r.yaml");
    const struct value *name = value_path(root, "data.name");
    assert_string_equal(name->text, "fashion-mnist");
    assert_int_equal(name->line, 2);
    assert_int_equal(name->column, 9);
    assert_int_equal(value_path(root, "data.validation")->integer, 5000);
    assert_int_equal(value_path(root, "data.augment.flip")->kind, VALUE_BOOLEAN);
    assert_int_equal(value_path(root, "student.network.layers.0.conv.out")->integer, 8);
    assert_int_equal(value_path(root, "student.network.layers.0.conv.out")->line, 8);
    assert_int_equal(value_path(root, "student.network.layers.0.conv.out")->column, 22);
    assert_string_equal(value_path(root, "student.network.layers.1")->text, "batch_norm");
    assert_true(value_path(root, "distill.losses.1.weight")->real == 0.9);
    assert_string_equal(value_path(root, "distill.losses.1.weight")->text, "9e-1");
    assert_int_equal(value_path(root, "seeds.2")->integer, 2);
    assert_int_equal(value_path(root, "note")->kind, VALUE_TEXT);
    assert_int_equal(value_path(root, "none")->kind, VALUE_NULL);
    assert_string_equal(root->entries[2].key, "distill");
    assert_int_equal(root->entries[2].line, 10);
    assert_int_equal(root->entries[2].column, 1);
    assert_int_equal(value_path(root, "data.augment")->entries[1].column, 25);
}

static void test_quotes_make_texts(void **state)
{
    struct fixture *f = *state;
    const struct value *root = parse(f, "a: 'true'\nb: \"5\"\nc: 'null'\nd: |\n  two\n  lines\ne: ''\n1: x\n");
    for (size_t i = 0; i < root->count; i++)
        assert_int_equal(root->entries[i].value->kind, VALUE_TEXT);
    assert_string_equal(value_get(root, "d")->text, "two\nlines\n");
    assert_string_equal(value_get(root, "1")->text, "x");
    assert_int_equal(parse(f, "5")->integer, 5);
    assert_int_equal(parse(f, "---\n[a, b]\n...\n")->count, 2);
}

static void test_what_a_recipe_lacks_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "", "r.yaml:1:1: expected a map of keys, found an empty file");
    assert_refused(f, "# only a comment\n", "r.yaml:1:1: expected a map of keys, found an empty file");
    assert_refused(f, "a: 1\nb:\n  c: 2\n  c: 3\n",
                   "r.yaml:4:3: the key \"c\" stands twice in one map; the first is in line 3");
    assert_refused(f, "a: &x 1\n",
                   "r.yaml:1:4: anchors are not supported, found &x; write the value where it is needed");
    assert_refused(f, "a: *x\n", "r.yaml:1:4: aliases are not supported, found *x; write the value again");
    assert_refused(f, "a: !!str 1\n", "r.yaml:1:4: tags are not supported, found tag:yaml.org,2002:str; leave it out");
    assert_refused(f, "a: !mine {b: 1}\n", "r.yaml:1:4: tags are not supported, found !mine; leave it out");
    assert_refused(f, "a: &l [1]\n",
                   "r.yaml:1:4: anchors are not supported, found &l; write the value where it is needed");
    assert_refused(f, "a: 1\n---\nb: 2\n", "r.yaml:2:1: a second document begins; expected one in a file");
    assert_refused(f, "a: .inf\n", "r.yaml:1:4: expected a finite number, found .inf");
    assert_refused(f, "a: [1, .nan]\n", "r.yaml:1:8: expected a finite number, found .nan");
    assert_refused(f, "a: 1e999\n", "r.yaml:1:4: expected a finite number, found 1e999");
    assert_refused(f, "? [1, 2]\n: 3\n", "r.yaml:1:3: expected a key, found a list; a key is a word");
    assert_refused(f, "'': 3\n", "r.yaml:1:1: expected a key, found nothing");
    assert_refused(f, "a: \"x\\0y\"\n", "r.yaml:1:4: a text holds a zero byte; expected none");
}

static void test_broken_yaml_names_its_place(void **state)
{
    struct fixture *f = *state;
    assert_refused(
        f, "a:\n\tb: 2\n",
        "r.yaml:2:1: not valid YAML: found character that cannot start any token while scanning for the next "
        "token");
    assert_refused(f, "a: [1, 2\nb: 3\n",
                   "r.yaml:2:2: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence");
    assert_refused(f, "a: 1\n  b: 2\n", "r.yaml:2:4: not valid YAML: mapping values are not allowed in this context");
    assert_refused(f, "a: 1\nb: x\xFFy\n",
                   "r.yaml:2:5: not UTF-8 text: invalid leading UTF-8 octet; a recipe is a YAML file");
    assert_refused(f,
                   "\xFF\xFE"
                   "a:\x01",
                   "r.yaml:1:1: not UTF-8 text: invalid leading UTF-8 octet; a recipe is a YAML file");
}

/* nested: `depth` lists within each other. */
static void nested(char *text, int depth)
{
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
}

static void test_size_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[200];
    nested(text, RECIPE_MAX_DEPTH);
    assert_int_equal(parse(f, text)->count, 1);
    nested(text, RECIPE_MAX_DEPTH + 1);
    assert_refused(f, text, "r.yaml:1:65: too deep: expected at most 64 maps and lists within each other");

    struct text many;
    text_init(&many, &f->ctx);
    for (int i = 0; i <= RECIPE_MAX_KEYS; i++)
        text_format(&many, "k%d: 1\n", i);
    assert_refused(f, many.bytes, "r.yaml:1001:1: the map is too large: expected at most 1000 keys");
    text_free(&many);
    for (int i = 0; i < RECIPE_MAX_NODES; i++)
        text_add(&many, "- 1\n");
    assert_refused(f, many.bytes, "r.yaml:100000:3: the recipe is too large: expected at most 100000 values");
    text_free(&many);

    struct value *value = NULL;
    error_clear(&f->ctx);
    assert_int_equal(recipe_parse(&f->ctx, f->arena, "r.yaml", "", RECIPE_MAX_BYTES + 1, &value), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "r.yaml is too large: expected at most 4194304 bytes, found 4194305");
}

static void test_file_is_read(void **state)
{
    struct fixture *f = *state;
    struct value *root = NULL;
    assert_int_equal(recipe_read(&f->ctx, f->arena, "missing.yaml", &root), STATUS_IO);
    assert_string_equal(f->ctx.error.message, "cannot read missing.yaml: No such file or directory");
    error_clear(&f->ctx);
    struct file_writer *writer = file_writer_new(&f->ctx, "demo.yaml");
    assert_non_null(writer);
    assert_int_equal(file_write(writer, recipe, strlen(recipe)), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_OK);
    assert_int_equal(recipe_read(&f->ctx, f->arena, "demo.yaml", &root), STATUS_OK);
    assert_string_equal(value_path(root, "distill.losses.1.method")->file, "demo.yaml");
    assert_true(value_equal(root, parse(f, recipe)));
}

/* With options.h the message is what a user of a recipe sees. */
static void test_option_mistake_has_its_place(void **state)
{
    struct fixture *f = *state;
    static const struct option_spec specs[] = {
        {"temperature", OPTION_REAL, 0, .initial = "4", .max = INFINITY, .flags = OPTION_ABOVE_MIN},
    };
    double temperature = 0.0;
    struct value *root = parse(f, "losses:\n  - kd:\n      temprature: 3\n");
    assert_int_equal(
        options_bind(&f->ctx, f->arena, OPTION_SET(specs), value_path(root, "losses.0.kd"), "method kd", &temperature),
        STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message,
                        "r.yaml:3:7: method kd has no option \"temprature\"; nearest: \"temperature\"");
    error_clear(&f->ctx);
    root = parse(f, "losses:\n  - kd:\n      temperature: 3\n");
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "losses.0.kd.temperature=-1"), STATUS_OK);
    assert_int_equal(
        options_bind(&f->ctx, f->arena, OPTION_SET(specs), value_path(root, "losses.0.kd"), "method kd", &temperature),
        STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "--set losses.0.kd.temperature: method kd, \"temperature\": expected a "
                                              "number above 0, found -1");
    error_clear(&f->ctx);
    root = parse(f, "losses:\n  - kd:\n      temperature: 3\n");
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "losses.0.kd.temprature=1"), STATUS_OK);
    assert_int_equal(
        options_bind(&f->ctx, f->arena, OPTION_SET(specs), value_path(root, "losses.0.kd"), "method kd", &temperature),
        STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, "--set losses.0.kd.temprature: method kd has no option \"temprature\"; "
                                              "nearest: \"temperature\"");
}

static void test_set_changes_and_makes(void **state)
{
    struct fixture *f = *state;
    struct value *root = parse(f, recipe);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "distill.losses.1.weight=0.5"), STATUS_OK);
    assert_true(value_path(root, "distill.losses.1.weight")->real == 0.5);
    assert_string_equal(value_path(root, "distill.losses.1.weight")->file, "--set distill.losses.1.weight");
    assert_int_equal(value_path(root, "distill.losses.1.weight")->line, 0);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "student.train.optimiser.rate=1e-2"), STATUS_OK);
    assert_true(value_path(root, "student.train.optimiser.rate")->real == 0.01);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "none.deep=[1, {a: b=c}]"), STATUS_OK);
    assert_string_equal(value_path(root, "none.deep.1.a")->text, "b=c");
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "seeds=[7]"), STATUS_OK);
    assert_int_equal(value_path(root, "seeds")->count, 1);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "baseline=false"), STATUS_OK);
    assert_int_equal(value_path(root, "baseline")->kind, VALUE_BOOLEAN);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "note="), STATUS_OK);
    assert_int_equal(value_path(root, "note")->kind, VALUE_NULL);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, "seeds.0=5"), STATUS_OK);
    assert_int_equal(value_path(root, "seeds.0")->integer, 5);
    assert_string_equal(f->ctx.error.message, "");
}

static void assert_set_refused(struct fixture *f, const char *assignment, const char *message)
{
    struct value *root = parse(f, recipe);
    error_clear(&f->ctx);
    assert_int_equal(recipe_set(&f->ctx, f->arena, root, assignment), STATUS_BAD_INPUT);
    assert_string_equal(f->ctx.error.message, message);
}

static void test_set_refuses(void **state)
{
    struct fixture *f = *state;
    assert_set_refused(f, "epochs", "--set: expected KEY=VALUE, such as student.train.epochs=3, found \"epochs\"");
    assert_set_refused(f, "=3", "--set: expected KEY=VALUE, such as student.train.epochs=3, found \"=3\"");
    assert_set_refused(f, "seeds.3=1", "--set seeds.3: the list has no item 3; it has 3, counted from 0");
    assert_set_refused(f, "seeds.99999999999999999999=1",
                       "--set seeds.99999999999999999999: the list has no item 99999999999999999999; it has 3, counted "
                       "from 0");
    assert_set_refused(f, "seeds.x=1", "--set seeds.x: expected the number of an item of the list, found \"x\"");
    assert_set_refused(f, "data.name.x=1",
                       "--set data.name.x: expected a map or a list that holds \"x\", found \"fashion-mnist\"");
    assert_set_refused(f, "data..x=1", "--set data..x: expected a key between the dots, found nothing");
    assert_set_refused(f, "data.=1", "--set data.: expected a key between the dots, found nothing");
    assert_set_refused(f, "data.x=[1",
                       "--set data.x:2:1: not valid YAML: did not find expected ',' or ']' while parsing a "
                       "flow sequence");
}

static void assert_written(struct fixture *f, const struct value *value, const char *expected)
{
    struct text out;
    error_clear(&f->ctx);
    text_init(&out, &f->ctx);
    assert_int_equal(recipe_write(&f->ctx, value, &out), STATUS_OK);
    if (expected != NULL)
        assert_string_equal(out.bytes, expected);
    struct value *again = parse(f, out.bytes);
    if (!value_equal(value, again))
        fail_msg("does not read back:\n%s", out.bytes);
    text_free(&out);
}

static void test_written_reads_back(void **state)
{
    struct fixture *f = *state;
    assert_written(f, parse(f, recipe), NULL);
    assert_written(f, parse(f, "a: {b: [1, 2.5, x], c: {}, d: []}\ne:\n  - f: true\n    g: ~\n  - 1e-4\n"),
                   "a:\n  b: [1, 2.5, x]\n  c: {}\n  d: []\ne:\n- f: true\n  g: null\n- 0.0001\n");
    assert_written(f, parse(f, "[1.0, 1e300, -0.0, 9223372036854775807]"),
                   "[1.0, 1e+300, -0.0, 9223372036854775807]\n");
    static const char *const texts[] = {
        "true",
        "null",
        "~",
        "",
        "1",
        "0x1F",
        "1e5",
        ".5",
        "- a",
        "a: b",
        "# c",
        "a #b",
        " lead",
        "trail ",
        "two\nlines",
        "tab\tin",
        "\n",
        "'quote'",
        "\"double\"",
        "[flow",
        "{flow",
        "a, b",
        "---",
        "...",
        "&a",
        "*a",
        "!t",
        "%d",
        "@x",
        "`x",
        "|",
        ">",
        "?",
        "-",
        ":",
        "\\",
        "\r",
        "\x7F",
        "\x01",
        "é",
        "a\xC2\x85z",
        "a\xE2\x80\xA8z",
        "\xEF\xBB\xBFx",
        "\xF0\x9F\x98\x80",
        "=",
        "<<",
        "a\n b\n\n",
        "\n\n  x",
        "key: [",
        "x:",
        ":x",
        ".inf",
        "no",
    };
    struct value *map = value_map(f->arena), *list = value_list(f->arena);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_written(f, value_text(f->arena, texts[i]), NULL);
        list = value_append(f->arena, list, value_text(f->arena, texts[i]));
        if (texts[i][0] != '\0')
            map = value_set(f->arena, map, texts[i], value_text(f->arena, texts[i]));
    }
    assert_written(f, list, NULL);
    assert_written(f, map, NULL);
    char text[400];
    memset(text, 'w', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 5; i < sizeof text; i += 6)
        text[i - 1] = ' ';
    text[sizeof text - 2] = 'w';
    assert_written(f, value_set(f->arena, value_map(f->arena), text, value_text(f->arena, text)), NULL);
}

static void test_what_is_not_utf8_is_not_written(void **state)
{
    struct fixture *f = *state;
    struct text out;
    text_init(&out, &f->ctx);
    assert_int_equal(recipe_write(&f->ctx, value_text(f->arena, "a\xFF"), &out), STATUS_BAD_INPUT);
    assert_int_equal(strncmp(f->ctx.error.message, "a recipe cannot hold a text that is not UTF-8", 45), 0);
    text_free(&out);
}

static enum status whole_way(struct context *ctx, void *user)
{
    (void)user;
    enum status status = STATUS_OK;
    struct value *root = NULL, *again = NULL;
    struct text out;
    text_init(&out, ctx);
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(recipe_read(ctx, arena, "demo.yaml", &root));
    TRY(recipe_set(ctx, arena, root, "student.train.epochs=3"));
    TRY(recipe_set(ctx, arena, root, "seeds=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]"));
    TRY(recipe_write(ctx, root, &out));
    TRY(recipe_parse(ctx, arena, "again", out.bytes, out.length, &again));
cleanup:
    text_free(&out);
    arena_free(arena);
    return status;
}

static void test_failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_true(fault_loop(whole_way, NULL) >= 10); /* test_file_is_read has written demo.yaml */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree_has_kinds_and_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quotes_make_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_recipe_lacks_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_yaml_names_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_size_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_option_mistake_has_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_changes_and_makes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_utf8_is_not_written, set_up, tear_down),
        cmocka_unit_test(test_failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
