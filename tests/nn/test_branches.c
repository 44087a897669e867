/* A network with branches: the same layers several times behind one of them, a gate, and the mixture of their logits. Branch 1 is the
 * network itself. */
#include "nn/branches.h"

#include "graph/program.h"
#include "support/fault_loop.h"
#include "support/network_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, SIDE = 28, CLASSES = 10, BRANCHES = 3 };

struct fixture {
    struct network_case c; /* the plain network */
    struct network *grown;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.grown = NULL;
    network_case_new(&f.c);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    network_free(f->grown);
    return network_case_free(&f->c);
}

/* grow: the plain network of the recipe, and the one with branches. */
static void grow(struct fixture *f, const char *recipe, struct branches_spec spec)
{
    struct value *description;
    network_free(f->grown);
    f->grown = NULL;
    network_case_need(&f->c, recipe);
    if (network_branches(f->c.network, &spec, NULL, f->c.arena, &description) != STATUS_OK ||
        network_rebuild(&f->c.ctx, description, "net", ELEMENT_F32, 3, &f->grown) != STATUS_OK)
        fail_msg("%s: %s", recipe, f->c.ctx.error.message);
}

static const struct layer *layer(const struct network *network, const char *name)
{
    const int index = network_layer(network, name, NULL);
    if (index < 0)
        fail_msg("%s", network->ctx->error.message);
    return &network->layers[index];
}

static int64_t learnt(const struct network *network, const char *prefix)
{
    int64_t parameters = 0;
    for (int i = 0; i < network->n_layers; i++)
        if (strncmp(network->layers[i].name, prefix, strlen(prefix)) == 0)
            parameters += network->layers[i].parameters;
    return parameters;
}

static void expect_branches(const struct fixture *f, int count, const char *trunk)
{
    const struct network *network = f->grown;
    const struct layer *gate = layer(network, "gate_linear"), *ensemble = layer(network, "ensemble");
    const struct layer *before = &network->layers[gate->inputs[0]];
    const bool vector = layer(network, trunk)->output.rank == 2;
    const struct shape weights = SHAPE(SHAPE_BATCH, count);
    assert_string_equal(vector ? before->name : network->layers[before->inputs[0]].name, trunk);
    assert_string_equal(before->name, vector ? trunk : "gate_pool");
    assert_true(shape_equal(&layer(network, "gate_relu")->output, &weights));
    assert_int_equal(ensemble->n_inputs, count + 1);
    assert_string_equal(network->layers[ensemble->inputs[0]].name, "gate_relu");
    assert_int_equal(ensemble->macs, count * CLASSES);
    assert_string_equal(network->layers[network->logits].name, "ensemble");
    assert_int_equal(network->n_outputs, f->c.network->n_outputs + count);
    for (int m = 1; m <= count; m++) {
        char name[64], expected[64];
        const char *logits = f->c.network->layers[f->c.network->logits].name;
        snprintf(name, sizeof name, "branch%d", m);
        snprintf(expected, sizeof expected, "branch%d_%s", m, logits);
        assert_int_equal(network_output(network, name), ensemble->inputs[m]);
        assert_string_equal(network->layers[ensemble->inputs[m]].name, m > 1 ? expected : logits);
        if (m > 2)
            assert_int_equal(learnt(network, name), learnt(network, "branch2"));
    }
    const int64_t branch = learnt(network, "branch2");
    assert_true(branch > 0);
    assert_int_equal(network_count_parameters(network),
                     network_count_parameters(f->c.network) + (count - 1) * branch + learnt(network, "gate"));
}

/* expect_plain: the network itself is in there as it was, and comes out of branch 1. */
static void expect_plain(const struct fixture *f)
{
    static const char *const first[] = {"branch1"};
    struct network *plain = NULL;
    network_case_holds(f->grown, f->c.network);
    assert_int_equal(network_extract(f->grown, 1, first, &plain), STATUS_OK);
    network_case_same(plain, f->c.network);
    assert_string_equal(plain->outputs[0].name, "logits");
    network_free(plain);
}

static const char *const plain_list = "{layers: [{conv: {out: 4, kernel: 3, stride: 3}, name: a}, {relu: {}, name: b}, "
                                      "{conv: {out: 4, kernel: 3, padding: 1}, "
                                      "name: c}, {add: {}, inputs: [b, c], name: d}, {global_average_pool: {}, name: "
                                      "e}, {linear: {out: 10}, name: last}]}";

static void test_branches_begin_behind_the_trunk(void **state)
{
    static const struct {
        const char *recipe, *from, *trunk;
        int count;
    } cases[] = {
        {"{name: mlp, widths: [20, 16], dropout: 0.1}", NULL, "relu1", 2},
        {"{name: mlp, widths: [20]}", NULL, "relu1", 3},
        {"{name: cnn, widths: [4, 4, 6, 6, 8]}", NULL, "max_pool2", 3},
        {"{name: cnn, widths: [4, 6], head: weighting}", "batch_norm1", "batch_norm1", 2},
        {"{name: resnet, depth: 14, width: 4}", NULL, "block4", 3},
        {"{name: resnet, depth: 8, width: 4, shortcut: projection, squeeze: 2}", "block1", "block1", BRANCHES_MOST},
        {"{name: mlp-mixer, width: 6, depth: 2}", "block1_channels", "block1_channels", 2},
        {plain_list, "b", "b", 4},
        {plain_list, NULL, "b", 2},
        {"{name: cnn, widths: [4, 4, 6], pools: [0]}", NULL, "relu2", 2},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        grow(f, cases[i].recipe, (struct branches_spec){cases[i].from, cases[i].count});
        expect_branches(f, cases[i].count, cases[i].trunk);
        expect_plain(f);
    }
}

static void test_branches_begin_with_values_of_their_own(void **state)
{
    struct fixture *f = *state;
    grow(f, plain_list, (struct branches_spec){"b", 2});
    const struct parameters *p = f->grown->parameters;
    const int own = parameters_find(p, "c.weight"), other = parameters_find(p, "branch2_c.weight");
    assert_true(own >= 0 && other >= 0);
    assert_memory_not_equal(parameters_value(p, own), parameters_value(p, other), 144 * sizeof(float));
    assert_int_equal(parameters_find(p, "branch2_a.weight"), -1);
}

/* Side outputs stay, and stand once. */
static void test_what_the_logits_do_not_need_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    grow(f,
         "{layers: [{conv: {out: 4, kernel: 3, stride: 3}, name: a}, {global_average_pool: {}, name: side}, "
         "{conv: {out: 5, kernel: 3}, inputs: [a], name: b}, {global_average_pool: {}, name: c}, {linear: {out: 10}, "
         "name: "
         "last}], outputs: {extra: side, logits: last, deep: c}}",
         (struct branches_spec){"a", 2});
    expect_branches(f, 2, "a");
    assert_int_equal(network_output(f->grown, "extra"), network_layer(f->grown, "side", NULL));
    assert_int_equal(network_output(f->grown, "deep"), network_layer(f->grown, "c", NULL));
    assert_int_equal(network_layer(f->grown, "branch2_side", NULL), -1);
    error_clear(&f->c.ctx);
}

/* mixed: sum_m softmax(g)_m z_m of one sample, by plain loops. */
static void mixed(const float *gate, const float *const *branches, int sample, double out[CLASSES])
{
    double sum = 0;
    const float *g = gate + sample * BRANCHES;
    for (int m = 0; m < BRANCHES; m++)
        sum += exp(g[m]);
    for (int k = 0; k < CLASSES; k++) {
        out[k] = 0;
        for (int m = 0; m < BRANCHES; m++)
            out[k] += exp(g[m]) / sum * branches[m][sample * CLASSES + k];
    }
}

/* gate_differ: a gate that is the same for all would hide a wrong softmax. */
static void gate_differ(struct network *network)
{
    const double weight[BRANCHES] = {1, 2, 3}, bias[BRANCHES] = {0.5, -0.2, 1.1};
    parameters_set(network->parameters, parameters_find(network->parameters, "gate_bn.weight"), weight);
    parameters_set(network->parameters, parameters_find(network->parameters, "gate_bn.bias"), bias);
}

static void test_the_ensemble_is_the_gated_mean_of_the_branches(void **state)
{
    static float images[BATCH * SIDE * SIDE];
    struct fixture *f = *state;
    struct context *ctx = &f->c.ctx;
    struct instance instance;
    struct program *program = NULL;
    grow(f, plain_list, (struct branches_spec){"b", BRANCHES});
    gate_differ(f->grown);
    struct kernel_context *kernels = kernel_context_new(ctx, 1);
    struct program_memory *memory = program_memory_new(ctx);
    struct graph *graph = graph_new(ctx);
    struct node *input = graph_input(graph, "images", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, 1));
    for (int i = 0; i < BATCH * SIDE * SIDE; i++)
        images[i] = (float)(i * 37 % 251) / 251;
    assert_int_equal(network_instantiate(graph, f->grown, input, (struct instance_mode){.training = true}, &instance),
                     STATUS_OK);
    struct node *outputs[BRANCHES + 2] = {instance.logits};
    const int *read = f->grown->layers[f->grown->logits].inputs;
    for (int i = 0; i <= BRANCHES; i++)
        outputs[i + 1] = instance.layers[read[i]];
    const struct program_spec spec = {
        .outputs = outputs, .n_outputs = BRANCHES + 2, .batch = BATCH, .precision = ELEMENT_F32};
    if (program_compile(graph, &spec, kernels, memory, &program) != STATUS_OK)
        fail_msg("%s", ctx->error.message);
    const void *inputs[] = {images};
    assert_int_equal(program_run(program, &(struct bindings){.inputs = inputs}, 0), STATUS_OK);
    const float *branches[BRANCHES], *found = program_output(program, 0), *gate = program_output(program, 1);
    for (int m = 0; m < BRANCHES; m++)
        branches[m] = program_output(program, 2 + m);
    assert_true(fabsf(gate[0] - gate[1]) > 0.1f && fabsf(branches[0][0] - branches[1][0]) > 1e-3f);
    for (int b = 0; b < BATCH; b++) {
        double expected[CLASSES];
        mixed(gate, branches, b, expected);
        for (int k = 0; k < CLASSES; k++)
            if (!(fabs(found[b * CLASSES + k] - expected[k]) < 1e-6))
                fail_msg("sample %d, class %d: got %.9g, expected %.9g", b, k, found[b * CLASSES + k], expected[k]);
    }
    program_free(program);
    graph_free(graph);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

static void test_a_mixture_of_what_does_not_fit_is_told(void **state)
{
    static const struct {
        const char *inputs, *message;
    } cases[] = {
        {"[gate, z1, z2, z1]", "net.mix: its first input, the gate, gives 2 weights; expected one for each of the 3"},
        {"[gate, z1]", "layer mix: mixture takes at least 3 inputs, found 2"},
        {"[gate, z1, wide]", "net.mix: the vectors that it mixes have one length; expected 10 as in input 2, found 11"},
        {"[gate, z1, map]", "net.mix: input 3: expected a vector [B,K], found [B,26,26,2]"},
        {"[map, z1, z2]", "net.mix: input 1: expected a vector [B,M], found [B,26,26,2]"},
    };
    struct fixture *f = *state;
    const struct network_input input = network_case_input();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[512];
        snprintf(
            yaml, sizeof yaml,
            "{layers: [{conv: {out: 2, kernel: 3}, name: map}, {flatten: {}, name: x}, {linear: {out: 2}, name: gate}, "
            "{linear: {out: 10}, inputs: [x], name: z1}, {linear: {out: 10}, inputs: [x], name: z2}, {linear: {out: "
            "11}, inputs: [x], name: wide}, {mixture: {}, inputs: %s, name: mix}]}",
            cases[i].inputs);
        assert_int_not_equal(network_case_build(&f->c, yaml, &input), STATUS_OK);
        if (!strstr(f->c.ctx.error.message, cases[i].message))
            fail_msg("expected \"%s\", found: %s", cases[i].message, f->c.ctx.error.message);
        error_clear(&f->c.ctx);
    }
}

static void test_what_cannot_branch_is_told(void **state)
{
    static const struct {
        const char *recipe;
        struct branches_spec spec;
        const char *message;
    } cases[] = {
        {plain_list, {"b", 1}, "expected 2 to 15 branches, found 1"},
        {plain_list, {"b", 16}, "expected 2 to 15 branches, found 16"},
        {plain_list, {"bb", 2}, "no layer \"bb\""},
        {plain_list, {"c", 2}, "the layers behind c need nothing else in front of them, but d reads b"},
        {plain_list, {"last", 2}, "expected a layer behind last, found last"},
        {"{layers: [flatten, {linear: {out: 10}}]}", {NULL, 2}, "name its last layer by trunk: NAME"},
        {"{layers: [flatten, {linear: {out: 10}, name: a}, relu]}", {"a", 2}, "expected layers behind a that learn"},
        {"{name: mlp, widths: [20, 20], outputs: {logits: linear3, branch2: relu1}}",
         {NULL, 2},
         "the name \"branch2\" is wanted for an output"},
        {"{layers: [flatten, {linear: {out: 9}, name: gate_bn}, relu, {linear: {out: 10}}]}",
         {NULL, 2},
         "the name \"gate_bn\" is wanted for a layer that is added"},
        {"{layers: [flatten, {linear: {out: 9}}, {relu: {}, name: branch3_last}, {linear: {out: 10}, name: last}]}",
         {NULL, 3},
         "the name \"branch3_last\" is wanted for a layer that is added"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value *description;
        const struct value at = {.file = "recipe.yaml", .line = 3, .column = 4};
        network_case_need(&f->c, cases[i].recipe);
        assert_int_equal(network_branches(f->c.network, &cases[i].spec, &at, f->c.arena, &description),
                         STATUS_BAD_INPUT);
        assert_null(description);
        if (strncmp(f->c.ctx.error.message, "recipe.yaml:3:4: network net", 28) != 0 ||
            !strstr(f->c.ctx.error.message, cases[i].message))
            fail_msg("expected \"%s\", found: %s", cases[i].message, f->c.ctx.error.message);
        error_clear(&f->c.ctx);
    }
}

static enum status grow_all(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct network *plain = NULL, *grown = NULL;
    struct value *description;
    struct arena *arena = arena_new(ctx);
    TRY(ctx->error.status);
    TRY(network_rebuild(ctx, user, "net", ELEMENT_F32, 3, &plain));
    TRY(network_branches(plain, &(struct branches_spec){NULL, 3}, NULL, arena, &description));
    TRY(network_rebuild(ctx, description, "net", ELEMENT_F32, 3, &grown));
cleanup:
    network_free(plain);
    network_free(grown);
    arena_free(arena);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    network_case_need(&f->c, "{name: cnn, widths: [4, 4, 6]}");
    assert_true(fault_loop(grow_all, network_description(f->c.arena, f->c.network)) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_branches_begin_behind_the_trunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_branches_begin_with_values_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_the_logits_do_not_need_stays_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_ensemble_is_the_gated_mean_of_the_branches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_mixture_of_what_does_not_fit_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_branch_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lack_of_memory_at_any_moment_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
