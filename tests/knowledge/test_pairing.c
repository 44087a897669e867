/* Which layers a method reads where nobody names any: by resolution, by relative depth, before and after activations. */
#include "knowledge/pairing.h"

#include "base/arena.h"
#include "recipe/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    fixture.ctx.log_level = LOG_QUIET;
    fixture.arena = arena_new(&fixture.ctx);
    *state = &fixture;
    return !fixture.arena;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

static struct network *network_of(struct fixture *f, const char *yaml)
{
    struct value *description = value_map(f->arena);
    struct network *network = NULL;
    const struct network_input input = {.channels = 1, .height = 28, .width = 28, .classes = 10};
    assert_int_equal(recipe_set(&f->ctx, f->arena, description, arena_format(f->arena, "n=%s", yaml)), STATUS_OK);
    assert_int_equal(network_build(&f->ctx, value_get(description, "n"), "network", &input, ELEMENT_F32, 1, &network),
                     STATUS_OK);
    return network;
}

static void expect_side(const struct network *network, const struct pairing *pairing, enum side side,
                        const char *expected)
{
    char names[512] = "";
    for (int i = 0; i < pairing->n[side]; i++) {
        strcat(names, i ? " " : "");
        strcat(names, network->layers[pairing->layers[side][i]].name);
    }
    assert_string_equal(names, expected);
}

static void expect_pairs(struct fixture *f, const char *method, const char *student_yaml, const char *teacher_yaml,
                         const char *student_names, const char *teacher_names)
{
    struct pairing pairing;
    struct network *student = network_of(f, student_yaml), *teacher = network_of(f, teacher_yaml);
    const struct method *found = method_find(&f->ctx, method, NULL);
    void *options = arena_take(f->arena, 1, found->options_size + 1);
    assert_int_equal(
        options_bind(&f->ctx, f->arena, (struct option_set){found->options, found->n_options}, NULL, method, options),
        STATUS_OK);
    assert_int_equal(pairing_choose(&f->ctx, found, options, student, teacher, &pairing), STATUS_OK);
    expect_side(student, &pairing, SIDE_STUDENT, student_names);
    expect_side(teacher, &pairing, SIDE_TEACHER, teacher_names);
    network_free(student);
    network_free(teacher);
}

static const char three[] = "{name: cnn, widths: [4, 4, 8, 8, 8]}",
                  three_dropped[] = "{name: cnn, widths: [4, 4, 8, 8, 8], dropout: 0.5}";
/* Six layers at three resolutions of 28, 14 and 7, with a pool at the end of each; no batch norm, and 1x1 behind. */
static const char plain[] =
    "{layers: [{conv: {out: 4, kernel: 3, padding: 1}, name: a}, {relu: {}, name: ar}, {max_pool: {kernel: 2}}, "
    "{conv: {out: 4, kernel: 3, padding: 1}, name: b}, {max_pool: {kernel: 2}}, "
    "{conv: {out: 4, kernel: 3, padding: 1}, name: c}, {gelu: {}, name: cr}, {dropout: {rate: 0.1}}, "
    "{conv: {out: 6, kernel: 7}, name: d}, flatten, {linear: {out: 10}}]}";
static const char one[] = "{layers: [{conv: {out: 4, kernel: 3, stride: 2}, name: only}, {global_average_pool: {}, "
                          "name: pooled}, {linear: {out: 10}}]}";
static const char flat[] = "{name: mlp, widths: [16]}";
/* Four resolutions: 26, 13, 11 and 9. */
static const char four[] = "{layers: [{conv: {out: 4, kernel: 3}, name: a}, {max_pool: {kernel: 2}}, {conv: {out: 4, "
                           "kernel: 3, padding: 1}, name: b}, "
                           "{conv: {out: 4, kernel: 3}, name: c}, {conv: {out: 4, kernel: 3}, name: d}, "
                           "{global_average_pool: {}, name: pooled}, {linear: {out: 10}}]}";

static void test_equal_depths_pair_one_to_one(void **state)
{
    expect_pairs(*state, "at", three, three, "relu2 relu4 relu5", "relu2 relu4 relu5");
    expect_pairs(*state, "at", plain, three, "ar b cr", "relu2 relu4 relu5");
}

static void test_maps_before_activation(void **state)
{
    expect_pairs(*state, "ofd", plain, three, "a b c", "batch_norm2 batch_norm4 batch_norm5");
}

static void test_unequal_depths_pair_by_relative_depth(void **state)
{
    expect_pairs(*state, "at", three, four, "relu2 relu4 relu5", "a c d");
    expect_pairs(*state, "at", four, three, "a b c d", "relu2 relu4 relu4 relu5");
    expect_pairs(*state, "at", one, three, "only", "relu5");
}

static void test_a_method_of_few_maps_takes_the_deepest(void **state)
{
    expect_pairs(*state, "simkd", three, four, "relu5", "d");
    expect_pairs(*state, "irg", three, four, "relu4 relu5 global_average_pool1 linear1", "c d pooled linear1");
}

static void test_sides_that_are_not_paired_take_all_their_own(void **state)
{
    expect_pairs(*state, "afd", three, four, "relu2 relu4 relu5", "a b c d");
}

static void test_an_embedding_is_what_the_logits_are_made_of(void **state)
{
    expect_pairs(*state, "pkt", three, three_dropped, "global_average_pool1", "global_average_pool1");
    expect_pairs(*state, "pkt", one, flat, "pooled", "relu1");
}

static void test_too_few_maps_are_refused_in_words(void **state)
{
    struct fixture *f = *state;
    struct pairing pairing;
    struct network *student = network_of(f, one), *teacher = network_of(f, flat);
    const struct method *fsp = method_find(&f->ctx, "fsp", NULL), *at = method_find(&f->ctx, "at", NULL);
    assert_int_equal(pairing_choose(&f->ctx, fsp, NULL, student, student, &pairing), STATUS_BAD_INPUT);
    assert_non_null(strstr(f->ctx.error.message,
                           "method fsp: expected at least 2 maps of different resolution in the student, found 1"));
    error_clear(&f->ctx);
    assert_int_equal(pairing_choose(&f->ctx, at, NULL, student, teacher, &pairing), STATUS_BAD_INPUT);
    assert_non_null(strstr(f->ctx.error.message, "at least 1 map of different resolution in the teacher, found 0"));
    error_clear(&f->ctx);
    network_free(student);
    network_free(teacher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_equal_depths_pair_one_to_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maps_before_activation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unequal_depths_pair_by_relative_depth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_of_few_maps_takes_the_deepest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sides_that_are_not_paired_take_all_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_embedding_is_what_the_logits_are_made_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_few_maps_are_refused_in_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
