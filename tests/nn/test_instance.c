/* One network in any number of graphs and modes: batch statistics, dropout, frozen parameters, bytes and reals. */
#include "support/network_case.h"

#include "graph/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6, HEIGHT = 5, WIDTH = 4, CHANNELS = 2, PIXELS = HEIGHT * WIDTH * CHANNELS, CLASSES = 3 };

static const char *const recipe = "layers:\n"
                                  "  - {conv: {out: 4, kernel: 3, padding: 1}}\n"
                                  "  - batch_norm\n"
                                  "  - relu\n"
                                  "  - {dropout: {rate: 0.4}}\n"
                                  "  - global_average_pool\n"
                                  "  - {linear: {out: 3}}\n";

struct fixture {
    struct network_case c;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct program *program;
    unsigned char bytes[BATCH * PIXELS];
    float reals[BATCH * PIXELS]; /* bytes / 255 */
};

static int set_up(void **state)
{
    static struct fixture f;
    const double mean[] = {0.4, 0.6}, deviation[] = {0.3, 0.2};
    struct network_input input = {CHANNELS, HEIGHT, WIDTH, CLASSES, mean, deviation};
    f = (struct fixture){.kernels = NULL};
    network_case_new(&f.c);
    if (network_case_build(&f.c, recipe, &input) != STATUS_OK)
        fail_msg("%s", f.c.ctx.error.message);
    f.kernels = kernel_context_new(&f.c.ctx, 1);
    f.memory = program_memory_new(&f.c.ctx);
    f.graph = graph_new(&f.c.ctx);
    for (int i = 0; i < BATCH * PIXELS; i++) {
        f.bytes[i] = (unsigned char)(i * 37 % 251);
        f.reals[i] = (float)f.bytes[i] / 255;
    }
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

static struct node *images(struct fixture *f, enum element element)
{
    return graph_input(f->graph, "images", element, SHAPE(SHAPE_BATCH, HEIGHT, WIDTH, CHANNELS));
}

static struct instance instantiate(struct fixture *f, struct node *input, bool training, bool frozen)
{
    struct instance instance;
    struct instance_mode mode = {.training = training, .frozen = frozen};
    if (network_instantiate(f->graph, f->c.network, input, mode, &instance) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
    return instance;
}

static void compile(struct fixture *f, struct node *loss, struct node *const *outputs, int n, int64_t batch)
{
    struct program_spec spec = {
        .loss = loss, .outputs = outputs, .n_outputs = n, .updates = true, .batch = batch, .precision = ELEMENT_F32};
    program_free(f->program);
    f->program = NULL;
    if (program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
}

static void run(struct fixture *f, const void *input, const void *second, uint64_t step, unsigned flags)
{
    const void *inputs[] = {input, second};
    struct bindings bindings = {inputs, 11, step};
    if (program_run(f->program, &bindings, flags) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
}

/* The logits of `count` samples behind a run. */
static void logits(struct fixture *f, int output, int count, float *out)
{
    memcpy(out, program_output(f->program, output), (size_t)count * CLASSES * sizeof(float));
}

static double farthest(const float *a, const float *b, int count)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void test_bytes_and_reals_give_the_same_logits(void **state)
{
    struct fixture *f = *state;
    struct node *outputs[] = {instantiate(f, images(f, ELEMENT_U8), false, true).logits,
                              instantiate(f, images(f, ELEMENT_REAL), false, true).logits};
    float a[BATCH * CLASSES], b[BATCH * CLASSES];
    compile(f, NULL, outputs, 2, BATCH);
    run(f, f->bytes, f->reals, 0, 0);
    logits(f, 0, BATCH, a);
    logits(f, 1, BATCH, b);
    assert_true(farthest(a, b, BATCH * CLASSES) < 1e-5);
    assert_true(fabsf(a[0] - a[1]) > 1e-4f); /* and they are something */
}

static void test_bytes_become_unit_range_without_a_standardise_layer(void **state)
{
    struct fixture *f = *state;
    struct network_input input = {CHANNELS, HEIGHT, WIDTH, CLASSES, NULL, NULL};
    assert_int_equal(network_case_build(&f->c, recipe, &input), STATUS_OK);
    assert_string_equal(f->c.network->layers[0].name, "conv1");
    struct node *outputs[] = {instantiate(f, images(f, ELEMENT_U8), false, true).logits,
                              instantiate(f, images(f, ELEMENT_REAL), false, true).logits};
    float a[BATCH * CLASSES], b[BATCH * CLASSES];
    compile(f, NULL, outputs, 2, BATCH);
    run(f, f->bytes, f->reals, 0, 0);
    logits(f, 0, BATCH, a);
    logits(f, 1, BATCH, b);
    assert_true(farthest(a, b, BATCH * CLASSES) < 1e-5);
}

static void test_evaluation_treats_each_sample_alone_and_training_does_not(void **state)
{
    struct fixture *f = *state;
    struct node *input = images(f, ELEMENT_REAL);
    struct node *outputs[] = {instantiate(f, input, false, false).logits, instantiate(f, input, true, false).logits};
    float all[2][BATCH * CLASSES], few[2][BATCH * CLASSES];
    compile(f, NULL, outputs, 2, BATCH);
    run(f, f->reals, NULL, 0, 0);
    logits(f, 0, BATCH, all[0]);
    logits(f, 1, BATCH, all[1]);
    compile(f, NULL, outputs, 2, 2);
    run(f, f->reals, NULL, 0, 0);
    logits(f, 0, 2, few[0]);
    logits(f, 1, 2, few[1]);
    assert_true(farthest(all[0], few[0], 2 * CLASSES) < 1e-6);
    assert_true(farthest(all[1], few[1], 2 * CLASSES) > 1e-3);
}

static void test_dropout_and_running_statistics_belong_to_training(void **state)
{
    struct fixture *f = *state;
    struct node *input = images(f, ELEMENT_REAL);
    struct node *outputs[] = {instantiate(f, input, false, false).logits, instantiate(f, input, true, false).logits};
    float before[2][BATCH * CLASSES], after[2][BATCH * CLASSES];
    compile(f, NULL, outputs, 2, BATCH);
    run(f, f->reals, NULL, 0, 0);
    logits(f, 0, BATCH, before[0]);
    logits(f, 1, BATCH, before[1]);
    run(f, f->reals, NULL, 1, 0); /* another step: other values are dropped, nothing was committed */
    logits(f, 0, BATCH, after[0]);
    logits(f, 1, BATCH, after[1]);
    assert_true(farthest(before[0], after[0], BATCH * CLASSES) == 0);
    assert_true(farthest(before[1], after[1], BATCH * CLASSES) > 1e-3);
    run(f, f->reals, NULL, 0, RUN_COMMIT);
    run(f, f->reals, NULL, 0, 0);
    logits(f, 0, BATCH, after[0]);
    logits(f, 1, BATCH, after[1]);
    assert_true(farthest(before[0], after[0], BATCH * CLASSES) > 1e-3); /* running statistics have moved */
    assert_true(farthest(before[1], after[1], BATCH * CLASSES) == 0);
}

/* expect_units: of ones, the layer drops whole channels or, where channels never differ, whole samples. */
static void expect_units(struct fixture *f, const char *layer, bool channels_differ)
{
    char yaml[128];
    struct network_input input = {CHANNELS, HEIGHT, WIDTH, CLASSES, NULL, NULL};
    snprintf(yaml, sizeof yaml, "layers: [{%s: {rate: 0.4}, name: d}, flatten, {linear: {out: 3}}]\n", layer);
    assert_int_equal(network_case_build(&f->c, yaml, &input), STATUS_OK);
    struct node *node = instantiate(f, images(f, ELEMENT_REAL), true, false).layers[0];
    float ones[BATCH * PIXELS];
    for (int i = 0; i < BATCH * PIXELS; i++)
        ones[i] = 1;
    compile(f, NULL, &node, 1, BATCH);
    int dropped = 0, kept = 0, differing = 0;
    for (uint64_t step = 0; step < 4; step++) {
        run(f, ones, NULL, step, 0);
        const float *out = program_output(f->program, 0);
        for (int i = 0; i < BATCH * PIXELS; i++) {
            int first = i / PIXELS * PIXELS; /* of the sample: all positions are like its first */
            assert_true(out[i] == out[first + i % CHANNELS]);
            differing += out[i] != out[first];
            dropped += out[i] == 0;
            kept += fabsf(out[i] - 1 / 0.6F) < 1e-6F;
        }
    }
    assert_int_equal(dropped + kept, 4 * BATCH * PIXELS);
    assert_true(dropped > 0 && kept > dropped / 2);
    assert_true(channels_differ == (differing > 0));
}

static void test_dropped_channels_are_whole(void **state)
{
    expect_units(*state, "spatial_dropout", true);
}

static void test_dropped_samples_are_whole(void **state)
{
    expect_units(*state, "stochastic_depth", false);
}

static void test_no_gradient_reaches_a_frozen_network(void **state)
{
    struct fixture *f = *state;
    struct node *input = images(f, ELEMENT_REAL);
    struct node *frozen = graph_mean_all(f->graph, graph_square(f->graph, instantiate(f, input, false, true).logits));
    struct node *free = graph_mean_all(f->graph, graph_square(f->graph, instantiate(f, input, true, false).logits));
    compile(f, free, &free, 1, BATCH);
    assert_true(program_reaches(f->program, f->c.network->parameters));
    run(f, f->reals, NULL, 0, RUN_BACKWARD);
    const float *slopes = f->c.network->parameters->gradients;
    double total = 0;
    for (int64_t i = 0; i < f->c.network->parameters->n_values; i++)
        total += fabs((double)slopes[i]);
    assert_true(total > 1e-3);
    struct program_spec spec = {
        .loss = frozen, .outputs = &frozen, .n_outputs = 1, .batch = BATCH, .precision = ELEMENT_F32};
    program_free(f->program);
    f->program = NULL;
    if (program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) == STATUS_OK)
        assert_false(program_reaches(f->program, f->c.network->parameters));
    error_clear(&f->c.ctx);
}

static void test_calls_carry_the_networks_and_the_layers_name(void **state)
{
    struct fixture *f = *state;
    struct instance instance = instantiate(f, images(f, ELEMENT_REAL), true, false);
    int conv = network_layer(f->c.network, "conv1", NULL), dropout = network_layer(f->c.network, "dropout1", NULL);
    assert_string_equal(instance.layers[conv]->call->name, "net.conv1");
    assert_string_equal(instance.layers[dropout]->call->name, "net.dropout1");
    assert_ptr_equal(instance.logits, instance.layers[f->c.network->logits]);
    assert_null(f->graph->label);
}

static void test_images_of_another_kind_are_refused(void **state)
{
    struct fixture *f = *state;
    struct instance instance;
    struct instance_mode mode = {false, true};
    struct node *wide = graph_input(f->graph, "images", ELEMENT_REAL, SHAPE(SHAPE_BATCH, HEIGHT, WIDTH + 1, CHANNELS));
    assert_int_equal(network_instantiate(f->graph, f->c.network, wide, mode, &instance), STATUS_BAD_SHAPE);
    assert_string_equal(f->c.ctx.error.message, "network net: expected images [B,5,4,2], found [B,5,5,2]");
    error_clear(&f->c.ctx);
    assert_int_equal(network_instantiate(f->graph, f->c.network, images(f, ELEMENT_I32), mode, &instance),
                     STATUS_BAD_INPUT);
    assert_non_null(strstr(f->c.ctx.error.message, "found i32"));
    error_clear(&f->c.ctx);
    assert_int_equal(network_instantiate(f->graph, f->c.network, NULL, mode, &instance), STATUS_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_and_reals_give_the_same_logits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_become_unit_range_without_a_standardise_layer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evaluation_treats_each_sample_alone_and_training_does_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_dropout_and_running_statistics_belong_to_training, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropped_channels_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropped_samples_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_gradient_reaches_a_frozen_network, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls_carry_the_networks_and_the_layers_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_images_of_another_kind_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
