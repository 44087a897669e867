/* A network's named outputs: read, shown, kept in its description, and extracted. */
#include "support/network_case.h"

#include "graph/program.h"
#include "nn/layer.h"
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

static const char exits[] = "layers:\n"
                            "  - {conv: {out: 4, kernel: 3, padding: 1}, name: stem}\n"
                            "  - batch_norm\n"
                            "  - {relu: , name: a}\n"
                            "  - {global_average_pool: , name: early}\n"
                            "  - {linear: {out: 10}, name: exit}\n"
                            "  - {conv: {out: 6, kernel: 3, stride: 2}, inputs: [a], name: b}\n"
                            "  - {global_average_pool: , name: late}\n"
                            "  - {linear: {out: 10}, name: last}\n"
                            "  - {linear: {out: 3}, inputs: [late], name: helper}\n"
                            "outputs: {logits: last, exit1: exit, embedding: late}\n";

static void test_outputs_are_layers_by_name(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, exits);
    const struct network *network = c->network;
    assert_int_equal(network->n_outputs, 3);
    assert_int_equal(network->logits, network_layer(network, "last", NULL));
    assert_int_equal(network_output(network, "logits"), network->logits);
    assert_int_equal(network_output(network, "exit1"), network_layer(network, "exit", NULL));
    assert_int_equal(network_output(network, "exit"), -1);
    struct value *map = network_inspect(c->arena, network);
    assert_int_equal(value_path(map, "outputs")->count, 3);
    assert_string_equal(value_path(map, "outputs.logits")->text, "last");
    assert_string_equal(value_path(map, "outputs.embedding")->text, "late");
    network_case_need(c, "{name: resnet, depth: 8, outputs: {logits: linear1, middle: block2}}");
    assert_int_equal(network_output(c->network, "middle"), network_layer(c->network, "block2", NULL));
    network_case_need(c, "{name: mlp}");
    assert_int_equal(c->network->n_outputs, 1);
    assert_string_equal(c->network->outputs[0].name, "logits");
}

static void test_the_description_keeps_them_and_may_lack_them(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, exits);
    struct value *description = network_description(c->arena, c->network);
    struct network *again = NULL;
    assert_int_equal(network_rebuild(&c->ctx, description, "net", ELEMENT_F32, 3, &again), STATUS_OK);
    assert_int_equal(again->n_outputs, 3);
    assert_int_equal(again->logits, c->network->logits);
    assert_true(value_equal(description, network_description(c->arena, again)));
    network_free(again);
    /* As files were before there were outputs. */
    network_case_need(c, "{name: mlp}");
    static const char *const outputs[] = {"outputs"};
    struct value *old = value_without(c->arena, network_description(c->arena, c->network), outputs, 1);
    assert_null(value_get(old, "outputs"));
    assert_int_equal(network_rebuild(&c->ctx, old, "net", ELEMENT_F32, 3, &again), STATUS_OK);
    assert_int_equal(again->logits, again->n_layers - 1);
    network_free(again);
}

static void test_what_is_no_output_is_told(void **state)
{
    struct network_case *c = *state;
    struct network_input input = network_case_input();
    static const struct {
        const char *outputs, *message;
    } bad[] = {
        {"outputs: {logits: lst}", "recipe.yaml:2:19: network net has no layer \"lst\"; nearest: \"last\""},
        {"outputs: {exit1: last}", "recipe.yaml:2:10: outputs: expected one named logits, found only exit1"},
        {"outputs: {logits: first}",
         "recipe.yaml:2:10: network net: its output logits, first, gives [B,784], expected [B,10]: a logit for each"},
        {"outputs: {}", "recipe.yaml:2:10: outputs: expected {logits: LAYER, …}, found an empty map"},
        {"outputs: last", "recipe.yaml:2:10: outputs: expected {logits: LAYER, …}, found \"last\""},
        {"outputs: {logits: last, a b: first}", "recipe.yaml:2:30: an output's name consists of letters"},
        {"outputs: {logits: 3}", "recipe.yaml:2:19: output logits: expected a layer's name, found 3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "layers: [{flatten: , name: first}, {linear: {out: 10}, name: last}]\n%s\n",
                 bad[i].outputs);
        if (network_case_build(c, yaml, &input) == STATUS_OK)
            fail_msg("%s gave a network", bad[i].outputs);
        if (strncmp(c->ctx.error.message, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %s", bad[i].outputs, c->ctx.error.message);
    }
}

enum { BATCH = 2, PIXELS = 28 * 28 };

/* output_values: `count` values of a batch of two in evaluation mode. */
static void output_values(struct context *ctx, const struct network *network, const char *output, int count, float *out)
{
    struct kernel_context *kernels = kernel_context_new(ctx, 1);
    struct program_memory *memory = program_memory_new(ctx);
    struct graph *graph = graph_new(ctx);
    struct program *program = NULL;
    struct instance instance;
    static float images[BATCH * PIXELS];
    for (int i = 0; i < BATCH * PIXELS; i++)
        images[i] = (float)(i * 31 % 97) / 97;
    struct node *input = graph_input(graph, "images", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 28, 28, 1));
    struct instance_mode mode = {.training = false, .frozen = true};
    assert_int_equal(network_instantiate(graph, network, input, mode, &instance), STATUS_OK);
    struct node *wanted = instance.layers[network_output(network, output)];
    struct program_spec spec = {.outputs = &wanted, .n_outputs = 1, .batch = BATCH, .precision = ELEMENT_F32};
    assert_int_equal(program_compile(graph, &spec, kernels, memory, &program), STATUS_OK);
    const void *inputs[] = {images};
    struct bindings bindings = {.inputs = inputs};
    assert_int_equal(program_run(program, &bindings, 0), STATUS_OK);
    memcpy(out, program_output(program, 0), (size_t)(BATCH * count) * sizeof *out);
    program_free(program);
    graph_free(graph);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

/* shift: values that no seed would give. */
static void shift(struct network *network)
{
    struct parameters *p = network->parameters;
    for (int i = 0; i < p->count; i++) {
        double values[256];
        assert_true(p->entries[i].elements <= 256);
        parameters_get(p, i, values);
        for (int64_t j = 0; j < p->entries[i].elements; j++)
            values[j] += 0.01 * (double)(i + 1) + 0.001 * (double)j;
        parameters_set(p, i, values);
    }
}

static struct network *extract(struct network_case *c, int count, const char *const *outputs)
{
    struct network *part = NULL;
    if (network_extract(c->network, count, outputs, &part) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return part;
}

static void test_an_extract_holds_what_its_outputs_need(void **state)
{
    struct network_case *c = *state;
    float whole[BATCH * 10], part[BATCH * 10];
    network_case_need(c, exits);
    shift(c->network);
    struct network *logits = extract(c, 1, (const char *const[]){"logits"});
    assert_int_equal(logits->n_layers, 6);
    assert_int_equal(logits->n_outputs, 1);
    assert_int_equal(network_count_parameters(logits), 40 + 8 + 222 + 70);
    assert_int_equal(logits->parameters->count, 10);
    output_values(&c->ctx, c->network, "logits", 10, whole);
    output_values(&c->ctx, logits, "logits", 10, part);
    assert_memory_equal(whole, part, sizeof whole);
    assert_true(whole[0] != whole[1]);
    network_free(logits);

    struct network *both = extract(c, 2, (const char *const[]){"exit1", "logits"});
    assert_int_equal(both->n_layers, 8);
    assert_string_equal(both->outputs[0].name, "exit1");
    assert_int_equal(both->logits, network_layer(both, "last", NULL));
    output_values(&c->ctx, c->network, "exit1", 10, whole);
    output_values(&c->ctx, both, "exit1", 10, part);
    assert_memory_equal(whole, part, sizeof whole);
    network_free(both);
}

static void test_the_first_output_becomes_the_logits_where_they_are_left_out(void **state)
{
    struct network_case *c = *state;
    float whole[BATCH * 10], part[BATCH * 10];
    network_case_need(c, exits);
    shift(c->network);
    struct network *early = extract(c, 1, (const char *const[]){"exit1"});
    assert_int_equal(early->n_layers, 5);
    assert_string_equal(early->outputs[0].name, "logits");
    assert_string_equal(early->layers[early->logits].name, "exit");
    output_values(&c->ctx, c->network, "exit1", 10, whole);
    output_values(&c->ctx, early, "logits", 10, part);
    assert_memory_equal(whole, part, sizeof whole);
    network_free(early);
}

static void test_what_cannot_be_extracted_is_told(void **state)
{
    struct network_case *c = *state;
    static const struct {
        const char *output, *message;
    } bad[] = {
        {"exit2", "network net has no output \"exit2\"; nearest: \"exit1\""},
        {"helper", "network net has no output \"helper\"; `retort inspect` shows its outputs"},
        {"embedding", "network net: its output logits, late, gives [B,6], expected [B,10]: a logit for each class"},
    };
    struct network *part = NULL;
    network_case_need(c, exits);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(network_extract(c->network, 1, &bad[i].output, &part), STATUS_OK);
        assert_string_equal(c->ctx.error.message, bad[i].message);
        assert_null(part);
        error_clear(&c->ctx);
    }
    assert_int_not_equal(network_extract(c->network, 0, NULL, &part), STATUS_OK);
    assert_string_equal(c->ctx.error.message, "network net: expected at least one output to extract, found none");
    error_clear(&c->ctx);
}

static enum status extract_everything(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct network *network = NULL, *part = NULL;
    const struct value *description = user;
    TRY(network_rebuild(ctx, description, "net", ELEMENT_F32, 3, &network));
    TRY(network_extract(network, 2, (const char *const[]){"exit1", "logits"}, &part));
cleanup:
    network_free(network);
    network_free(part);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    struct network_case *c = *state;
    network_case_need(c, exits);
    assert_true(fault_loop(extract_everything, network_description(c->arena, c->network)) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_outputs_are_layers_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_description_keeps_them_and_may_lack_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_output_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_extract_holds_what_its_outputs_need, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_first_output_becomes_the_logits_where_they_are_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_extracted_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lack_of_memory_at_any_moment_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
