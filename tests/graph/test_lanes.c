/* Networks that compute side by side, a thread each: where it pays, and with the bits of one thread whatever the threads' pace. */
#include "graph/ops.h"
#include "graph/program.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

enum { BATCH = 8, SIDE = 24, WIDTH = 8, WIDE = 40, CLASSES = 8, NETWORKS = 4, VALUES = 8192 };

struct made {
    struct context own, *ctx;
    struct parameters *networks[NETWORKS];
    struct graph *graph;
    int n, frozen; /* frozen: a network that does not learn, from 1; 0: all do */
    struct node *labels, *out[NETWORKS], *loss;
};

static struct node *weight(struct made *m, int network, const char *name, struct shape shape)
{
    const struct init init = {INIT_NORMAL, shape.rank > 1 ? 0.2 : 0.7};
    return graph_parameter(m->graph, m->networks[network], name, shape, init, m->frozen == network + 1);
}

static struct node *convolution(struct made *m, int network, struct node *x, const char *name, int out, int side,
                                bool depthwise)
{
    const int in = x ? x->spec.shape.dim[3] : 1, half = side / 2;
    const struct convolution c = {.out = out,
                                  .kernel = {side, side},
                                  .stride = {1, 1},
                                  .padding = {half, half},
                                  .dilation = {1, 1},
                                  .groups = depthwise ? in : 1};
    struct node *w = weight(m, network, name, SHAPE(out, depthwise ? 1 : in, side, side));
    return graph_convolution(m->graph, x, w, NULL, &c);
}

static struct node *statistic(struct made *m, int network, const char *name, int width)
{
    return graph_state(m->graph, m->networks[network], name, SHAPE(width), (struct init){INIT_ZERO, 0});
}

/* layer: of kinds that save, recompute, draw, update or overwrite, one after the other. */
static struct node *layer(struct made *m, int network, struct node *x, int depth)
{
    static const char *const names[] = {"w0", "w1", "w2", "w3", "w4", "w5"};
    switch (depth) {
    case 1: {
        struct node *wide = convolution(m, network, x, names[depth], WIDE, 1, false);
        struct node *norm = graph_batch_norm(
            m->graph, wide, weight(m, network, "gamma", SHAPE(WIDE)), weight(m, network, "beta", SHAPE(WIDE)),
            statistic(m, network, "mean", WIDE), statistic(m, network, "var", WIDE), 1e-5);
        return graph_relu(m->graph, convolution(m, network, graph_relu(m->graph, norm), "narrow", WIDTH, 1, false));
    }
    case 2:
        return graph_dropout(m->graph, convolution(m, network, x, names[depth], WIDTH, 3, true), 0.2, DROPOUT_ELEMENT,
                             (uint32_t)network);
    default:
        return graph_relu(m->graph, convolution(m, network, x, names[depth], WIDTH, 3, false));
    }
}

/* network: its own look at what all see of the images first, which reads no parameter; then layers, and class scores. */
static struct node *network(struct made *m, int index, struct node *seen, int depth)
{
    m->networks[index] = parameters_new(m->ctx, ELEMENT_F32, (uint64_t)index + 1);
    if (!m->networks[index])
        return NULL;
    struct node *x = graph_mul(m->graph, seen, graph_scalar(m->graph, 1 + 0.1 * index));
    for (int i = 0; i < depth; i++)
        x = layer(m, index, x, i);
    return graph_linear(m->graph, graph_global_average_pool(m->graph, x),
                        weight(m, index, "out", SHAPE(CLASSES, WIDTH)), NULL);
}

/* made_build: networks of some depths; each also learns from the mean of all, and one's weights are made small. */
static void made_build(struct made *m, const int *depth)
{
    m->graph = graph_new(m->ctx);
    if (!m->graph)
        return;
    struct node *images = graph_input(m->graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, 1));
    m->labels = graph_input(m->graph, "y", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES));
    struct node *seen = graph_square(m->graph, images), *all = NULL;
    for (int i = 0; i < m->n; i++) {
        m->out[i] = network(m, i, seen, depth[i]);
        if (!m->out[i])
            return;
        all = all ? graph_add(m->graph, all, m->out[i]) : m->out[i];
    }
    for (int i = 0; i < m->n; i++) {
        struct node *own = graph_square(m->graph, graph_sub(m->graph, m->out[i], m->labels));
        struct node *shared = graph_square(
            m->graph, graph_sub(m->graph, m->out[i], graph_stop_gradient(m->graph, graph_tanh(m->graph, all))));
        struct node *sum = graph_add(m->graph, graph_mean_all(m->graph, own), graph_mean_all(m->graph, shared));
        m->loss = m->loss ? graph_add(m->graph, m->loss, sum) : sum;
    }
    struct node *small = graph_mean_all(m->graph, graph_square(m->graph, weight(m, 0, "out", SHAPE(CLASSES, WIDTH))));
    m->loss = graph_add(m->graph, m->loss, graph_mul(m->graph, small, graph_mean_all(m->graph, all)));
}

static void made_new(struct made *m, int n, const int *depth, int frozen)
{
    *m = (struct made){.n = n, .frozen = frozen, .ctx = &m->own};
    context_init(m->ctx);
    made_build(m, depth);
    assert_non_null(m->loss);
}

static void made_free(struct made *m)
{
    graph_free(m->graph);
    for (int i = 0; i < m->n; i++)
        parameters_free(m->networks[i]);
}

static float images[BATCH * SIDE * SIDE], labels[BATCH * CLASSES];

struct ran {
    int lanes, recomputed; /* steps */
    double loss;
    float gradients[NETWORKS][VALUES], out[NETWORKS][BATCH * CLASSES], states[NETWORKS][2 * WIDE];
};

/* run: again and again, with own kernels on so many threads, the library on so many. */
static void run(struct made *m, int threads, int library, unsigned flags, struct ran *ran)
{
    enum { TIMES = 6 };
    struct kernel_context *kernels = kernel_context_new(m->ctx, library);
    kernel_context_widen(kernels, threads);
    struct program_memory *memory = program_memory_new(m->ctx);
    int recomputed = 0;
    struct program_spec spec = {.loss = m->loss,
                                .outputs = m->out,
                                .n_outputs = m->n,
                                .updates = true,
                                .batch = BATCH,
                                .precision = ELEMENT_F32,
                                .flags = flags};
    struct program *program = NULL;
    assert_int_equal(program_compile(m->graph, &spec, kernels, memory, &program), STATUS_OK);
    for (int i = 0; i < program_step_count(program); i++)
        recomputed += strcmp(program_step(program, i).phase, "recompute") == 0;
    const struct bindings bindings = {.inputs = (const void *[]){images, labels}};
    for (int j = 0; j < m->n; j++)
        if (m->networks[j]->n_state > 0)
            memset(m->networks[j]->state, 0, (size_t)m->networks[j]->n_state * sizeof(float));
    for (int i = 0; i < TIMES; i++) {
        struct ran now = {.lanes = program_lanes(program), .recomputed = recomputed};
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD | RUN_COMMIT), STATUS_OK);
        now.loss = program_loss(program);
        for (int j = 0; j < m->n; j++) {
            assert_in_range(m->networks[j]->n_values, 1, VALUES);
            memcpy(now.gradients[j], m->networks[j]->gradients, (size_t)m->networks[j]->n_values * sizeof(float));
            memcpy(now.out[j], program_output(program, j), sizeof now.out[j]);
        }
        if (i > 0)
            assert_memory_equal(&now, ran, offsetof(struct ran, states));
        *ran = now;
    }
    for (int j = 0; j < m->n; j++)
        if (m->networks[j]->n_state > 0)
            memcpy(ran->states[j], m->networks[j]->state, (size_t)m->networks[j]->n_state * sizeof(float));
    program_free(program);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

static struct ran one, other;

static void same(const struct ran *a, const struct ran *b)
{
    assert_true(a->loss == b->loss && a->loss != 0);
    assert_memory_equal(a->gradients, b->gradients, sizeof a->gradients);
    assert_memory_equal(a->out, b->out, sizeof a->out);
    assert_memory_equal(a->states, b->states, sizeof a->states);
}

static const struct {
    int n, frozen, lanes[2]; /* on two threads, on three */
    int depth[NETWORKS];
} cases[] = {{2, 0, {2, 1}, {4, 4}}, {2, 0, {2, 1}, {4, 3}},       {3, 0, {2, 3}, {3, 3, 3}},
             {2, 2, {2, 1}, {4, 4}}, {4, 0, {2, 3}, {4, 3, 2, 3}}, {4, 3, {2, 3}, {3, 3, 3, 3}}};

static void peers_run_side_by_side_with_the_same_bits(void **state)
{
    (void)state;
    static const unsigned flags[] = {0, PLAN_LANES_BACKWARDS, PLAN_NO_SHARING, PLAN_POISON};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made m;
        made_new(&m, cases[i].n, cases[i].depth, cases[i].frozen);
        run(&m, 1, 1, 0, &one);
        assert_int_equal(one.lanes, 1);
        assert_true(one.recomputed > 0);
        for (int threads = 2; threads <= 3; threads++)
            for (int j = 0; j < 4; j++) {
                run(&m, threads, 1, flags[j], &other);
                assert_int_equal(other.lanes, cases[i].lanes[threads - 2]);
                same(&one, &other);
            }
        made_free(&m);
    }
}

static void kernels_of_the_library_run_side_by_side(void **state)
{
    (void)state;
    struct made m;
    assert_int_equal(setenv("RETORT_KERNELS", "library", 1), 0);
    made_new(&m, 2, (const int[]){4, 4}, 0);
    run(&m, 1, 1, 0, &one);
    run(&m, 2, 1, 0, &other);
    assert_int_equal(other.lanes, 2);
    same(&one, &other);
    made_free(&m);
    assert_int_equal(unsetenv("RETORT_KERNELS"), 0);
}

static void lanes_are_there_where_they_pay(void **state)
{
    (void)state;
    struct made m;
    made_new(&m, 2, (const int[]){6, 1}, 0); /* the one would wait for the other */
    run(&m, 2, 1, 0, &one);
    assert_int_equal(one.lanes, 1);
    made_free(&m);
    made_new(&m, 1, (const int[]){4}, 0);
    run(&m, 2, 1, 0, &one);
    assert_int_equal(one.lanes, 1);
    made_free(&m);
    made_new(&m, 2, (const int[]){4, 4}, 0);
    run(&m, 2, 2, 0, &one); /* the library's bits are those of two threads */
    assert_int_equal(one.lanes, 1);
    made_free(&m);
}

/* A network's gradients are those of a program of that network alone, as far as they are alike. */
static void the_order_within_a_network_is_its_own(void **state)
{
    (void)state;
    struct made m;
    made_new(&m, 2, (const int[]){4, 4}, 0);
    struct node *alone = graph_mean_all(m.graph, graph_square(m.graph, graph_sub(m.graph, m.out[0], m.labels)));
    m.loss = graph_add(m.graph, alone, graph_mean_all(m.graph, graph_square(m.graph, m.out[1])));
    run(&m, 2, 1, 0, &one);
    assert_int_equal(one.lanes, 2);
    m.loss = alone;
    m.n = 1;
    run(&m, 2, 1, 0, &other);
    assert_memory_equal(one.gradients[0], other.gradients[0], sizeof one.gradients[0]);
    m.n = 2;
    made_free(&m);
}

static enum status compile(struct context *ctx, void *user)
{
    (void)user;
    enum status status = STATUS_OK;
    struct made m = {.n = 2, .ctx = ctx};
    struct program *program = NULL;
    struct kernel_context *kernels = kernel_context_new(ctx, 1);
    struct program_memory *memory = program_memory_new(ctx);
    made_build(&m, (const int[]){3, 3});
    if (!kernels || !memory || !m.loss)
        TRY(ctx->error.status);
    kernel_context_widen(kernels, 2);
    const struct program_spec spec = {.loss = m.loss, .batch = BATCH, .precision = ELEMENT_F32};
    TRY(program_compile(m.graph, &spec, kernels, memory, &program));
    assert_int_equal(program_lanes(program), 2);
cleanup:
    program_free(program);
    made_free(&m);
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

static void memory_may_be_lacking(void **state)
{
    (void)state;
    assert_true(fault_loop(compile, NULL) > 20);
}

int main(void)
{
    for (int i = 0; i < BATCH * SIDE * SIDE; i++)
        images[i] = (float)(i * 37 % 101 - 50) / 50;
    for (int i = 0; i < BATCH * CLASSES; i++)
        labels[i] = (float)(i * 29 % 17) / 17;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_run_side_by_side_with_the_same_bits),
        cmocka_unit_test(kernels_of_the_library_run_side_by_side), cmocka_unit_test(lanes_are_there_where_they_pay),
        cmocka_unit_test(the_order_within_a_network_is_its_own), cmocka_unit_test(memory_may_be_lacking)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
