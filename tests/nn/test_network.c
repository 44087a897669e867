/* Networks are what their recipe says: names, shapes, counts, blocks, networks by name. */
#include "support/network_case.h"

#include "nn/layer.h"

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

/* The names of all layers behind one another. */
static const char *names(const struct network *network, char out[1024])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < network->n_layers; i++)
        used += (size_t)snprintf(out + used, 1024 - used, "%s%s", i ? " " : "", network->layers[i].name);
    return out;
}

static const struct layer *layer_named(const struct network *network, const char *name)
{
    int i = network_layer(network, name, NULL);
    assert_true(i >= 0);
    return &network->layers[i];
}

static void expect_shape(const struct network *network, const char *name, const char *shape)
{
    char text[SHAPE_TEXT_SIZE];
    assert_string_equal(shape_text(&layer_named(network, name)->output, text), shape);
}

static void test_layers_are_named_by_type_and_number(void **state)
{
    struct network_case *c = *state;
    char text[1024];
    network_case_need(
        c, "layers: [{conv: {out: 4, kernel: 3}}, relu, {conv: {out: 4, kernel: 3}, name: conv2}, relu, {relu: },\n"
           "  {conv: {out: 4, kernel: 3}}, {conv: {out: 4, kernel: 3}, name: stem-2_b}, flatten, {linear: {out: 10}}]");
    assert_string_equal(names(c->network, text), "conv1 relu1 conv2 relu2 relu3 conv3 stem-2_b flatten1 linear1");
    assert_int_equal(c->network->logits, 8);
}

static void test_shapes_and_counts_are_those_of_the_formulas(void **state)
{
    struct network_case *c = *state;
    network_case_need(
        c, "layers:\n"
           "  - {conv: {out: 6, kernel: [3, 5], stride: [2, 1], padding: [1, 0], dilation: [1, 2]}, name: a}\n"
           "  - {batch_norm: {epsilon: 1e-3}, name: b}\n"
           "  - {conv: {out: 12, kernel: 1, groups: 3, bias: false}, name: c}\n"
           "  - {max_pool: {kernel: 3, stride: 2, padding: 1}, name: d}\n"
           "  - {average_pool: {kernel: 2}, name: e}\n"
           "  - {pad: {top: 1, right: 2}, name: f}\n"
           "  - {concat: , inputs: [f, f], name: g}\n"
           "  - {flatten: , name: h}\n"
           "  - {linear: {out: 10}, name: i}\n");
    const struct network *n = c->network;
    expect_shape(n, "a", "[B,14,20,6]");
    expect_shape(n, "c", "[B,14,20,12]");
    expect_shape(n, "d", "[B,7,10,12]");
    expect_shape(n, "e", "[B,3,5,12]");
    expect_shape(n, "f", "[B,4,7,12]");
    expect_shape(n, "g", "[B,4,7,24]");
    expect_shape(n, "h", "[B,672]");
    expect_shape(n, "i", "[B,10]");
    assert_int_equal(layer_named(n, "a")->parameters, 6 * 15 + 6);
    assert_int_equal(layer_named(n, "b")->parameters, 12);
    assert_int_equal(layer_named(n, "c")->parameters, 24);
    assert_int_equal(layer_named(n, "i")->parameters, 6730);
    assert_int_equal(layer_named(n, "a")->macs, 14 * 20 * 90);
    assert_int_equal(layer_named(n, "c")->macs, 14 * 20 * 24);
    assert_int_equal(layer_named(n, "d")->macs, 0);
    assert_int_equal(layer_named(n, "i")->macs, 6720);
    assert_int_equal(network_count_parameters(n), 96 + 12 + 24 + 6730);
    assert_int_equal(network_count_macs(n), 14 * 20 * 114 + 6720);
}

static void test_initial_values_and_decay_follow_the_kind(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "layers: [{conv: {out: 64, kernel: 5}, name: a}, {batch_norm: , name: b}, "
                         "global_average_pool, {linear: {out: 10}, name: l}]");
    const struct parameters *p = c->network->parameters;
    static const struct {
        const char *name;
        bool state, decay;
        enum init_kind kind;
        double scale;
    } expected[] = {
        {"a.weight", false, true, INIT_NORMAL, 0.035355339059327376}, /* sqrt(2 / (64 * 25)) */
        {"a.bias", false, false, INIT_ZERO, 0},
        {"b.weight", false, false, INIT_CONSTANT, 1},
        {"b.bias", false, false, INIT_ZERO, 0},
        {"b.running_mean", true, false, INIT_ZERO, 0},
        {"b.running_var", true, false, INIT_CONSTANT, 1},
        {"l.weight", false, true, INIT_UNIFORM, 0.125},
        {"l.bias", false, false, INIT_ZERO, 0},
    };
    assert_int_equal(p->count, 8);
    for (int i = 0; i < 8; i++) {
        assert_string_equal(p->entries[i].name, expected[i].name);
        assert_int_equal(p->entries[i].state, expected[i].state);
        assert_int_equal(p->entries[i].decay, expected[i].decay);
        assert_int_equal(p->entries[i].init.kind, expected[i].kind);
        assert_true(p->entries[i].init.scale - expected[i].scale < 1e-12 &&
                    expected[i].scale - p->entries[i].init.scale < 1e-12);
    }
}

static void test_a_residual_block_becomes_plain_layers(void **state)
{
    struct network_case *c = *state;
    char text[1024];
    network_case_need(c, "layers:\n"
                         "  - {conv: {out: 4, kernel: 3, padding: 1}}\n"
                         "  - residual:\n"
                         "      layers: [{conv: {out: 4, kernel: 3, padding: 1}}, relu, {conv: {out: 4, kernel: 3, "
                         "padding: 1}, name: last}]\n"
                         "  - {residual: {layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}}, batch_norm], "
                         "activation: none}, name: down}\n"
                         "  - {add: , inputs: [down, down_batch_norm1]}\n"
                         "  - global_average_pool\n"
                         "  - {linear: {out: 10}}\n");
    assert_string_equal(
        names(c->network, text),
        "conv1 residual1_conv1 residual1_relu1 residual1_last residual1_add residual1 down_conv1 down_batch_norm1 "
        "down_conv_shortcut down_norm_shortcut down add1 global_average_pool1 linear1");
    const struct layer *sum = layer_named(c->network, "residual1_add"), *down = layer_named(c->network, "down");
    assert_int_equal(sum->inputs[0], network_layer(c->network, "residual1_last", NULL));
    assert_int_equal(sum->inputs[1], network_layer(c->network, "conv1", NULL));
    assert_string_equal(down->type->name, "add");
    assert_int_equal(down->inputs[1], network_layer(c->network, "down_norm_shortcut", NULL));
    assert_int_equal(layer_named(c->network, "down_conv_shortcut")->inputs[0],
                     network_layer(c->network, "residual1", NULL));
    expect_shape(c->network, "down", "[B,14,14,8]");
    assert_int_equal(layer_named(c->network, "down_conv_shortcut")->parameters, 32);
}

static void test_names_inside_a_block_are_its_own(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "layers:\n"
                         "  - {conv: {out: 4, kernel: 3, padding: 1}, name: a}\n"
                         "  - {relu: , name: outside}\n"
                         "  - name: block\n"
                         "    inputs: [a]\n"
                         "    residual:\n"
                         "      layers:\n"
                         "        - {conv: {out: 4, kernel: 3, padding: 1}, name: a}\n"
                         "        - {depthwise_separable: {out: 4}, inputs: [a], name: inner}\n"
                         "        - {add: , inputs: [inner, outside], name: sum}\n"
                         "  - {relu: , inputs: [block_inner], name: tail}\n"
                         "  - global_average_pool\n"
                         "  - {linear: {out: 10}}\n");
    const struct network *n = c->network;
    assert_int_equal(layer_named(n, "block_a")->inputs[0], network_layer(n, "a", NULL));
    assert_int_equal(layer_named(n, "block_inner_conv1")->inputs[0], network_layer(n, "block_a", NULL));
    assert_int_equal(layer_named(n, "block_sum")->inputs[1], network_layer(n, "outside", NULL));
    assert_int_equal(layer_named(n, "block_add")->inputs[1], network_layer(n, "a", NULL));
    assert_int_equal(layer_named(n, "tail")->inputs[0], network_layer(n, "block_inner", NULL));
}

static void test_a_depthwise_separable_block_becomes_plain_layers(void **state)
{
    struct network_case *c = *state;
    char text[1024];
    network_case_need(
        c, "layers: [{conv: {out: 6, kernel: 1}}, {depthwise_separable: {out: 9, kernel: 5, stride: 2}, name: block},\n"
           "  {depthwise_separable: {out: 4}}, global_max_pool, {linear: {out: 10}}]");
    assert_string_equal(
        names(c->network, text),
        "conv1 block_conv1 block_batch_norm1 block_relu1 block_conv2 block_batch_norm2 block "
        "depthwise_separable1_conv1 depthwise_separable1_batch_norm1 depthwise_separable1_relu1 "
        "depthwise_separable1_conv2 depthwise_separable1_batch_norm2 depthwise_separable1 global_max_pool1 linear1");
    assert_int_equal(layer_named(c->network, "block_conv1")->parameters, 6 * 25);
    assert_int_equal(layer_named(c->network, "block_conv2")->parameters, 9 * 6);
    assert_int_equal(layer_named(c->network, "block_conv1")->macs, 14 * 14 * 6 * 25);
    expect_shape(c->network, "block", "[B,14,14,9]");
    expect_shape(c->network, "depthwise_separable1", "[B,14,14,4]");
}

static void test_the_zoo_has_the_sizes_that_are_promised(void **state)
{
    struct network_case *c = *state;
    static const struct {
        const char *yaml;
        int64_t parameters, macs;
    } expected[] = {
        {"{name: cnn, widths: [32, 32, 64, 64, 128], dropout: 0.3}", 140458, 21903104},
        {"{name: cnn, widths: [12, 12, 12, 12], pools: [1, 2], head: weighting}", 4810, 466404},
        {"{name: cnn, widths: [8, 8, 12, 12, 12], pools: [2, 3], head: weighting}", 4926, 805092},
        {"{name: cnn, widths: [8], pools: [0]}", 72 + 16 + 90, 784 * 72 + 80},
        {"{name: mlp, widths: [30, 20], dropout: 0.1}", 785 * 30 + 31 * 20 + 210, 784 * 30 + 600 + 200},
        {"{name: mlp, widths: [128]}", 785 * 128 + 1290, 784 * 128 + 1280},
        {"{name: ds-cnn, stem: 8, widths: [16, 24], strides: [1, 2]}",
         72 + 16 + 72 + 16 + 128 + 32 + 144 + 32 + 384 + 48 + 250, 196 * (72 + 72 + 128) + 49 * (144 + 384) + 240},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        network_case_need(c, expected[i].yaml);
        assert_int_equal(network_count_parameters(c->network), expected[i].parameters);
        assert_int_equal(network_count_macs(c->network), expected[i].macs);
    }
    char text[1024];
    network_case_need(c, "{name: cnn, widths: [4, 4, 4], dropout: 0.3, head: weighting}");
    assert_string_equal(names(c->network, text),
                        "conv1 batch_norm1 relu1 conv2 batch_norm2 relu2 max_pool1 conv3 batch_norm3 relu3 "
                        "weighting flatten1 dropout1 linear1");
}

static void test_every_entry_of_the_tables_is_complete(void **state)
{
    struct network_case *c = *state;
    for (size_t i = 0; i < layer_table_count; i++) {
        assert_true(layer_table[i]->summary && layer_table[i]->build && layer_table[i]->inputs_min >= 1);
        for (size_t o = 0; o < layer_table[i]->n_options; o++)
            assert_non_null(layer_table[i]->options[o].help);
    }
    for (size_t i = 0; i < zoo_table_count; i++) {
        char yaml[64];
        snprintf(yaml, sizeof yaml, "{name: %s}", zoo_table[i]->name);
        assert_non_null(zoo_table[i]->summary);
        network_case_need(c, yaml);
    }
    network_case_need(c, "mlp"); /* a name alone */
}

static void test_standardise_comes_first_where_the_statistics_are_known(void **state)
{
    struct network_case *c = *state;
    const double mean[] = {0.25}, deviation[] = {0.5}, flat[] = {0};
    struct network_input input = network_case_input();
    input.mean = mean;
    input.deviation = deviation;
    const char *layers =
        "layers: [{conv: {out: 2, kernel: 1}, name: a}, {conv: {out: 2, kernel: 1}, inputs: [input], name: b},\n"
        "  {add: , inputs: [a, b]}, global_average_pool, {linear: {out: 10}}]";
    assert_int_equal(network_case_build(c, layers, &input), STATUS_OK);
    assert_string_equal(c->network->layers[0].name, "standardise1");
    assert_int_equal(layer_named(c->network, "a")->inputs[0], 0);
    assert_int_equal(layer_named(c->network, "b")->inputs[0], 0);
    input.deviation = flat; /* only centred */
    assert_int_equal(network_case_build(c, layers, &input), STATUS_OK);
    assert_int_equal(network_case_build(c, "{name: mlp, input: {standardise: none}}", &input), STATUS_OK);
    assert_string_equal(c->network->layers[0].name, "flatten1");
    assert_int_equal(network_case_build(c, "{name: mlp, input: {standardise: auto}}", &input), STATUS_OK);
    assert_string_equal(c->network->layers[0].name, "standardise1");
}

static void test_a_tensor_is_of_one_layer(void **state)
{
    (void)state;
    assert_string_equal(layer_tensor("conv1", "conv1.weight"), "weight");
    assert_string_equal(layer_tensor("a.b", "a.b.running_var"), "running_var");
    assert_null(layer_tensor("a", "a.b.weight"));
    assert_null(layer_tensor("conv1", "conv10.weight"));
    assert_null(layer_tensor("conv1", "conv1"));
    assert_null(layer_tensor("conv10", "conv1.weight"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layers_are_named_by_type_and_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shapes_and_counts_are_those_of_the_formulas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_initial_values_and_decay_follow_the_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_residual_block_becomes_plain_layers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_inside_a_block_are_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_depthwise_separable_block_becomes_plain_layers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_zoo_has_the_sizes_that_are_promised, set_up, tear_down),
        cmocka_unit_test(test_a_tensor_is_of_one_layer),
        cmocka_unit_test_setup_teardown(test_every_entry_of_the_tables_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standardise_comes_first_where_the_statistics_are_known, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
