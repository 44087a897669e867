/* Networks that compute side by side, a thread each: where it pays, and with the bits of one thread whatever the threads' pace. */
#include "graph/ops.h"
#include "graph/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 8, SIDE = 24, WIDTH = 8, CLASSES = 8, NETWORKS = 4, VALUES = 8192 };

struct made {
    struct context ctx;
    struct parameters *networks[NETWORKS];
    struct graph *graph;
    int n;
    struct node *labels, *out[NETWORKS], *loss;
};

static struct node *weight(struct made *m, int network, const char *name, struct shape shape)
{
    return graph_parameter(m->graph, m->networks[network], name, shape, (struct init){INIT_NORMAL, 0.2}, false);
}

static struct node *layer(struct made *m, int network, struct node *x, int depth)
{
    const struct convolution c = {
        .out = WIDTH, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1};
    static const char *const names[] = {"w0", "w1", "w2", "w3", "w4", "w5"};
    const int in = depth == 0 ? 1 : WIDTH;
    struct node *w = weight(m, network, names[depth], SHAPE(WIDTH, in, 3, 3));
    return graph_relu(m->graph, graph_convolution(m->graph, x, w, NULL, &c));
}

/* network: its own look at what all see of the images first, which reads no parameter; then convolutions, and class scores. */
static struct node *network(struct made *m, int index, struct node *seen, int depth)
{
    m->networks[index] = parameters_new(&m->ctx, ELEMENT_F32, (uint64_t)index + 1);
    struct node *x = graph_mul(m->graph, seen, graph_scalar(m->graph, 1 + 0.1 * index));
    for (int i = 0; i < depth; i++)
        x = layer(m, index, x, i);
    return graph_linear(m->graph, graph_global_average_pool(m->graph, x),
                        weight(m, index, "out", SHAPE(CLASSES, WIDTH)), NULL);
}

/* made_new: networks of some depths; each also learns from the mean of all. */
static void made_new(struct made *m, int n, const int *depth)
{
    *m = (struct made){.n = n};
    context_init(&m->ctx);
    m->graph = graph_new(&m->ctx);
    struct node *images = graph_input(m->graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, 1));
    m->labels = graph_input(m->graph, "y", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES));
    struct node *seen = graph_square(m->graph, images), *all = NULL;
    for (int i = 0; i < n; i++) {
        m->out[i] = network(m, i, seen, depth[i]);
        all = all ? graph_add(m->graph, all, m->out[i]) : m->out[i];
    }
    for (int i = 0; i < n; i++) {
        struct node *own = graph_square(m->graph, graph_sub(m->graph, m->out[i], m->labels));
        struct node *shared = graph_square(
            m->graph, graph_sub(m->graph, m->out[i], graph_stop_gradient(m->graph, graph_tanh(m->graph, all))));
        struct node *sum = graph_add(m->graph, graph_mean_all(m->graph, own), graph_mean_all(m->graph, shared));
        m->loss = m->loss ? graph_add(m->graph, m->loss, sum) : sum;
    }
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
    int lanes;
    double loss;
    float gradients[NETWORKS][VALUES], out[NETWORKS][BATCH * CLASSES];
};

/* run: with own kernels on so many threads, the library on so many. */
static void run(struct made *m, int threads, int library, unsigned flags, int times, struct ran *ran)
{
    struct kernel_context *kernels = kernel_context_new(&m->ctx, library);
    kernel_context_widen(kernels, threads);
    struct program_memory *memory = program_memory_new(&m->ctx);
    struct program_spec spec = {.loss = m->loss,
                                .outputs = m->out,
                                .n_outputs = m->n,
                                .batch = BATCH,
                                .precision = ELEMENT_F32,
                                .flags = flags};
    struct program *program = NULL;
    assert_int_equal(program_compile(m->graph, &spec, kernels, memory, &program), STATUS_OK);
    const struct bindings bindings = {.inputs = (const void *[]){images, labels}};
    for (int i = 0; i < times; i++) {
        struct ran now = {.lanes = program_lanes(program)};
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD), STATUS_OK);
        now.loss = program_loss(program);
        for (int j = 0; j < m->n; j++) {
            assert_in_range(m->networks[j]->n_values, 1, VALUES);
            memcpy(now.gradients[j], m->networks[j]->gradients, (size_t)m->networks[j]->n_values * sizeof(float));
            memcpy(now.out[j], program_output(program, j), sizeof now.out[j]);
        }
        if (i > 0)
            assert_memory_equal(&now, ran, sizeof now);
        *ran = now;
    }
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
}

static void peers_run_side_by_side_with_the_same_bits(void **state)
{
    (void)state;
    static const int depths[][NETWORKS] = {{4, 4}, {4, 3}, {3, 3, 3}, {4, 3, 2, 3}};
    static const int counts[] = {2, 2, 3, 4};
    for (int i = 0; i < 4; i++) {
        struct made m;
        made_new(&m, counts[i], depths[i]);
        run(&m, 1, 1, 0, 2, &one);
        assert_int_equal(one.lanes, 1);
        for (int threads = 2; threads <= 3; threads++) {
            static const unsigned flags[] = {0, PLAN_LANES_BACKWARDS, PLAN_NO_SHARING, PLAN_POISON};
            for (int j = 0; j < 4; j++) {
                run(&m, threads, 1, flags[j], flags[j] == 0 ? 20 : 2, &other);
                if (counts[i] % threads == 0)
                    assert_int_equal(other.lanes, threads);
                same(&one, &other);
            }
        }
        made_free(&m);
    }
}

static void lanes_are_there_where_they_pay(void **state)
{
    (void)state;
    struct made m;
    made_new(&m, 2, (const int[]){6, 1}); /* the one would wait for the other */
    run(&m, 2, 1, 0, 1, &one);
    assert_int_equal(one.lanes, 1);
    made_free(&m);
    made_new(&m, 1, (const int[]){4});
    run(&m, 2, 1, 0, 1, &one);
    assert_int_equal(one.lanes, 1);
    made_free(&m);
    made_new(&m, 2, (const int[]){4, 4});
    run(&m, 2, 2, 0, 1, &one); /* the library's bits are those of two threads */
    assert_int_equal(one.lanes, 1);
    made_free(&m);
}

/* A network's gradients are those of a program of that network alone, as far as they are alike. */
static void the_order_within_a_network_is_its_own(void **state)
{
    (void)state;
    struct made m;
    made_new(&m, 2, (const int[]){4, 4});
    struct node *alone = graph_mean_all(m.graph, graph_square(m.graph, graph_sub(m.graph, m.out[0], m.labels)));
    m.loss = graph_add(m.graph, alone, graph_mean_all(m.graph, graph_square(m.graph, m.out[1])));
    run(&m, 2, 1, 0, 1, &one);
    assert_int_equal(one.lanes, 2);
    m.loss = alone;
    m.n = 1;
    run(&m, 2, 1, 0, 1, &other);
    assert_int_equal(other.lanes, 1);
    assert_memory_equal(one.gradients[0], other.gradients[0], sizeof one.gradients[0]);
    m.n = 2;
    made_free(&m);
}

int main(void)
{
    for (int i = 0; i < BATCH * SIDE * SIDE; i++)
        images[i] = (float)(i * 37 % 101 - 50) / 50;
    for (int i = 0; i < BATCH * CLASSES; i++)
        labels[i] = (float)(i * 29 % 17) / 17;
    const struct CMUnitTest tests[] = {cmocka_unit_test(peers_run_side_by_side_with_the_same_bits),
                                       cmocka_unit_test(lanes_are_there_where_they_pay),
                                       cmocka_unit_test(the_order_within_a_network_is_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
