/* A 1x1 convolution that makes a large map from a small one, alone or behind a batch norm, is dropped after the forward
 * pass and made again for backward: less memory, and the gradients of a program that keeps it. */
#include "graph/ops.h"
#include "graph/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6, SIDE = 12, IN = 4, NARROW = 5, WIDE = 32, VALUES = 512 };

struct made {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct parameters *parameters;
    struct graph *graph;
    struct node *loss, *wide[2];
};

static struct node *convolution(struct made *m, struct node *x, const char *name, int in, int out, int side)
{
    const struct convolution c = {.out = out,
                                  .kernel = {side, side},
                                  .stride = {1, 1},
                                  .padding = {side / 2, side / 2},
                                  .dilation = {1, 1},
                                  .groups = 1};
    const struct init init = {INIT_NORMAL, 0.3};
    struct node *w = graph_parameter(m->graph, m->parameters, name, SHAPE(out, in, side, side), init, false);
    return graph_convolution(m->graph, x, w, NULL, &c);
}

static struct node *channels(struct made *m, const char *name, double value)
{
    const struct init init = {INIT_CONSTANT, value};
    return graph_parameter(m->graph, m->parameters, name, SHAPE(NARROW), init, false);
}

static void made_new(struct made *m)
{
    context_init(&m->ctx);
    m->kernels = kernel_context_new(&m->ctx, 1);
    m->memory = program_memory_new(&m->ctx);
    m->parameters = parameters_new(&m->ctx, ELEMENT_F32, 3);
    m->graph = graph_new(&m->ctx);
    struct node *x = graph_input(m->graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, IN));
    struct node *narrow = convolution(m, x, "narrow", IN, NARROW, 3), *whole = NULL;
    struct node *norm =
        graph_batch_norm(m->graph, narrow, channels(m, "gamma", 1), channels(m, "beta", 0.1), NULL, NULL, 1e-5);
    m->wide[0] = convolution(m, narrow, "alone", NARROW, WIDE, 1);
    m->wide[1] = convolution(m, graph_relu(m->graph, norm), "behind", NARROW, WIDE, 1);
    for (int i = 0; i < 2; i++) {
        struct node *mean = graph_mean_all(m->graph, graph_square(m->graph, m->wide[i]));
        whole = whole ? graph_add(m->graph, whole, mean) : mean;
    }
    m->loss = whole;
    assert_non_null(m->loss);
}

static void made_free(struct made *m)
{
    graph_free(m->graph);
    parameters_free(m->parameters);
    program_memory_free(m->memory);
    kernel_context_free(m->kernels);
}

static float image[BATCH * SIDE * SIDE * IN];

struct ran {
    int again;
    size_t bytes;
    double loss;
    float gradients[VALUES];
};

/* run: two steps; kept: the large maps are outputs, and nothing is made again. */
static void run(struct made *m, bool kept, unsigned flags, struct ran *ran)
{
    struct program_spec spec = {.loss = m->loss,
                                .outputs = m->wide,
                                .n_outputs = kept ? 2 : 0,
                                .batch = BATCH,
                                .precision = ELEMENT_F32,
                                .flags = flags};
    struct program *program = NULL;
    assert_int_equal(program_compile(m->graph, &spec, m->kernels, m->memory, &program), STATUS_OK);
    const struct bindings bindings = {.inputs = (const void *[]){image}};
    for (int step = 0; step < 2; step++)
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD | RUN_CHECK), STATUS_OK);
    *ran = (struct ran){.bytes = program_arena_bytes(program), .loss = program_loss(program)};
    for (int i = 0; i < program_step_count(program); i++)
        ran->again +=
            strcmp(program_step(program, i).phase, "recompute") == 0 && program_step(program, i).out.dim[3] == WIDE;
    assert_in_range(m->parameters->n_values, 1, VALUES);
    memcpy(ran->gradients, m->parameters->gradients, (size_t)m->parameters->n_values * sizeof(float));
    program_free(program);
}

static void large_maps_are_made_again(void **state)
{
    (void)state;
    struct made m;
    struct ran usual, kept, poisoned;
    made_new(&m);
    for (int i = 0; i < BATCH * SIDE * SIDE * IN; i++)
        image[i] = (float)(i * 37 % 101 - 50) / 50;
    run(&m, true, 0, &kept);
    run(&m, false, 0, &usual);
    run(&m, false, PLAN_POISON, &poisoned);
    assert_int_equal(kept.again, 0);
    assert_int_equal(usual.again, 2);
    assert_true(usual.bytes + BATCH * SIDE * SIDE * WIDE * sizeof(float) / 2 < kept.bytes);
    assert_true(usual.loss == kept.loss && poisoned.loss == kept.loss);
    assert_memory_equal(usual.gradients, kept.gradients, sizeof kept.gradients);
    assert_memory_equal(poisoned.gradients, kept.gradients, sizeof kept.gradients);
    made_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_maps_are_made_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
