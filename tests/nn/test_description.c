/* A network's description makes the same network again, and what is inspected holds all that an evaluation needs. */
#include "support/network_case.h"

#include "nn/layer.h"

#include <setjmp.h>
#include <stdarg.h>
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

static const char *const recipes[] = {
    "{name: cnn, widths: [4, 4, 6], dropout: 0.3, head: weighting}",
    "{name: mlp, widths: [7]}",
    "{name: ds-cnn, stem: 4, widths: [4, 6], strides: [1, 2]}",
    "{name: resnet, depth: 8, width: 4, squeeze: 2, stochastic_depth: 0.1, outputs: {logits: linear1, exit: block2}}",
    "{name: wrn, depth: 10, width: 1, dropout: 0.2}",
    "{name: vgg, width: 4, hidden: [9], dropout: 0.5}",
    "{name: mobilenet-v1, width: 0.25}",
    "{name: mobilenet-v2, width: 0.25, squeeze: 4}",
    "{name: mlp-mixer, width: 5, depth: 2, dropout: 0.1}",
    "layers:\n"
    "  - {conv: {out: 6, kernel: [3, 5], stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 1, bias: false}}\n"
    "  - {batch_norm: {epsilon: 0.0012345678901234567}}\n"
    "  - relu6\n"
    "  - {residual: {layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}}, batch_norm], activation: relu6}}\n"
    "  - {conv: {out: 8, kernel: 1}, name: gate}\n"
    "  - {mul: , inputs: [gate, residual1]}\n"
    "  - {average_pool: {kernel: 2, stride: 1, padding: 1}}\n"
    "  - {max_pool: {kernel: [2, 1]}}\n"
    "  - {pad: {left: 1}}\n"
    "  - {global_max_pool: , name: a}\n"
    "  - {global_average_pool: , inputs: [mul1], name: b}\n"
    "  - {concat: , inputs: [a, b]}\n"
    "  - {linear: {out: 10, bias: false}}\n",
};

static void test_a_rebuilt_network_is_the_same(void **state)
{
    struct network_case *c = *state;
    const double mean[] = {0.1, 1.0 / 3, 0.7}, deviation[] = {0.2, 0.3, 0.1234567890123456789};
    struct network_input input = {3, 24, 20, 10, mean, deviation};
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        assert_int_equal(network_case_build(c, recipes[i], &input), STATUS_OK);
        struct value *description = network_description(c->arena, c->network);
        assert_non_null(description);
        struct network *again = NULL;
        assert_int_equal(network_rebuild(&c->ctx, description, "net", ELEMENT_F32, 3, &again), STATUS_OK);
        assert_true(value_equal(description, network_description(c->arena, again)));
        assert_true(value_equal(network_inspect(c->arena, c->network), network_inspect(c->arena, again)));
        assert_int_equal(network_count_parameters(again), network_count_parameters(c->network));
        const struct parameters *a = c->network->parameters, *b = again->parameters;
        assert_int_equal(a->n_values, b->n_values);
        assert_int_equal(a->n_state, b->n_state);
        assert_memory_equal(a->values, b->values, (size_t)a->n_values * sizeof(float));
        network_free(again);
    }
}

static void test_the_description_holds_plain_layers_with_all_options(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "layers: [{depthwise_separable: {out: 4}}, flatten, {linear: {out: 10}}]");
    struct value *description = network_description(c->arena, c->network);
    assert_int_equal(value_path(description, "layers")->count, 8);
    assert_int_equal(value_path(description, "layers.0.conv.groups")->integer, 1);
    assert_int_equal(value_path(description, "layers.0.conv.padding")->integer, 1);
    assert_string_equal(value_path(description, "layers.0.inputs.0")->text, "input");
    assert_string_equal(value_path(description, "layers.1.name")->text, "depthwise_separable1_batch_norm1");
    assert_string_equal(value_path(description, "layers.1.inputs.0")->text, "depthwise_separable1_conv1");
    assert_true(value_path(description, "layers.1.batch_norm.epsilon")->real == 1e-5);
    assert_int_equal(value_path(description, "input.shape")->count, 3);
    assert_int_equal(value_path(description, "input.shape.1")->integer, 28);
    assert_int_equal(value_path(description, "input.classes")->integer, 10);
}

static void test_inspect_says_what_an_evaluation_needs(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "layers: [{conv: {out: 5, kernel: 3, padding: 1}}, batch_norm, {max_pool: {kernel: 2}}, "
                         "flatten, {linear: {out: 10}}]");
    struct value *map = network_inspect(c->arena, c->network);
    int64_t parameters = 45 + 5 + 10 + 9800 + 10;
    assert_int_equal(value_path(map, "input.0")->integer, 1);
    assert_int_equal(value_path(map, "input.2")->integer, 28);
    assert_int_equal(value_path(map, "parameters")->integer, parameters);
    assert_int_equal(value_path(map, "macs")->integer, 784 * 45 + 9800);
    assert_int_equal(value_path(map, "bytes.float32")->integer, 4 * parameters);
    assert_int_equal(value_path(map, "bytes.int8")->integer, parameters);
    assert_string_equal(value_path(map, "outputs.logits")->text, "linear1");
    assert_string_equal(value_path(map, "layers.0.type")->text, "conv");
    assert_int_equal(value_path(map, "layers.0.options.in")->integer, 1);
    assert_int_equal(value_path(map, "layers.0.options.kernel")->integer, 3);
    assert_int_equal(value_path(map, "layers.0.output.0")->integer, 5);
    assert_int_equal(value_path(map, "layers.0.output")->count, 3);
    assert_string_equal(value_path(map, "layers.0.tensors.bias")->text, "conv1.bias");
    assert_string_equal(value_path(map, "layers.1.tensors.running_var")->text, "batch_norm1.running_var");
    assert_int_equal(value_path(map, "layers.1.tensors")->count, 4);
    assert_int_equal(value_path(map, "layers.1.parameters")->integer, 10);
    assert_int_equal(value_path(map, "layers.2.options.stride")->integer, 2);
    assert_int_equal(value_path(map, "layers.2.tensors")->count, 0);
    assert_int_equal(value_path(map, "layers.3.output.0")->integer, 980);
    assert_int_equal(value_path(map, "layers.4.options.in")->integer, 980);
    assert_int_equal(value_path(map, "layers.4.macs")->integer, 9800);
    assert_true(value_path(map, "layers.4.tap")->boolean);
}

static void expect_refused(struct network_case *c, struct value *description, const char *part)
{
    struct network *network = NULL;
    assert_int_not_equal(network_rebuild(&c->ctx, description, "net", ELEMENT_F32, 3, &network), STATUS_OK);
    if (!strstr(c->ctx.error.message, part))
        fail_msg("expected \"%s\" in: %s", part, c->ctx.error.message);
    error_clear(&c->ctx);
}

static void test_a_damaged_description_is_refused(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "{name: mlp, widths: [7]}");
    struct arena *arena = c->arena;
    struct value *good = network_description(arena, c->network), *bad;
    expect_refused(c, value_null(arena), "layers");
    expect_refused(c, value_integer(arena, 3), "found 3");
    bad = value_copy(arena, good);
    value_set(arena, value_path(bad, "input"), "shape", value_list(arena));
    expect_refused(c, bad, "[channels, height, width]");
    bad = value_copy(arena, good);
    value_set(arena, value_path(bad, "input"), "classes", value_integer(arena, 11));
    expect_refused(c, bad, "gives [B,10], expected [B,11]");
    bad = value_copy(arena, good);
    value_set(arena, bad, "version", value_integer(arena, 1));
    expect_refused(c, bad, "version");
    bad = value_copy(arena, good);
    value_set(arena, value_path(bad, "layers.1.linear"), "out", value_integer(arena, -1));
    expect_refused(c, bad, "out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_rebuilt_network_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_description_holds_plain_layers_with_all_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inspect_says_what_an_evaluation_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_description_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
