/* Tokens, as a network that mixes them has them: shapes inside and at the border, parameters and multiplications. */
#include "base/arena.h"
#include "support/network_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static const char mixer[] = "layers:\n"
                            "  - {conv: {out: 6, kernel: 7, stride: 7}, name: patches}\n"
                            "  - {tokens: , name: tokens}\n"
                            "  - {transpose: , name: turned}\n"
                            "  - {linear: {out: 5}, name: across}\n"
                            "  - {linear: {out: 16, bias: false}, name: back}\n"
                            "  - {transpose: , name: again}\n"
                            "  - {add: , inputs: [tokens, again], name: sum}\n"
                            "  - {linear: {out: 9}, name: along}\n"
                            "  - {global_average_pool: , name: mean}\n"
                            "  - {linear: {out: 10}, name: logits}\n";

static const struct {
    int rank;
    int64_t inside[4], outside[3], parameters, macs;
} expected[] = {
    {4, {-1, 4, 4, 6}, {6, 4, 4}, 6 * 49 + 6, 16 * 6 * 49},
    {3, {-1, 16, 6}, {16, 6}, 0, 0},
    {3, {-1, 6, 16}, {6, 16}, 0, 0},
    {3, {-1, 6, 5}, {6, 5}, 16 * 5 + 5, 6 * 16 * 5},
    {3, {-1, 6, 16}, {6, 16}, 5 * 16, 6 * 5 * 16},
    {3, {-1, 16, 6}, {16, 6}, 0, 0},
    {3, {-1, 16, 6}, {16, 6}, 0, 0},
    {3, {-1, 16, 9}, {16, 9}, 6 * 9 + 9, 16 * 6 * 9},
    {2, {-1, 9}, {9}, 0, 0},
    {2, {-1, 10}, {10}, 9 * 10 + 10, 9 * 10},
};

static void test_tokens_have_rows_of_channels_inside_and_outside(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, mixer);
    assert_int_equal(c->network->n_layers, sizeof expected / sizeof *expected);
    const struct value *layers = value_get(network_inspect(c->arena, c->network), "layers");
    assert_non_null(layers);
    for (int i = 0; i < c->network->n_layers; i++) {
        const struct layer *layer = &c->network->layers[i];
        const struct shape inside = shape_of(expected[i].rank, expected[i].inside);
        assert_true(shape_equal(&layer->output, &inside));
        assert_int_equal(layer->parameters, expected[i].parameters);
        assert_int_equal(layer->macs, expected[i].macs);
        const struct value *output = value_get(layers->items[i], "output");
        assert_non_null(output);
        assert_int_equal(output->count, expected[i].rank - 1);
        for (int k = 0; k + 1 < expected[i].rank; k++)
            assert_int_equal(output->items[k]->integer, expected[i].outside[k]);
    }
}

static void test_a_map_is_resized_and_padded(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, "layers:\n"
                         "  - {resize: {size: [14, 20], mode: bilinear}}\n"
                         "  - {pad: {top: 1, right: 2, front: 3, back: 4}}\n"
                         "  - flatten\n"
                         "  - {linear: {out: 10}}\n");
    const struct shape resized = SHAPE(SHAPE_BATCH, 14, 20, 1), padded = SHAPE(SHAPE_BATCH, 15, 22, 8);
    assert_true(shape_equal(&c->network->layers[0].output, &resized));
    assert_true(shape_equal(&c->network->layers[1].output, &padded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tokens_have_rows_of_channels_inside_and_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_map_is_resized_and_padded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
