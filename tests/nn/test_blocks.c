/* Blocks of the networks that people know become plain layers with the names, shapes and counts of their papers. */
#include "support/network_case.h"

#include "nn/layer.h"
#include "recipe/recipe.h"
#include "support/fault_loop.h"

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

/* need: a network of 8-channel maps 14x14, then the item, then a head. */
static const struct network *need(struct network_case *c, const char *item)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "layers:\n  - {conv: {out: 8, kernel: 3, padding: 1, stride: 2}, name: x}\n  - %s\n"
             "  - global_average_pool\n  - {linear: {out: 10}, name: last}\n",
             item);
    network_case_need(c, yaml);
    return c->network;
}

/* expect_layers: the names between the first layer and the head. */
static void expect_layers(const struct network *network, const char *expected)
{
    char text[1024] = "";
    size_t used = 0;
    for (int i = 1; i < network->n_layers - 2; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 1 ? " " : "", network->layers[i].name);
    assert_string_equal(text, expected);
}

static const struct layer *layer_named(const struct network *network, const char *name)
{
    int i = network_layer(network, name, NULL);
    assert_true(i >= 0);
    return &network->layers[i];
}

static int input_of(const struct network *network, const char *name, int i)
{
    return layer_named(network, name)->inputs[i];
}

static void expect_shape(const struct network *network, const char *name, const char *shape)
{
    char text[SHAPE_TEXT_SIZE];
    assert_string_equal(shape_text(&layer_named(network, name)->output, text), shape);
}

static int64_t parameters_between(const struct network *network)
{
    return network_count_parameters(network) - layer_named(network, "x")->parameters -
           layer_named(network, "last")->parameters;
}

static void test_squeeze_and_excite(void **state)
{
    const struct network *n = need(*state, "{squeeze_excite: {ratio: 4}, name: se}");
    expect_layers(n, "se_squeeze se_linear1 se_relu se_linear2 se_gate se");
    expect_shape(n, "se_squeeze", "[B,8]");
    expect_shape(n, "se_linear1", "[B,2]");
    expect_shape(n, "se", "[B,14,14,8]");
    assert_string_equal(layer_named(n, "se_gate")->type->name, "sigmoid");
    assert_int_equal(input_of(n, "se", 0), network_layer(n, "x", NULL));
    assert_int_equal(input_of(n, "se", 1), network_layer(n, "se_gate", NULL));
    assert_int_equal(parameters_between(n), 8 * 2 + 2 + 2 * 8 + 8);
    n = need(*state, "{squeeze_excite: {ratio: 100, gate: hard_sigmoid, activation: none}, name: se}");
    expect_layers(n, "se_squeeze se_linear1 se_linear2 se_gate se");
    expect_shape(n, "se_linear1", "[B,1]");
    assert_string_equal(layer_named(n, "se_gate")->type->name, "hard_sigmoid");
}

static void test_a_residual_block_with_a_shortcut_of_zeros(void **state)
{
    static const char item[] = "{residual: {layers: [{conv: {out: 12, kernel: 3, stride: 2, padding: 1}, name: c}], "
                               "shortcut: zeros, stochastic_depth: 0.2}, name: r}";
    const struct network *n = need(*state, item);
    expect_layers(n, "r_c r_pool_shortcut r_pad_shortcut r_stochastic_depth r_add r");
    expect_shape(n, "r_pool_shortcut", "[B,7,7,8]");
    expect_shape(n, "r_pad_shortcut", "[B,7,7,12]");
    assert_int_equal(input_of(n, "r_add", 0), network_layer(n, "r_stochastic_depth", NULL));
    assert_int_equal(input_of(n, "r_add", 1), network_layer(n, "r_pad_shortcut", NULL));
    assert_int_equal(parameters_between(n), 12 * 8 * 9 + 12);
    struct value *layers = value_get(network_description(((struct network_case *)*state)->arena, n), "layers");
    struct value *pool = layers->items[network_layer(n, "r_pool_shortcut", NULL)];
    assert_int_equal(value_path(pool, "average_pool.kernel")->integer, 1); /* positions as they are */
    assert_int_equal(value_path(pool, "average_pool.stride")->integer, 2);
    n = need(*state, "{residual: {layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}}], shortcut: zeros, "
                     "activation: none}, name: r}");
    expect_layers(n, "r_conv1 r_pool_shortcut r");
    n = need(*state, "{residual: {layers: [{conv: {out: 9, kernel: 1}}], shortcut: zeros}, name: r}");
    expect_layers(n, "r_conv1 r_pad_shortcut r_add r");
}

static void test_a_preactivation_block(void **state)
{
    const struct network *n = need(*state, "{preactivation: {out: 8}, name: p}");
    expect_layers(n, "p_batch_norm1 p_relu1 p_conv1 p_batch_norm2 p_relu2 p_conv2 p");
    assert_int_equal(input_of(n, "p", 1), network_layer(n, "x", NULL));
    assert_int_equal(parameters_between(n), 2 * 16 + 2 * 8 * 8 * 9);
    n = need(*state, "{preactivation: {out: 12, stride: 2, dropout: 0.3, stochastic_depth: 0.1, squeeze: 4, "
                     "activation: relu6}, name: p}");
    expect_layers(n, "p_batch_norm1 p_relu61 p_conv1 p_batch_norm2 p_relu62 p_dropout1 p_conv2 "
                     "p_squeeze_excite1_squeeze p_squeeze_excite1_linear1 p_squeeze_excite1_relu "
                     "p_squeeze_excite1_linear2 p_squeeze_excite1_gate p_squeeze_excite1 p_conv_shortcut "
                     "p_stochastic_depth p");
    expect_shape(n, "p", "[B,7,7,12]");
    assert_int_equal(input_of(n, "p_conv_shortcut", 0), network_layer(n, "p_relu61", NULL));
    assert_int_equal(input_of(n, "p", 1), network_layer(n, "p_conv_shortcut", NULL));
}

static void test_an_inverted_residual_block(void **state)
{
    const struct network *n = need(*state, "{inverted_residual: {out: 8}, name: i}");
    expect_layers(n, "i_expand i_batch_norm1 i_relu61 i_depthwise i_batch_norm2 i_relu62 i_project i_norm i");
    expect_shape(n, "i_depthwise", "[B,14,14,48]");
    assert_int_equal(input_of(n, "i", 1), network_layer(n, "x", NULL));
    assert_int_equal(parameters_between(n), 8 * 48 + 96 + 9 * 48 + 96 + 48 * 8 + 16);
    n = need(*state, "{inverted_residual: {out: 6, expand: 1, kernel: 5, stride: 2, activation: relu, squeeze: 8}, "
                     "name: i}");
    expect_layers(n, "i_depthwise i_batch_norm1 i_relu1 i_squeeze_excite1_squeeze i_squeeze_excite1_linear1 "
                     "i_squeeze_excite1_relu i_squeeze_excite1_linear2 i_squeeze_excite1_gate i_squeeze_excite1 "
                     "i_project i");
    assert_string_equal(layer_named(n, "i")->type->name, "batch_norm");
    expect_shape(n, "i", "[B,7,7,6]");
    n = need(*state, "{inverted_residual: {out: 8, stochastic_depth: 0.5}, name: i}");
    assert_int_equal(input_of(n, "i", 0), network_layer(n, "i_stochastic_depth", NULL));
}

static void test_what_a_block_cannot_take_is_told(void **state)
{
    struct network_case *c = *state;
    struct network_input input = network_case_input();
    static const struct {
        const char *item, *message;
    } bad[] = {
        {"{squeeze_excite: , name: b}", "recipe.yaml:3:5: squeeze_excite b: expected a map [B,H,W,C], found [B,784]"},
        {"{preactivation: {out: 4}, name: b}",
         "recipe.yaml:3:5: preactivation b: expected a map [B,H,W,C], found [B,784]"},
        {"{inverted_residual: {out: 4}, name: b}",
         "recipe.yaml:3:5: inverted_residual b: expected a map [B,H,W,C], found [B,784]"},
        {"{inverted_residual: {out: 4, kernel: 2}, name: b}",
         "recipe.yaml:3:5: inverted_residual b: expected an odd kernel, found 2"},
        {"{residual: {layers: [{conv: {out: 2, kernel: 1}}], shortcut: zeros}, inputs: [wide], name: b}",
         "recipe.yaml:3:5: residual b: `shortcut: zeros` cannot take 3 channels to 2; use `projection`"},
        {"{mul: , inputs: [flat, wide], name: b}", "recipe.yaml:3:5: net.b: its inputs are all maps or all vectors"},
        {"{mul: , inputs: [wide, flat], name: b}", "recipe.yaml:3:5: net.b: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "layers: [{conv: {out: 3, kernel: 1}, name: wide}, {flatten: , inputs: [input], name: flat},\n\n"
                 "    %s]\n",
                 bad[i].item);
        if (network_case_build(c, yaml, &input) == STATUS_OK)
            fail_msg("%s gave a network", bad[i].item);
        if (strncmp(c->ctx.error.message, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %s", bad[i].item, c->ctx.error.message);
    }
}

static enum status build_everything(struct context *ctx, void *user)
{
    static const char *const yaml[] = {
        "layers: [{conv: {out: 4, kernel: 3}}, {preactivation: {out: 6, stride: 2, squeeze: 2, dropout: 0.1}},\n"
        "  {inverted_residual: {out: 6, stochastic_depth: 0.1}}, {squeeze_excite: }, {residual: {shortcut: zeros,\n"
        "  layers: [{conv: {out: 8, kernel: 3, stride: 2, padding: 1}}]}}, flatten, {linear: {out: 10}}]\n",
        "{name: resnet, depth: 8, squeeze: 2, stochastic_depth: 0.1, outputs: {logits: linear1, exit: block1}}",
        "{name: mlp-mixer, depth: 1, width: 4, dropout: 0.1}",
    };
    (void)user;
    enum status status = STATUS_OK;
    struct network_input input = network_case_input();
    struct network *network = NULL;
    struct value *description;
    struct arena *arena = arena_new(ctx);
    TRY(arena ? STATUS_OK : ctx->error.status);
    for (size_t i = 0; i < sizeof yaml / sizeof yaml[0]; i++) {
        TRY(recipe_parse(ctx, arena, "recipe.yaml", yaml[i], strlen(yaml[i]), &description));
        TRY(network_build(ctx, description, "net", &input, ELEMENT_F32, 3, &network));
        network_free(network);
        network = NULL;
    }
cleanup:
    network_free(network);
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
        cmocka_unit_test_setup_teardown(test_squeeze_and_excite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_residual_block_with_a_shortcut_of_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_preactivation_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_inverted_residual_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_block_cannot_take_is_told, set_up, tear_down),
        cmocka_unit_test(test_lack_of_memory_at_any_moment_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
