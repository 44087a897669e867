/* graph_convolution_1d in a program: [B,L,C] with weight [O,C/groups,k] as plain loops have it, and the gradient of its
 * weight as central differences of those. */
#include "base/random.h"
#include "graph/ops.h"
#include "graph/program.h"
#include "support/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, LENGTH = 10, IN = 4, OUT = 6, KERNEL = 3, STRIDE = 2, PADDING = 2, DILATION = 2, GROUPS = 2 };
enum { OUT_LENGTH = (LENGTH + 2 * PADDING - DILATION * (KERNEL - 1) - 1) / STRIDE + 1 };
enum { WEIGHTS = OUT * IN / GROUPS * KERNEL };

static const struct convolution_1d options = {OUT, KERNEL, STRIDE, PADDING, DILATION, GROUPS};

static double value_at(uint32_t stream, int64_t i)
{
    const struct random_key key = {91, stream, 0};
    return random_normal(&key, (uint64_t)i);
}

/* loss_of: the sum of squares of the outputs. */
static double loss_of(const double *x, const double *weight, const double *bias)
{
    double loss = 0;
    for (int b = 0; b < BATCH; b++) {
        for (int l = 0; l < OUT_LENGTH; l++) {
            for (int o = 0; o < OUT; o++) {
                double y = bias[o];
                for (int c = 0; c < IN / GROUPS; c++) {
                    for (int k = 0; k < KERNEL; k++) {
                        const int at = l * STRIDE - PADDING + k * DILATION;
                        if (at >= 0 && at < LENGTH)
                            y += x[(b * LENGTH + at) * IN + o / (OUT / GROUPS) * (IN / GROUPS) + c] *
                                 weight[(o * (IN / GROUPS) + c) * KERNEL + k];
                    }
                }
                loss += y * y;
            }
        }
    }
    return loss;
}

static void a_row_is_convolved_and_its_weight_learns(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct kernel_context *kernels = kernel_context_new(&ctx, 1);
    struct parameters *own = parameters_new(&ctx, ELEMENT_F64, 3);
    struct program_memory *memory = program_memory_new(&ctx);
    struct graph *graph = graph_new(&ctx);
    assert_true(kernels && own && memory && graph);
    const struct init normal = {INIT_NORMAL, 1};
    struct node *in = graph_input(graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, LENGTH, IN));
    struct node *weight = graph_parameter(graph, own, "weight", SHAPE(OUT, IN / GROUPS, KERNEL), normal, false);
    struct node *bias = graph_parameter(graph, own, "bias", SHAPE(OUT), normal, false);
    struct node *y = graph_convolution_1d(graph, in, weight, bias, &options);
    assert_non_null(y);
    const struct shape expected_shape = SHAPE(SHAPE_BATCH, OUT_LENGTH, OUT);
    assert_true(shape_equal(&y->spec.shape, &expected_shape));
    const struct program_spec spec = {
        .loss = graph_sum_all(graph, graph_square(graph, y)), .batch = BATCH, .precision = ELEMENT_F64};
    struct program *program;
    assert_int_equal(program_compile(graph, &spec, kernels, memory, &program), STATUS_OK);

    double x[BATCH * LENGTH * IN], values[WEIGHTS], biases[OUT], expected[WEIGHTS];
    for (int i = 0; i < BATCH * LENGTH * IN; i++)
        x[i] = value_at(1, i);
    for (int step = 0; step < 2; step++) { /* the second with other weights: what was packed must be packed again */
        for (int i = 0; i < WEIGHTS; i++)
            values[i] = value_at(2 + (uint32_t)step, i);
        parameters_set(own, parameters_find(own, "weight"), values);
        parameters_get(own, parameters_find(own, "bias"), biases);
        const void *inputs[] = {x};
        const struct bindings bindings = {.inputs = inputs};
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD), STATUS_OK);
        const double loss = loss_of(x, values, biases), found = program_loss(program);
        assert_int_equal(compare_numbers(stderr, "loss", 1, &loss, &found, 1e-12, 0), 0);
        for (int i = 0; i < WEIGHTS; i++) {
            const double kept = values[i];
            values[i] = kept + 1e-3;
            expected[i] = loss_of(x, values, biases);
            values[i] = kept - 1e-3;
            expected[i] = (expected[i] - loss_of(x, values, biases)) / 2e-3; /* exact: the loss is of second order */
            values[i] = kept;
        }
        const double *gradient = parameters_gradient(own, parameters_find(own, "weight"));
        assert_int_equal(compare_numbers(stderr, "gradient", WEIGHTS, expected, gradient, 1e-9, 0), 0);
    }
    program_free(program);
    graph_free(graph);
    program_memory_free(memory);
    parameters_free(own);
    kernel_context_free(kernels);
}

static void a_kernel_with_height_is_refused(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct graph *graph = graph_new(&ctx);
    assert_non_null(graph);
    struct node *x = graph_input(graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 5, 3));
    struct node *weight = graph_input(graph, "weight", ELEMENT_REAL, SHAPE(2, 3, 3));
    const struct convolution high = {
        .out = 2, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1};
    assert_null(graph_convolution(graph, x, weight, NULL, &high));
    assert_string_equal(ctx.error.message,
                        "convolution: a row [B,5,3] has a height of 1: expected kernel 1, stride 1 and "
                        "padding 0 along it, found 3, 1, 1");
    error_clear(&ctx);
    const struct convolution_1d wrong = {2, 2, 1, 0, 1, 1};
    assert_null(graph_convolution_1d(graph, x, weight, NULL, &wrong));
    assert_string_equal(ctx.error.message, "convolution: expected a weight [2,3,2], found [2,3,3]");
    graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_convolved_and_its_weight_learns),
        cmocka_unit_test(a_kernel_with_height_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
