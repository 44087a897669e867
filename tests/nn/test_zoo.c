/* Networks by name have the sizes of their papers, and say what they cannot be. */
#include "support/network_case.h"

#include "nn/layer.h"

#include <math.h>
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

static const struct network *build(struct network_case *c, const char *yaml, int size, int classes)
{
    struct network_input input = {.channels = 3, .height = size, .width = size, .classes = classes};
    if (network_case_build(c, yaml, &input) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return c->network;
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

/* Exact counts; the papers print them rounded. macs 0: not compared. */
static void test_parameter_counts_are_those_of_the_papers(void **state)
{
    struct network_case *c = *state;
    static const struct {
        const char *yaml;
        int size, classes;
        int64_t parameters, macs;
    } expected[] = {
        /* He 2016, table 6: 0.27 M, 0.46 M, 0.66 M, 0.85 M, 1.7 M (option A). The digits: what the shapes of the
         * paper's figure come to, e.g. depth 20: 432 + 32 + 14,016 + 51,072 + 203,520 + 650. */
        {"{name: resnet, depth: 20}", 32, 10, 269722, 40551040},
        {"{name: resnet, depth: 32}", 32, 10, 464154, 0},
        {"{name: resnet, depth: 44}", 32, 10, 658586, 0},
        {"{name: resnet, depth: 56}", 32, 10, 853018, 0},
        {"{name: resnet, depth: 110}", 32, 10, 1727962, 0},
        /* Option B adds two 1x1 convolutions with batch norm: 16 * 32 + 64 and 32 * 64 + 128. */
        {"{name: resnet, depth: 20, shortcut: projection}", 32, 10, 269722 + 2752, 0},
        /* Hu 2018, section 3: with ratio 16 each block of C channels adds 2 C C/16 + C/16 + C. */
        {"{name: resnet, depth: 20, squeeze: 16}", 32, 10, 269722 + 3 * (49 + 162 + 580), 0},
        /* Zagoruyko 2016, tables 2 to 4: 2.7 M, 36.5 M, 0.6 M, 2.2 M. */
        {"{name: wrn, depth: 16, width: 4}", 32, 10, 2748890, 0},
        {"{name: wrn, depth: 28, width: 10}", 32, 10, 36479194, 0},
        {"{name: wrn, depth: 40, width: 1}", 32, 10, 563930, 0},
        {"{name: wrn, depth: 40, width: 2, dropout: 0.3, stochastic_depth: 0.2}", 32, 10, 2243546, 0},
        /* Simonyan 2015, table 1, D: 14,714,688 in the convolutions, which the form for small images keeps. */
        {"{name: vgg, depth: 16}", 32, 10, 14714688 + 2 * 4224 + 5130, 0},
        {"{name: vgg, depth: 11, hidden: [512, 512], dropout: 0.5}", 32, 10, 9225984 + 2 * 262656 + 5130, 0},
        {"{name: vgg, depth: 13, width: 8}", 32, 10, 148850, 0},
        {"{name: vgg, depth: 13, width: 8, batch_norm: false}", 32, 10, 148850 - 2 * 368, 0},
        {"{name: vgg, depth: 19, width: 8}", 32, 10, 315698, 0},
        /* Howard 2017, table 8: 4.2 M (569 M multiplications); table 6: 2.6 M, 1.3 M, 0.5 M. */
        {"{name: mobilenet-v1, form: imagenet}", 224, 1000, 4231976, 568740352},
        {"{name: mobilenet-v1, width: 0.75}", 32, 1000, 2585560, 0},
        {"{name: mobilenet-v1, width: 0.5}", 32, 1000, 1331592, 0},
        {"{name: mobilenet-v1, width: 0.25}", 32, 1000, 470072, 0},
        /* Sandler 2018, table 4: 3.4 M and 300 M multiplications, rounded before the last 0.1 M; the shapes of table 2
         * come to 3,504,872. Other widths by the authors' rule of rounding. */
        {"{name: mobilenet-v2, form: imagenet}", 224, 1000, 3504872, 300774272},
        {"{name: mobilenet-v2, width: 0.75}", 32, 1000, 2636424, 0},
        {"{name: mobilenet-v2, width: 0.5}", 32, 1000, 1968680, 0},
        {"{name: mobilenet-v2, width: 0.25}", 32, 1000, 1519112, 0},
        /* Tolstikhin 2021, table 1: Mixer-S/16 has 18 M (the exact figure: 393,728 + 8 * 2,202,564 + 1,024 + 513,000). */
        {"{name: mlp-mixer, patch: 16, width: 512, depth: 8, token_hidden: 256, channel_hidden: 2048}", 224, 1000,
         18528264, 0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct network *network = build(c, expected[i].yaml, expected[i].size, expected[i].classes);
        int64_t parameters = network_count_parameters(network), macs = network_count_macs(network);
        if (parameters != expected[i].parameters || (expected[i].macs && macs != expected[i].macs))
            fail_msg("%s: %lld parameters, %lld macs; expected %lld, %lld", expected[i].yaml, (long long)parameters,
                     (long long)macs, (long long)expected[i].parameters, (long long)expected[i].macs);
    }
}

static void test_maps_have_the_sizes_that_are_promised(void **state)
{
    struct network_case *c = *state;
    const struct network *network = build(c, "{name: resnet, depth: 8}", 28, 10);
    expect_shape(network, "block1", "[B,28,28,16]");
    expect_shape(network, "block2", "[B,14,14,32]");
    expect_shape(network, "block3", "[B,7,7,64]");
    expect_shape(network, "block3_pad_shortcut", "[B,7,7,64]");
    network = build(c, "{name: wrn, depth: 10, width: 2}", 33, 10);
    expect_shape(network, "block1", "[B,33,33,32]");
    expect_shape(network, "block3", "[B,9,9,128]");
    network = build(c, "{name: vgg}", 32, 10);
    expect_shape(network, "max_pool5", "[B,1,1,512]");
    network = build(c, "{name: vgg}", 28, 10);
    expect_shape(network, "max_pool4", "[B,1,1,512]");
    assert_int_equal(network_layer(network, "max_pool5", NULL), -1);
    error_clear(&c->ctx);
    network = build(c, "{name: mobilenet-v1, width: 0.25}", 32, 10);
    expect_shape(network, "block13", "[B,2,2,256]");
    network = build(c, "{name: mobilenet-v2, width: 0.25}", 28, 10);
    expect_shape(network, "block17", "[B,4,4,80]");
    network = build(c, "{name: mobilenet-v2, width: 0.25, form: imagenet}", 96, 10);
    expect_shape(network, "block17", "[B,3,3,80]");
}

static void test_stochastic_depth_grows_evenly(void **state)
{
    struct network_case *c = *state;
    static const char *const yaml[] = {"{name: resnet, depth: 14, stochastic_depth: 0.3}",
                                       "{name: wrn, depth: 16, width: 1, stochastic_depth: 0.3}"};
    for (int i = 0; i < 2; i++) {
        const struct network *network = build(c, yaml[i], 28, 10);
        struct value *map = network_inspect(c->arena, network);
        int found = 0;
        for (int l = 0; l < network->n_layers; l++) {
            char path[64];
            snprintf(path, sizeof path, "layers.%d.options.rate", l);
            if (strcmp(network->layers[l].type->name, "stochastic_depth") == 0)
                assert_true(fabs(value_path(map, path)->real - 0.05 * ++found) < 1e-12);
        }
        assert_int_equal(found, 6);
    }
    network_case_need(c, "{name: mobilenet-v2, width: 0.25, stochastic_depth: 0.34}");
    struct value *map = network_description(c->arena, c->network);
    char path[64];
    snprintf(path, sizeof path, "layers.%d.stochastic_depth.rate",
             network_layer(c->network, "block15_stochastic_depth", NULL));
    assert_true(fabs(value_path(map, path)->real - 0.3) < 1e-12);
}

static void test_what_a_network_cannot_be_is_told(void **state)
{
    struct network_case *c = *state;
    struct network_input input = network_case_input();
    static const struct {
        const char *yaml, *message;
    } bad[] = {
        {"{name: resnet, depth: 21}",
         "recipe.yaml:1:1: network resnet: expected a depth of 6n + 2 (8, 14, 20, 26, 32, 44, 56, 110 …), found 21"},
        {"{name: resnet, depth: 2}", "recipe.yaml:1:23: network resnet, \"depth\": expected"},
        {"{name: wrn, depth: 17}",
         "recipe.yaml:1:1: network wrn: expected a depth of 6n + 4 (10, 16, 22, 28, 40 …), found 17"},
        {"{name: vgg, depth: 12}", "recipe.yaml:1:1: network vgg: expected a depth of 11, 13, 16 or 19, found 12"},
        {"{name: mobilenet-v3}", "recipe.yaml:1:8: no network \"mobilenet-v3\"; nearest: \"mobilenet-v"},
        {"{name: mobilenet-v2, width: 0}", "recipe.yaml:1:29: network mobilenet-v2, \"width\": expected"},
        {"{name: mlp-mixer, patch: 5}",
         "recipe.yaml:1:1: network mlp-mixer: expected a patch that divides the image, 28x28, found 5"},
        {"{name: mobilenet-v1, form: large}", "recipe.yaml:1:28: network mobilenet-v1, \"form\": expected"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (network_case_build(c, bad[i].yaml, &input) == STATUS_OK)
            fail_msg("%s gave a network", bad[i].yaml);
        if (strncmp(c->ctx.error.message, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %s", bad[i].yaml, c->ctx.error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parameter_counts_are_those_of_the_papers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maps_have_the_sizes_that_are_promised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stochastic_depth_grows_evenly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_network_cannot_be_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
