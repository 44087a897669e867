/* Values derived from weights (packed for a kernel) follow the weights, also where these are computed in the same run:
 * a linear layer and a convolution whose weight is an input of the graph times itself. */
#include "graph/ops.h"
#include "graph/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BATCH = 2, IN = 3, OUT = 4 };

static void product(const float *x, const float *w, double *y)
{
    for (int b = 0; b < BATCH; b++)
        for (int o = 0; o < OUT; o++) {
            y[b * OUT + o] = 0;
            for (int i = 0; i < IN; i++)
                y[b * OUT + o] += (double)x[b * IN + i] * w[o * IN + i] * w[o * IN + i];
        }
}

static void computed_weights_are_packed_in_each_run(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct kernel_context *kernels = kernel_context_new(&ctx, 1);
    struct program_memory *memory = program_memory_new(&ctx);
    struct graph *g = graph_new(&ctx);
    assert_non_null(kernels);
    assert_non_null(memory);
    assert_non_null(g);
    struct node *x = graph_input(g, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, IN));
    struct node *w = graph_square(g, graph_input(g, "w", ELEMENT_REAL, SHAPE(OUT, IN)));
    struct node *map = graph_reshape(g, x, SHAPE(SHAPE_BATCH, 1, 1, IN));
    struct convolution one = {.out = OUT, .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    struct node *outputs[] = {graph_linear(g, x, w, NULL),
                              graph_convolution(g, map, graph_reshape(g, w, SHAPE(OUT, IN, 1, 1)), NULL, &one)};
    assert_non_null(outputs[0]);
    assert_non_null(outputs[1]);
    struct program_spec spec = {.outputs = outputs, .n_outputs = 2, .batch = BATCH, .precision = ELEMENT_F32};
    struct program *program = NULL;
    assert_int_equal(program_compile(g, &spec, kernels, memory, &program), STATUS_OK);
    const float rows[BATCH * IN] = {1, 2, 3, -4, 5, 0.5F};
    for (int run = 0; run < 3; run++) {
        float weights[OUT * IN];
        double expected[BATCH * OUT];
        for (int i = 0; i < OUT * IN; i++)
            weights[i] = (float)(i - 3 * run);
        product(rows, weights, expected);
        struct bindings bindings = {.inputs = (const void *[]){rows, weights}};
        assert_int_equal(program_run(program, &bindings, 0), STATUS_OK);
        for (int k = 0; k < 2; k++) {
            const float *found = program_output(program, k);
            for (int i = 0; i < BATCH * OUT; i++)
                assert_true(found[i] == (float)expected[i]);
        }
    }
    program_free(program);
    graph_free(g);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(computed_weights_are_packed_in_each_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
