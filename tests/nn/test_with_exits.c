/* A network with early exits: where they stand, what they consist of, that the network itself stays as it was, and what is refused. */
#include "nn/with_exits.h"

#include "support/fault_loop.h"
#include "support/network_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct network_case c; /* the plain network */
    struct network *grown;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.grown = NULL;
    network_case_new(&f.c);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    network_free(f->grown);
    return network_case_free(&f->c);
}

/* grow: the plain network of the recipe, and the one with exits. */
static void grow(struct fixture *f, const char *recipe, struct exits_spec spec)
{
    struct context *ctx = &f->c.ctx;
    struct value *description;
    network_free(f->grown);
    f->grown = NULL;
    network_case_need(&f->c, recipe);
    if (network_exits(f->c.network, &spec, NULL, f->c.arena, &description) != STATUS_OK ||
        network_rebuild(ctx, description, "net", ELEMENT_F32, 3, &f->grown) != STATUS_OK)
        fail_msg("%s: %s", recipe, ctx->error.message);
}

/* taps: the layers that the first layers of the exits read, in their order, and the exits' number. */
static const char *taps(const struct network *network, char text[256])
{
    char first[16];
    int number = 1, length = 0;
    text[0] = '\0';
    snprintf(first, sizeof first, "exit%d_", number);
    for (int i = 0; i < network->n_layers; i++)
        if (strncmp(network->layers[i].name, first, strlen(first)) == 0) {
            length += snprintf(text + length, 256 - (size_t)length, "%s%s", number > 1 ? " " : "",
                               network->layers[network->layers[i].inputs[0]].name);
            snprintf(first, sizeof first, "exit%d_", ++number);
        }
    return text;
}

static void expect_exits(const struct fixture *f, int count, int64_t width)
{
    const struct network *network = f->grown;
    assert_int_equal(network->n_outputs, f->c.network->n_outputs + count);
    for (int m = 1; m <= count; m++) {
        char name[16], features[32];
        const struct shape vector = SHAPE(SHAPE_BATCH, width), logits = SHAPE(SHAPE_BATCH, 10);
        snprintf(name, sizeof name, "exit%d", m);
        snprintf(features, sizeof features, "exit%d_features", m);
        const int exit = network_output(network, name), layer = network_layer(network, features, NULL);
        assert_int_equal(exit, network_layer(network, name, NULL));
        assert_int_equal(network->layers[exit].inputs[0], layer);
        assert_true(shape_equal(&network->layers[layer].output, &vector));
        assert_true(shape_equal(&network->layers[exit].output, &logits));
    }
}

/* expect_plain: the network itself is in there as it was, and comes out of it by its outputs' names. */
static void expect_plain(const struct fixture *f)
{
    const char *outputs[4];
    struct network *plain = NULL;
    for (int i = 0; i < f->c.network->n_outputs; i++)
        outputs[i] = f->c.network->outputs[i].name;
    network_case_holds(f->grown, f->c.network);
    assert_string_equal(f->grown->layers[f->grown->logits].name, f->c.network->layers[f->c.network->logits].name);
    assert_int_equal(network_extract(f->grown, f->c.network->n_outputs, outputs, &plain), STATUS_OK);
    network_case_same(plain, f->c.network);
    network_free(plain);
}

static const char *const side_branch =
    "{layers: [{conv: {out: 4, kernel: 3, padding: 1}, name: a}, {global_average_pool: {}, name: helper}, "
    "{conv: {out: 6, kernel: 3, stride: 2, padding: 1}, inputs: [a], name: b}, {relu: {}, name: c}, "
    "{conv: {out: 8, kernel: 3, stride: [2, 3], padding: 1}, name: d}, {global_average_pool: {}, name: late}, "
    "{linear: {out: 10}, name: last}], outputs: {logits: last, extra: helper}}";

static void test_exits_stand_where_maps_change_their_size(void **state)
{
    static const struct {
        const char *recipe, *taps;
        int count;
        int64_t width;
    } cases[] = {
        {"{name: cnn, widths: [4, 4, 6, 6, 8]}", "max_pool1 max_pool2", 2, 8},
        {"{name: cnn, widths: [4, 6, 8], pools: [1, 2], head: weighting, dropout: 0.5}", "max_pool1 max_pool2", 2, 8},
        {"{name: cnn, widths: [4, 4], pools: [0]}", "relu1", 1, 4},
        {"{name: resnet, depth: 14, width: 4}", "block2 block4", 2, 16},
        {"{name: resnet, depth: 8, width: 4, shortcut: projection, squeeze: 2}", "block1 block2", 2, 16},
        {"{name: mobilenet-v1, width: 0.125}", NULL, 4, 128},
        {"{name: mlp, widths: [20, 16, 12], dropout: 0.1}", "relu1 relu2", 2, 12},
        {"{layers: [{conv: {out: 3, kernel: 3, padding: 1}}, {relu: {}, name: a}, {conv: {out: 3, kernel: 1}, name: "
         "b}, "
         "{conv: {out: 4, kernel: 2, stride: 2}, name: c}, {conv: {out: 4, kernel: 2, stride: 2}, inputs: [a], name: "
         "d}, "
         "{add: {}, inputs: [c, d]}, global_average_pool, {linear: {out: 10}}]}",
         "a", 1, 4},
        {side_branch, "a c", 2, 8},
        {"{input: {resize: 14}, layers: [{max_pool: {kernel: 1}}, {conv: {out: 3, kernel: 2, stride: 2}, name: a}, "
         "{conv: {out: 4, kernel: 3}}, global_average_pool, {linear: {out: 10}}]}",
         "a", 1, 4},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        grow(f, cases[i].recipe, (struct exits_spec){.count = 0});
        taps(f->grown, text);
        if (cases[i].taps)
            assert_string_equal(text, cases[i].taps);
        expect_exits(f, cases[i].count, cases[i].width);
        expect_plain(f);
    }
}

/* A bottleneck: halved until it is no larger than the last map, 7x5 here, each side by itself. */
static void test_a_bottleneck_makes_the_map_as_small_as_the_last_one(void **state)
{
    static const char *const seven[] = {"relu3"};
    static const char *const layers[] = {"c", "a", "d"};
    struct fixture *f = *state;
    char text[256];
    grow(f, side_branch, (struct exits_spec){layers, 3, 5});
    assert_string_equal(taps(f->grown, text), "a c d");
    expect_exits(f, 3, 5);
    expect_plain(f);
    static const struct {
        const char *name;
        int64_t shape[3], parameters, macs;
    } expected[] = {
        {"exit1_block1_conv1", {14, 14, 4}, 36, 14 * 14 * 36},
        {"exit1_block1", {14, 14, 5}, 0, 0},
        {"exit1_block2", {7, 7, 5}, 0, 0},
        {"exit1_block3", {7, 4, 5}, 0, 0},
        {"exit2_block1_conv2", {7, 7, 5}, 30, 7 * 7 * 30},
        {"exit2_block2", {7, 4, 5}, 0, 0},
        {"exit3_block1_conv1", {7, 5, 8}, 72, 7 * 5 * 72},
        {"exit3_block1", {7, 5, 5}, 0, 0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct layer *layer = &f->grown->layers[network_layer(f->grown, expected[i].name, NULL)];
        const int64_t *found = &layer->output.dim[1];
        if (memcmp(found, expected[i].shape, sizeof expected[i].shape) != 0)
            fail_msg("%s: found %dx%dx%d", layer->name, (int)found[0], (int)found[1], (int)found[2]);
        assert_int_equal(layer->parameters, expected[i].parameters);
        assert_int_equal(layer->macs, expected[i].macs);
    }
    assert_true(network_output(f->grown, "extra") >= 0);
    /* 7x7 becomes 4x4, which is still larger than 3x3. */
    grow(f, "{name: cnn, widths: [4, 4, 4, 5], pools: [1, 2, 3]}", (struct exits_spec){seven, 1, 0});
    const struct layer *last = &f->grown->layers[network_layer(f->grown, "exit1_features", NULL) - 1];
    assert_string_equal(last->name, "exit1_block2");
    assert_int_equal(last->output.dim[1], 2);
}

static void test_vectors_and_tokens_get_a_hidden_layer(void **state)
{
    static const char *const first[] = {"relu1"}, *const tokens[] = {"block1_channels"};
    struct fixture *f = *state;
    grow(f, "{name: mlp, widths: [20, 16]}", (struct exits_spec){first, 1, 0});
    expect_exits(f, 1, 16);
    expect_plain(f);
    assert_int_equal(f->grown->layers[network_layer(f->grown, "exit1_linear", NULL)].parameters, 20 * 16);
    grow(f, "{name: mlp-mixer, width: 6, depth: 2}", (struct exits_spec){tokens, 1, 7});
    assert_int_equal(f->grown->layers[network_layer(f->grown, "exit1_pool", NULL)].output.dim[1], 6);
    expect_exits(f, 1, 7);
    expect_plain(f);
}

static void test_the_deepest_features_are_what_the_last_linear_layer_reads(void **state)
{
    struct fixture *f = *state;
    network_case_need(&f->c, "{name: resnet, depth: 8, width: 4}");
    assert_string_equal(network_deepest_features(f->c.network, NULL), "global_average_pool1");
    network_case_need(&f->c, "{name: mlp, widths: [20, 12], dropout: 0.1}");
    assert_string_equal(network_deepest_features(f->c.network, NULL), "dropout2");
    network_case_need(&f->c, side_branch);
    assert_string_equal(network_deepest_features(f->c.network, NULL), "late");
}

static void test_what_gets_no_exit_is_told(void **state)
{
    static const char *const unknown[] = {"relu11"}, *const deepest[] = {"late"}, *const behind[] = {"last"},
                             *const side[] = {"helper"}, *const twice[] = {"a", "c", "a"};
    static const struct {
        const char *recipe;
        struct exits_spec spec;
        const char *message;
    } cases[] = {
        {"{name: mlp, widths: [20]}", {.count = 0}, "name layers by exits: [...]"},
        {"{name: mlp, widths: [20]}", {unknown, 1, 0}, "no layer \"relu11\"; nearest: \"relu1\""},
        {side_branch, {deepest, 1, 0}, "its deepest features, late, are computed by, found late"},
        {side_branch, {behind, 1, 0}, "its deepest features, late, are computed by, found last"},
        {side_branch, {side, 1, 0}, "its deepest features, late, are computed by, found helper"},
        {side_branch, {twice, 3, 0}, "found a twice"},
        {"{layers: [flatten, {linear: {out: 10}, name: a}, relu]}", {.count = 0}, "found relu1, of type relu"},
        {"{name: mlp, widths: [20, 20], outputs: {logits: linear3, exit1: relu1}}",
         {.count = 0},
         "the name \"exit1\" is wanted for an output"},
        {"{layers: [flatten, {linear: {out: 10}, name: exit1}, relu, {linear: {out: 9}}, relu, {linear: {out: 10}}]}",
         {.count = 0},
         "the name \"exit1\" is wanted for a layer that is added, but its layer \"exit1\" has it; "},
        {"{layers: [{conv: {out: 2, kernel: 3}}, {conv: {out: 2, kernel: 3, stride: 2}, name: exit1_block1_conv1}, "
         "global_average_pool, {linear: {out: 10}}]}",
         {.count = 0},
         "its layer \"exit1_block1_conv1\" has it before an underscore"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value *description;
        network_case_need(&f->c, cases[i].recipe);
        const struct value at = {.file = "recipe.yaml", .line = 3, .column = 4};
        assert_int_equal(network_exits(f->c.network, &cases[i].spec, &at, f->c.arena, &description), STATUS_BAD_INPUT);
        assert_null(description);
        if (strncmp(f->c.ctx.error.message, "recipe.yaml:3:4: network net", 28) != 0 ||
            !strstr(f->c.ctx.error.message, cases[i].message))
            fail_msg("expected \"%s\", found: %s", cases[i].message, f->c.ctx.error.message);
        error_clear(&f->c.ctx);
    }
}

static enum status grow_all(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct network *plain = NULL, *grown = NULL;
    struct value *description;
    struct arena *arena = arena_new(ctx);
    TRY(ctx->error.status);
    TRY(network_rebuild(ctx, user, "net", ELEMENT_F32, 3, &plain));
    TRY(network_exits(plain, &(struct exits_spec){.count = 0}, NULL, arena, &description));
    TRY(network_rebuild(ctx, description, "net", ELEMENT_F32, 3, &grown));
cleanup:
    network_free(plain);
    network_free(grown);
    arena_free(arena);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    network_case_need(&f->c, side_branch);
    assert_true(fault_loop(grow_all, network_description(f->c.arena, f->c.network)) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exits_stand_where_maps_change_their_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bottleneck_makes_the_map_as_small_as_the_last_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vectors_and_tokens_get_a_hidden_layer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_deepest_features_are_what_the_last_linear_layer_reads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_gets_no_exit_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lack_of_memory_at_any_moment_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
