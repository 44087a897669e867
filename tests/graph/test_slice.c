/* A program that only goes forward runs a few samples at a time where the batch's values would leave the cache: the same
 * numbers, of outputs in the middle too, as each sample by itself, and as a batch that no slice divides. */
#include "graph/ops.h"
#include "graph/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 24, SIDE = 32, CHANNELS = 8, MAP = SIDE * SIDE * CHANNELS, POOLED = MAP / 4 };
enum { WEIGHTS = CHANNELS * CHANNELS * 9 };

struct made {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct node *outputs[2]; /* pooled, and the convolution's map that it is made of */
};

static void made_new(struct made *m)
{
    context_init(&m->ctx);
    m->kernels = kernel_context_new(&m->ctx, 1);
    m->memory = program_memory_new(&m->ctx);
    m->graph = graph_new(&m->ctx);
    struct node *x = graph_input(m->graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, SIDE, SIDE, CHANNELS));
    struct node *w = graph_input(m->graph, "w", ELEMENT_REAL, SHAPE(CHANNELS, CHANNELS, 3, 3));
    const struct convolution c = {
        .out = CHANNELS, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1};
    const struct pooling two = {{2, 2}, {2, 2}, {0, 0}};
    m->outputs[1] = graph_convolution(m->graph, x, w, NULL, &c);
    m->outputs[0] = graph_max_pool(m->graph, graph_relu(m->graph, m->outputs[1]), &two);
    assert_non_null(m->outputs[0]);
}

static void made_free(struct made *m)
{
    graph_free(m->graph);
    program_memory_free(m->memory);
    kernel_context_free(m->kernels);
}

/* run: the first n outputs of the samples, copied to the pointers; returns the bytes of the arena. */
static size_t run(struct made *m, int64_t batch, unsigned flags, const float *x, const float *w, int n,
                  float *const *to)
{
    struct program_spec spec = {
        .outputs = m->outputs, .n_outputs = n, .batch = batch, .precision = ELEMENT_F32, .flags = flags};
    struct program *program = NULL;
    const size_t sizes[] = {POOLED, MAP};
    assert_int_equal(program_compile(m->graph, &spec, m->kernels, m->memory, &program), STATUS_OK);
    const struct bindings bindings = {.inputs = (const void *[]){x, w}};
    for (int again = 0; again < 2; again++)
        assert_int_equal(program_run(program, &bindings, RUN_CHECK), STATUS_OK);
    for (int i = 0; i < n; i++)
        memcpy(to[i], program_output(program, i), (size_t)batch * sizes[i] * sizeof(float));
    assert_int_equal(program_step(program, 0).out.dim[0], batch);
    const size_t bytes = program_arena_bytes(program);
    program_free(program);
    return bytes;
}

static float images[BATCH * MAP], weights[WEIGHTS], pooled[3][BATCH * POOLED], map[3][BATCH * MAP];

static void slices_give_what_samples_give(void **state)
{
    (void)state;
    struct made m;
    made_new(&m);
    for (int i = 0; i < BATCH * MAP; i++)
        images[i] = (float)(i * 37 % 101) - 50;
    for (int i = 0; i < WEIGHTS; i++)
        weights[i] = (float)(i * 29 % 17 - 8) / 16;
    for (int b = 0; b < BATCH; b++)
        run(&m, 1, 0, images + b * MAP, weights, 2, (float *[]){pooled[0] + b * POOLED, map[0] + b * MAP});
    const unsigned flags[] = {0, PLAN_NO_SHARING, PLAN_POISON};
    for (int i = 0; i < 3; i++) {
        run(&m, BATCH, flags[i], images, weights, 2, (float *[]){pooled[1], map[1]});
        assert_memory_equal(pooled[0], pooled[1], sizeof pooled[0]);
        assert_memory_equal(map[0], map[1], sizeof map[0]);
    }
    run(&m, BATCH - 1, 0, images, weights, 2, (float *[]){pooled[2], map[2]}); /* 23: whole */
    assert_memory_equal(pooled[0], pooled[2], (BATCH - 1) * POOLED * sizeof(float));
    assert_memory_equal(map[0], map[2], (BATCH - 1) * MAP * sizeof(float));
    made_free(&m);
}

static void what_lies_between_takes_the_memory_of_a_slice(void **state)
{
    (void)state;
    struct made m;
    made_new(&m);
    const size_t maps = BATCH * MAP * sizeof(float);
    assert_true(run(&m, BATCH, 0, images, weights, 1, (float *[]){pooled[1]}) < maps);
    assert_true(run(&m, BATCH - 1, 0, images, weights, 1, (float *[]){pooled[1]}) > maps / BATCH * (BATCH - 1));
    made_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(slices_give_what_samples_give),
                                       cmocka_unit_test(what_lies_between_takes_the_memory_of_a_slice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
