/* A network that cannot be built says where and why, and leaves nothing behind. */
#include "support/fault_loop.h"
#include "support/network_case.h"

#include "recipe/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct network_case c;
    network_case_new(&c);
    *state = &c;
    return 0;
}

static int tear_down(void **state)
{
    return network_case_free(*state);
}

struct bad {
    const char *yaml;
    enum status status;
    const char *message[3]; /* each must be part of what is said; the first at its beginning */
};

static void expect_all(struct network_case *c, const struct bad *bad, size_t count)
{
    struct network_input input = network_case_input();
    for (size_t i = 0; i < count; i++) {
        enum status status = network_case_build(c, bad[i].yaml, &input);
        const char *message = c->ctx.error.message;
        bool good = status == bad[i].status && strncmp(message, bad[i].message[0], strlen(bad[i].message[0])) == 0;
        for (int m = 1; m < 3 && bad[i].message[m]; m++)
            good = good && strstr(message, bad[i].message[m]);
        if (!good)
            fail_msg("%s\ngave: %s", bad[i].yaml, status == STATUS_OK ? "a network" : message);
        assert_null(c->network);
    }
}

static void test_what_is_misspelt_is_told_with_its_place(void **state)
{
    static const struct bad bad[] = {
        {"layers:\n  - relu\n  - rellu\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:3:5: no layer type \"rellu\"; nearest: \"relu\""}},
        {"layers:\n  - {konv: {out: 1, kernel: 1}}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:6: no layer type \"konv\"; nearest: \"conv\""}},
        {"layers:\n  - {zzz: }\n", STATUS_BAD_INPUT, {"recipe.yaml:2:6: no layer type \"zzz\"; `retort list layers`"}},
        {"layers:\n  - {conv: {out: 1, kernel: 1, strid: 2}}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:32: ", "strid", "stride"}},
        {"layers:\n  - {conv: {out: 1, kernel: 1}, nam: a}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:33: layer conv: unknown key \"nam\"", "nearest: \"name\""}},
        {"layers:\n  - {conv: {out: 1, kernel: 1}, out: 2}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:33: layer conv: unknown key \"out\"", "inside"}},
        {"layers:\n  - {relu: , flatten: }\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:14: layer relu: unknown key \"flatten\""}},
        {"layers:\n  - {name: a}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:5: a layer without a type"}},
        {"layers:\n  - 3\n", STATUS_BAD_INPUT, {"recipe.yaml:2:5: expected a layer", "found 3"}},
        {"layers:\n  - {relu: 7}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:12: "}},
        {"layers: []\n", STATUS_BAD_INPUT, {"recipe.yaml:1:9: expected a list of layers, found an empty list"}},
        {"layers: relu\n", STATUS_BAD_INPUT, {"recipe.yaml:1:9: expected a list of layers, found \"relu\""}},
        {"layer: [relu]\n", STATUS_BAD_INPUT, {"recipe.yaml:1:1: ", "layer", "layers"}},
        {"3\n", STATUS_BAD_INPUT, {"recipe.yaml:1:1: network net: expected {name: NETWORK"}},
        {"{name: cnnn}\n", STATUS_BAD_INPUT, {"recipe.yaml:1:8: no network \"cnnn\"; nearest: \"cnn\""}},
        {"{name: cnn, width: [8]}\n", STATUS_BAD_INPUT, {"recipe.yaml:1:13: ", "width", "widths"}},
        {"{name: cnn, widths: [8], pools: [2]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:1:1: network cnn: a pool behind convolution 2"}},
        {"{name: cnn, input: {standardise: maybe}}\n", STATUS_BAD_INPUT, {"recipe.yaml:1:34: ", "auto", "none"}},
        {"{name: ds-cnn, widths: [8, 8], strides: [1]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:1:1: network ds-cnn: expected a stride for each of the 2"}},
    };
    expect_all(*state, bad, sizeof bad / sizeof bad[0]);
}

static void test_names_and_inputs_are_checked(void **state)
{
    static const struct bad bad[] = {
        {"layers:\n  - {relu: , name: a.b}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:20: a layer's name consists of", "found \"a.b\""}},
        {"layers:\n  - {relu: , name: input}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:20: a layer's name"}},
        {"layers:\n  - {relu: , name: [a]}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:20: a layer's name", "found a list"}},
        {"layers:\n  - {relu: , name: a}\n  - {relu: , name: a}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:3:20: a layer named \"a\" is there"}},
        {"layers:\n  - {relu: , name: stem}\n  - {relu: , inputs: [sten]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:3:23: inputs: no earlier layer \"sten\"; nearest: \"stem\""}},
        {"layers:\n  - {relu: , inputs: [later]}\n  - {relu: , name: later}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:23: inputs: no earlier layer \"later\"; a layer can only read"}},
        {"layers:\n  - {relu: , inputs: []}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:22: inputs: expected a list of 1 to 16"}},
        {"layers:\n  - {relu: , inputs: [3]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:23: inputs: expected a layer's name, found 3"}},
        {"layers:\n  - {relu: , inputs: [input, input]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:5: layer relu1: relu takes at most 1 input, found 2"}},
        {"layers:\n  - add\n", STATUS_BAD_INPUT, {"recipe.yaml:2:5: layer add1: add takes at least 2 inputs, found 1"}},
        {"layers:\n  - {residual: {layers: [relu]}, inputs: [input, input]}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:42: block residual takes 1 input"}},
        {"layers:\n  - {relu: , name: b_conv1}\n  - {depthwise_separable: {out: 2}, name: b}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:3:5: a layer named \"b_conv1\" is there already"}},
    };
    expect_all(*state, bad, sizeof bad / sizeof bad[0]);
}

static void test_shapes_that_do_not_fit_name_the_layer(void **state)
{
    static const struct bad bad[] = {
        {"layers:\n  - flatten\n  - {conv: {out: 2, kernel: 3}, name: late}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:3:5: net.late: expected a map [B,H,W,C], found [B,784]"}},
        {"layers:\n  - {linear: {out: 10}}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.linear1: expected a vector [B,D] or tokens [B,T,C], found [B,28,28,1]"}},
        {"layers:\n  - {conv: {out: 4, kernel: 3, groups: 3}}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.conv1: 3 groups must divide the channels of the input, 1, and of the output, 4"}},
        {"layers:\n  - {conv: {out: 4, kernel: 29}, name: big}\n", STATUS_BAD_SHAPE, {"recipe.yaml:2:5: net.big: "}},
        {"layers:\n  - {max_pool: {kernel: 30}, name: big}\n", STATUS_BAD_SHAPE, {"recipe.yaml:2:5: net.big: "}},
        {"layers:\n  - {max_pool: {kernel: 3, padding: 2}}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:5: net.max_pool1: a pool's padding is at most half"}},
        {"layers:\n  - {conv: {out: 4, kernel: 1}, name: a}\n  - {conv: {out: 3, kernel: 1}, name: b}\n  - {add: , "
         "inputs: [a, b], name: sum}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:4:5: net.sum: "}},
        {"layers:\n  - {flatten: , name: a}\n  - {add: , inputs: [a, input], name: sum}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:3:5: net.sum: its inputs are all maps or all vectors"}},
        {"layers:\n  - transpose\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.transpose1: expected tokens [B,T,C], found [B,28,28,1]"}},
        {"layers:\n  - tokens\n  - tokens\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:3:5: net.tokens2: expected a map [B,H,W,C], found [B,784,1]"}},
        {"layers:\n  - flatten\n  - global_average_pool\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:3:5: net.global_average_pool1: expected a map [B,H,W,C] or tokens [B,T,C], found [B,784]"}},
        {"layers:\n  - {resize: {mode: bilinear}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:", "size"}},
        {"layers:\n  - {resize: {size: 4, mode: cubic}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:", "cubic", "nearest"}},
        {"layers:\n  - {standardise: {mean: [1, 2], deviation: 1}}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.standardise1: expected 1 or 1 numbers", "found 2 for mean"}},
        {"layers:\n  - {residual: {layers: [flatten]}, name: r}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: residual r: no 1x1 convolution"}},
        {"layers:\n  - {depthwise_separable: {out: 2, kernel: 4}}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:2:5: depthwise_separable depthwise_separable1: expected an odd"}},
        {"layers:\n  - flatten\n  - {depthwise_separable: {out: 2}}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:3:5: depthwise_separable", "found [B,784]"}},
        {"layers:\n  - flatten\n  - {linear: {out: 12}, name: last}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:1:1: network net: its last layer, last, gives [B,12], expected [B,10]"}},
        {"layers:\n  - relu\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:1:1: network net: its last layer, relu1, gives [B,28,28,1]"}},
        {"{name: cnn, widths: [4, 4, 4], pools: [1, 1, 2, 3], head: average, dropout: 1}\n",
         STATUS_BAD_INPUT,
         {"recipe.yaml:1:77: "}},
        {"{name: cnn, widths: [2, 2, 2, 2, 2, 2], pools: [1, 2, 3, 4, 5]}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:1:1: net.max_pool5: "}},
    };
    expect_all(*state, bad, sizeof bad / sizeof bad[0]);
}

static void test_zero_and_too_large_sizes_are_refused(void **state)
{
    static const struct bad bad[] = {
        {"layers:\n  - {conv: {out: 0, kernel: 3}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:18: "}},
        {"layers:\n  - {conv: {out: 4, kernel: 0}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:29: "}},
        {"layers:\n  - {conv: {out: 4, kernel: 3, stride: 0}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:40: "}},
        {"layers:\n  - {conv: {out: 4}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:", "kernel"}},
        {"layers:\n  - {conv: {out: 3000000000, kernel: 3}}\n", STATUS_BAD_INPUT, {"recipe.yaml:2:18: "}},
        {"layers:\n  - {conv: {out: 2000000000, kernel: 3}, name: wide}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.wide: weight [2000000000,1,3,3] has more than 2^31 elements"}},
        {"layers:\n  - {pad: {top: 60000, left: 60000}, name: huge}\n",
         STATUS_BAD_SHAPE,
         {"recipe.yaml:2:5: net.huge: ", "2^31"}},
        {"{name: mlp, widths: [0]}\n", STATUS_BAD_INPUT, {"recipe.yaml:1:22: "}},
        {"{name: cnn, widths: []}\n", STATUS_BAD_INPUT, {"recipe.yaml:1:1: network cnn: expected at least one width"}},
    };
    expect_all(*state, bad, sizeof bad / sizeof bad[0]);
    struct network_case *c = *state;
    struct network_input input = network_case_input();
    input.height = 0;
    assert_int_equal(network_case_build(c, "{name: mlp}\n", &input), STATUS_BAD_SHAPE);
    assert_non_null(strstr(c->ctx.error.message, "found 1x0x28 and 10"));
}

static void test_an_unknown_tap_has_its_nearest(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "{name: cnn, widths: [4]}");
    assert_int_equal(network_layer(c->network, "conv1", NULL), 0);
    assert_int_equal(network_layer(c->network, "conf1", NULL), -1);
    assert_string_equal(c->ctx.error.message, "network net has no layer \"conf1\"; nearest: \"conv1\"");
    error_clear(&c->ctx);
}

static enum status build_everything(struct context *ctx, void *user)
{
    static const char yaml[] =
        "layers:\n"
        "  - {conv: {out: 4, kernel: 3, padding: 1}}\n"
        "  - {residual: {layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}}, batch_norm]}}\n"
        "  - {depthwise_separable: {out: 4}}\n"
        "  - {dropout: {rate: 0.5}}\n"
        "  - global_average_pool\n"
        "  - {linear: {out: 10}}\n";
    (void)user;
    const double mean[] = {0.5}, deviation[] = {0.25};
    struct network_input input = network_case_input();
    input.mean = mean;
    input.deviation = deviation;
    struct network *network = NULL, *again = NULL;
    struct graph *graph = NULL;
    struct value *description, *described;
    enum status status = STATUS_OK;
    struct arena *arena = arena_new(ctx);
    TRY(arena ? STATUS_OK : ctx->error.status);
    TRY(recipe_parse(ctx, arena, "recipe.yaml", yaml, sizeof yaml - 1, &description));
    TRY(network_build(ctx, description, "net", &input, ELEMENT_F32, 3, &network));
    described = network_description(arena, network);
    TRY(described ? STATUS_OK : ctx->error.status);
    TRY(network_rebuild(ctx, described, "net", ELEMENT_F32, 3, &again));
    TRY(network_inspect(arena, again) ? STATUS_OK : ctx->error.status);
    graph = graph_new(ctx);
    TRY(graph ? STATUS_OK : ctx->error.status);
    for (int training = 0; training < 2; training++) {
        struct instance instance;
        struct instance_mode mode = {.training = training, .frozen = !training};
        struct node *images =
            graph_input(graph, "images", training ? ELEMENT_U8 : ELEMENT_REAL, SHAPE(SHAPE_BATCH, 28, 28, 1));
        TRY(network_instantiate(graph, again, images, mode, &instance));
    }
cleanup:
    graph_free(graph);
    network_free(network);
    network_free(again);
    arena_free(arena);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_true(fault_loop(build_everything, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_misspelt_is_told_with_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_and_inputs_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shapes_that_do_not_fit_name_the_layer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_zero_and_too_large_sizes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_unknown_tap_has_its_nearest, set_up, tear_down),
        cmocka_unit_test(test_lack_of_memory_at_any_moment_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
