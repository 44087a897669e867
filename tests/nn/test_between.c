/* A block of a network: which layers lie between two of them, and those alone in a graph, on values that are given. */
#include "support/network_case.h"

#include "graph/program.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, SIDE = 6, CLASSES = 4, WIDTH = 5, PIXELS = SIDE * SIDE };

/* An exit beside the way to the logits, and a sum whose both sides begin with `a`. */
static const char *const recipe = "layers:\n"
                                  "  - {conv: {out: 5, kernel: 3, padding: 1}, name: stem}\n"
                                  "  - {relu: , name: a}\n"
                                  "  - {conv: {out: 5, kernel: 3, padding: 1}, name: b}\n"
                                  "  - {batch_norm: , name: norm}\n"
                                  "  - {add: , inputs: [a, norm], name: sum}\n"
                                  "  - {global_average_pool: , name: pool}\n"
                                  "  - {linear: {out: 4}, name: exit}\n"
                                  "  - {linear: {out: 4}, inputs: [pool], name: last}\n";

struct fixture {
    struct network_case c;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct program *program;
};

static int set_up(void **state)
{
    static struct fixture f;
    const struct network_input input = {.channels = 1, .height = SIDE, .width = SIDE, .classes = CLASSES};
    f = (struct fixture){.kernels = NULL};
    network_case_new(&f.c);
    if (network_case_build(&f.c, recipe, &input) != STATUS_OK)
        fail_msg("%s", f.c.ctx.error.message);
    f.kernels = kernel_context_new(&f.c.ctx, 1);
    f.memory = program_memory_new(&f.c.ctx);
    f.graph = graph_new(&f.c.ctx);
    *state = &f;
    return !f.kernels || !f.memory || !f.graph;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    program_free(f->program);
    graph_free(f->graph);
    program_memory_free(f->memory);
    kernel_context_free(f->kernels);
    return network_case_free(&f->c);
}

static int layer(const struct fixture *f, const char *name)
{
    return network_layer(f->c.network, name, NULL);
}

static struct node *images(struct graph *graph)
{
    return graph_input(graph, "images", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, 1));
}

static void expect_between(const struct fixture *f, const char *from, const char *to, const char *expected)
{
    bool marks[16];
    const struct network *network = f->c.network;
    char found[128] = "";
    const int begin = from ? layer(f, from) : -1;
    assert_int_equal(network_between(network->ctx, network, begin, layer(f, to), NULL, marks), STATUS_OK);
    for (int i = 0; i < network->n_layers; i++)
        if (marks[i]) {
            strcat(found, found[0] ? " " : "");
            strcat(found, network->layers[i].name);
        }
    assert_string_equal(found, expected);
}

static void test_layers_between_are_those_that_the_last_one_needs(void **state)
{
    const struct fixture *f = *state;
    expect_between(f, NULL, "a", "stem a");
    expect_between(f, "a", "sum", "b norm sum");
    expect_between(f, "sum", "last", "pool last");
    expect_between(f, NULL, "last", "stem a b norm sum pool last");
}

static void expect_refused(struct fixture *f, const char *from, const char *to, const char *first, const char *second)
{
    bool marks[16];
    struct context *ctx = &f->c.ctx;
    assert_int_equal(network_between(ctx, f->c.network, layer(f, from), layer(f, to), NULL, marks), STATUS_BAD_INPUT);
    assert_non_null(strstr(ctx->error.message, first));
    assert_non_null(strstr(ctx->error.message, second));
    error_clear(ctx);
}

static void test_what_leads_past_the_first_layer_is_told_by_name(void **state)
{
    struct fixture *f = *state;
    expect_refused(f, "b", "last", "layers behind b", "sum reads a");
    expect_refused(f, "sum", "b", "behind sum", "found b");
    expect_refused(f, "sum", "sum", "behind sum", "found sum");
}

static enum status block(struct fixture *f, const char *from, const char *to, struct node *given, bool frozen,
                         struct instance *instance)
{
    const struct instance_block block = {from ? layer(f, from) : -1, layer(f, to), given};
    return network_instantiate_block(f->graph, f->c.network, f->graph->inputs[0], &block,
                                     (struct instance_mode){.training = !frozen, .frozen = frozen}, instance);
}

/* Block after block, each on what the one before it gives, is the whole network, bit for bit. */
static void test_blocks_in_a_row_are_the_network(void **state)
{
    struct fixture *f = *state;
    struct instance whole, parts[3];
    float pixels[BATCH * PIXELS];
    for (int i = 0; i < BATCH * PIXELS; i++)
        pixels[i] = (float)(i * 29 % 97) / 97;
    struct node *input = images(f->graph);
    const struct instance_mode mode = {.frozen = true};
    assert_int_equal(network_instantiate(f->graph, f->c.network, input, mode, &whole), STATUS_OK);
    assert_int_equal(block(f, NULL, "a", NULL, true, &parts[0]), STATUS_OK);
    assert_int_equal(block(f, "a", "sum", parts[0].layers[layer(f, "a")], true, &parts[1]), STATUS_OK);
    assert_int_equal(block(f, "sum", "last", parts[1].layers[layer(f, "sum")], true, &parts[2]), STATUS_OK);
    assert_null(parts[0].layers[layer(f, "b")]);
    assert_null(parts[0].logits);
    assert_null(parts[1].layers[layer(f, "stem")]);
    assert_null(parts[1].layers[layer(f, "pool")]);
    assert_null(parts[2].layers[layer(f, "exit")]);
    struct node *outputs[] = {whole.logits, parts[2].logits};
    const struct program_spec spec = {.outputs = outputs, .n_outputs = 2, .batch = BATCH, .precision = ELEMENT_F32};
    if (program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
    const void *inputs[] = {pixels};
    assert_int_equal(program_run(f->program, &(struct bindings){inputs, 1, 0}, 0), STATUS_OK);
    const float *a = program_output(f->program, 0), *b = program_output(f->program, 1);
    assert_memory_equal(a, b, BATCH * CLASSES * sizeof *a);
    assert_true(fabsf(a[0] - a[CLASSES]) > 1e-6f); /* and they are something */
}

static void test_a_block_reaches_its_own_parameters_alone(void **state)
{
    struct fixture *f = *state;
    struct instance part;
    images(f->graph);
    struct node *given = graph_input(f->graph, "given", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, WIDTH));
    assert_int_equal(block(f, "a", "sum", given, false, &part), STATUS_OK);
    struct node *loss = graph_mean_all(f->graph, graph_square(f->graph, part.layers[layer(f, "sum")]));
    const struct program_spec spec = {.loss = loss, .updates = true, .batch = BATCH, .precision = ELEMENT_F32};
    if (program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
    const struct parameters *parameters = f->c.network->parameters;
    for (int i = 0; i < parameters->count; i++) {
        const char *name = parameters->entries[i].name;
        const bool inside =
            strncmp(name, "b.", 2) == 0 || strcmp(name, "norm.weight") == 0 || strcmp(name, "norm.bias") == 0;
        assert_int_equal(program_reaches_entry(f->program, parameters, i), inside);
    }
}

static void test_values_of_another_shape_are_refused(void **state)
{
    struct fixture *f = *state;
    struct instance part;
    images(f->graph);
    struct node *given = graph_input(f->graph, "given", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, WIDTH + 1));
    assert_int_equal(block(f, "a", "sum", given, false, &part), STATUS_BAD_SHAPE);
    assert_non_null(strstr(f->c.ctx.error.message, "layer a "));
    error_clear(&f->c.ctx);
}

static enum status block_make(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct network *network = NULL;
    struct instance part;
    struct graph *graph = graph_new(ctx);
    TRY(ctx->error.status);
    TRY(network_rebuild(ctx, user, "net", ELEMENT_F32, 3, &network));
    struct node *pictures = images(graph),
                *given = graph_input(graph, "given", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, WIDTH));
    TRY(ctx->error.status);
    const struct instance_block block = {1, 4, given};
    TRY(network_instantiate_block(graph, network, pictures, &block, (struct instance_mode){.training = true}, &part));
cleanup:
    network_free(network);
    graph_free(graph);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    assert_true(fault_loop(block_make, network_description(f->c.arena, f->c.network)) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layers_between_are_those_that_the_last_one_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_leads_past_the_first_layer_is_told_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocks_in_a_row_are_the_network, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_block_reaches_its_own_parameters_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_of_another_shape_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lack_of_memory_at_any_moment_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
