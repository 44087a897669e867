/* A network cut out of another computes what the whole one computes where the channels that went are silent: every weight that read them
 * is 0. Layers that are dropped are passed by. */
#include "nn/cut_channels.h"
#include "support/network_case.h"

#include "graph/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, SIDE = 28, CLASSES = 10 };

static const struct network_cut half = {.width = 0.5};

/* liven: other values than the first ones, of norms and running statistics too. */
static void liven(struct network *network)
{
    struct parameters *p = network->parameters;
    srand(7);
    for (int i = 0; i < p->count; i++) {
        double *values = calloc((size_t)p->entries[i].elements, sizeof *values);
        parameters_get(p, i, values);
        const bool variance = strstr(p->entries[i].name, "running_var") != NULL;
        for (int64_t k = 0; k < p->entries[i].elements; k++)
            values[k] =
                variance ? 0.5 + rand() / (double)RAND_MAX : values[k] + 0.4 * (rand() / (double)RAND_MAX - 0.5);
        parameters_set(p, i, values);
        free(values);
    }
}

static void logits_of(struct network_case *c, const struct network *network, double *logits)
{
    static float images[BATCH * SIDE * SIDE];
    struct instance instance;
    struct program *program = NULL;
    struct kernel_context *kernels = kernel_context_new(&c->ctx, 1);
    struct program_memory *memory = program_memory_new(&c->ctx);
    struct graph *graph = graph_new(&c->ctx);
    struct node *input = graph_input(graph, "images", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, 1));
    for (int i = 0; i < BATCH * SIDE * SIDE; i++)
        images[i] = (float)(i * 37 % 251) / 251;
    assert_int_equal(network_instantiate(graph, network, input, (struct instance_mode){.frozen = true}, &instance),
                     STATUS_OK);
    const struct program_spec spec = {
        .outputs = &instance.logits, .n_outputs = 1, .batch = BATCH, .precision = ELEMENT_F32};
    assert_int_equal(program_compile(graph, &spec, kernels, memory, &program), STATUS_OK);
    const void *inputs[] = {images};
    assert_int_equal(program_run(program, &(struct bindings){.inputs = inputs}, 0), STATUS_OK);
    const float *out = program_output(program, 0);
    for (int i = 0; i < BATCH * CLASSES; i++)
        logits[i] = out[i];
    program_free(program);
    graph_free(graph);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

static bool is_kept(const struct cut_channels *channels, int channel)
{
    for (int k = 0; k < channels->count; k++)
        if (channels->kept[k] == channel)
            return true;
    return false;
}

/* silence: in the whole network, the weights that read channels which are not kept. */
static void silence(struct network_case *c, struct network *network)
{
    const size_t n = (size_t)network->n_layers;
    struct arena *arena = c->arena;
    int **inputs = arena_take(arena, n, sizeof *inputs);
    bool *dropped = arena_take(arena, n, sizeof *dropped);
    struct cut_channels *channels = arena_take(arena, n, sizeof *channels);
    for (size_t i = 0; i < n; i++)
        inputs[i] = network->layers[i].inputs;
    assert_int_equal(cut_channels_choose(&c->ctx, arena, network, dropped, inputs, half.width, NULL, channels),
                     STATUS_OK);
    for (size_t i = 0; i < n; i++) {
        const struct layer *layer = &network->layers[i];
        if (cut_kind_of(network, (int)i) != CUT_MAKES || layer->inputs[0] < 0)
            continue;
        const int entry = parameters_find(network->parameters, arena_format(arena, "%s.weight", layer->name));
        const struct parameter *weight = &network->parameters->entries[entry];
        double *values = arena_take(arena, (size_t)weight->elements, sizeof *values);
        parameters_get(network->parameters, entry, values);
        const int64_t in = weight->shape.dim[1], rest = weight->elements / (weight->shape.dim[0] * in);
        for (int64_t k = 0; k < weight->elements; k++)
            if (!is_kept(&channels[layer->inputs[0]], (int)(k / rest % in)))
                values[k] = 0;
        parameters_set(network->parameters, entry, values);
    }
}

static void same_logits(const double *found, const double *expected, const char *what)
{
    double largest = 0;
    for (int i = 0; i < BATCH * CLASSES; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (int i = 0; i < BATCH * CLASSES; i++)
        if (!(fabs(found[i] - expected[i]) <= 2e-5 * largest) || largest < 1e-3)
            fail_msg("%s: logit %d: expected %.9g, found %.9g", what, i, expected[i], found[i]);
}

static void halves_are_what_is_left(void **state)
{
    (void)state;
    static const char *const networks[] = {
        "{name: cnn, widths: [8, 6, 10], pools: [1, 2]}",
        "{name: cnn, widths: [8, 7], head: weighting}",
        "{name: mlp, widths: [20, 12]}",
        "{name: resnet, depth: 8, width: 6, shortcut: projection}",
        "{name: resnet, depth: 8, width: 8, shortcut: projection, squeeze: 2}",
        "{name: mobilenet-v2, width: 0.1}",
        "{layers: [{conv: {out: 6, kernel: 3}, name: a}, relu, {conv: {out: 4, kernel: 1}, name: b}, {conv: {out: 6, "
        "kernel: 1}, "
        "name: d, inputs: [a]}, {concat: {}, inputs: [b, d], name: e}, batch_norm, flatten, {linear: {out: 10}}]}",
    };
    struct network_case c;
    network_case_new(&c);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        double whole[BATCH * CLASSES], left[BATCH * CLASSES];
        struct network *cut = NULL;
        network_case_need(&c, networks[i]);
        liven(c.network);
        if (network_cut_make(&c.ctx, c.network, &half, NULL, "cut", &cut) != STATUS_OK)
            fail_msg("%s: %s", networks[i], c.ctx.error.message);
        assert_true(network_count_parameters(cut) < network_count_parameters(c.network) * 2 / 3);
        silence(&c, c.network);
        logits_of(&c, c.network, whole);
        logits_of(&c, cut, left);
        same_logits(left, whole, networks[i]);
        network_free(cut);
    }
    assert_int_equal(network_case_free(&c), 0);
}

/* The channels that stay are those of the largest filters. */
static void largest_filters_stay(void **state)
{
    (void)state;
    struct network_case c;
    struct network *cut = NULL;
    double weight[36], left[18];
    network_case_new(&c);
    network_case_need(&c, "{layers: [{conv: {out: 4, kernel: 3}, name: a}, relu, flatten, {linear: {out: 10}}]}");
    const int entry = parameters_find(c.network->parameters, "a.weight");
    for (int i = 0; i < 36; i++)
        weight[i] = (i / 9 == 1 || i / 9 == 3 ? -2 : 1) * (1 + i * 0.01);
    parameters_set(c.network->parameters, entry, weight);
    assert_int_equal(network_cut_make(&c.ctx, c.network, &half, NULL, "cut", &cut), STATUS_OK);
    parameters_get(cut->parameters, parameters_find(cut->parameters, "a.weight"), left);
    for (int i = 0; i < 18; i++)
        assert_true(fabs(left[i] - weight[i < 9 ? 9 + i : 18 + i]) < 1e-6);
    network_free(cut);
    assert_int_equal(network_case_free(&c), 0);
}

/* A block whose branch gives 0 can go. */
static void dropped_layers_are_passed_by(void **state)
{
    (void)state;
    static const char *const block[] = {"block2*"};
    const struct network_cut drop = {.width = 1, .drop = block, .n_drop = 1};
    double whole[BATCH * CLASSES], left[BATCH * CLASSES];
    struct network_case c;
    struct network *cut = NULL;
    network_case_new(&c);
    network_case_need(&c, "{name: resnet, depth: 14, width: 4}");
    liven(c.network);
    for (int i = 0; i < c.network->parameters->count; i++)
        if (strncmp(c.network->parameters->entries[i].name, "block2_batch_norm2.", 19) == 0 &&
            !c.network->parameters->entries[i].state) {
            const double zero[4] = {0};
            parameters_set(c.network->parameters, i, zero);
        }
    if (network_cut_make(&c.ctx, c.network, &drop, NULL, "cut", &cut) != STATUS_OK)
        fail_msg("%s", c.ctx.error.message);
    logits_of(&c, c.network, whole);
    logits_of(&c, cut, left);
    same_logits(left, whole, "without block 2");
    network_free(cut);
    assert_int_equal(network_case_free(&c), 0);
}

static void what_cannot_be_cut_is_said(void **state)
{
    (void)state;
    static const char *const convolution[] = {"conv2"}, *const nothing[] = {"conv9"}, *const last[] = {"linear1"};
    static const struct {
        const char *network, *message;
        struct network_cut how;
    } cases[] = {
        {"{name: resnet, depth: 8, width: 4}", "cannot be cut", {.width = 0.5}},
        {"{name: cnn, widths: [4, 6]}", "changes the shape", {.width = 1, .drop = convolution, .n_drop = 1}},
        {"{name: cnn, widths: [4, 6]}", "no layer \"conv9\"", {.width = 1, .drop = nothing, .n_drop = 1}},
        {"{layers: [flatten, {linear: {out: 10}}, {linear: {out: 10}, name: linear1}]}",
         "output of the network",
         {.width = 1, .drop = last, .n_drop = 1}},
    };
    struct network_case c;
    network_case_new(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network *cut = NULL;
        network_case_need(&c, cases[i].network);
        assert_int_not_equal(network_cut_make(&c.ctx, c.network, &cases[i].how, NULL, "cut", &cut), STATUS_OK);
        assert_null(cut);
        if (!strstr(c.ctx.error.message, cases[i].message))
            fail_msg("expected \"%s\", found: %s", cases[i].message, c.ctx.error.message);
        error_clear(&c.ctx);
    }
    assert_int_equal(network_case_free(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_are_what_is_left),
        cmocka_unit_test(largest_filters_stay),
        cmocka_unit_test(dropped_layers_are_passed_by),
        cmocka_unit_test(what_cannot_be_cut_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
