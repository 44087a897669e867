/* Ensembles of networks that learn: weights that fit labels best, against a search over the simplex; the smallest logits and weighed sums,
 * against plain loops. */
#include "graph/program.h"
#include "scheme/combine.h"
#include "support/compare.h"
#include "support/fault_loop.h"
#include "train/weighing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 40, CLASSES = 4, MEMBERS = 3, GRID = 200 };

static int32_t labels[ROWS];
static double logits[MEMBERS][ROWS * CLASSES];

/* values_make: member 0 is often right, member 1 sometimes, member 2 never knows; some samples have no label. */
static void values_make(void)
{
    for (int b = 0; b < ROWS; b++) {
        labels[b] = b % 9 == 8 ? -1 : b % CLASSES;
        for (int m = 0; m < MEMBERS; m++)
            for (int k = 0; k < CLASSES; k++) {
                const double right = k == labels[b] ? (m == 0 ? 1.5 : m == 1 ? 0.8 : 0) : 0;
                logits[m][b * CLASSES + k] = (double)(float)(right + sin(1.7 + 2.9 * (b * CLASSES + k) + 13 * m));
            }
    }
}

static double loss_of(const double *weights, int members)
{
    double sum = 0;
    int count = 0;
    for (int b = 0; b < ROWS; b++) {
        double row[CLASSES] = {0}, total = 0;
        if (labels[b] < 0)
            continue;
        count++;
        for (int k = 0; k < CLASSES; k++) {
            for (int m = 0; m < members; m++)
                row[k] += weights[m] * logits[m][b * CLASSES + k];
            total += exp(row[k]);
        }
        sum += log(total) - row[labels[b]];
    }
    return sum / count;
}

static void fit(int members, double *weights)
{
    struct context ctx;
    const double *pointers[MEMBERS] = {logits[0], logits[1], logits[2]};
    const int before = counted_blocks();
    counted_context(&ctx);
    assert_int_equal(weights_fit(&ctx, pointers, members, labels, ROWS, CLASSES, weights), STATUS_OK);
    assert_int_equal(counted_blocks(), before);
}

static void test_no_weights_on_the_simplex_fit_better(void **state)
{
    double weights[MEMBERS], least = INFINITY, sum = 0;
    (void)state;
    values_make();
    fit(MEMBERS, weights);
    for (int m = 0; m < MEMBERS; m++) {
        assert_true(weights[m] >= 0);
        sum += weights[m];
    }
    assert_true(fabs(sum - 1) < 1e-12);
    for (int i = 0; i <= GRID; i++)
        for (int j = 0; i + j <= GRID; j++) {
            const double other[MEMBERS] = {(double)i / GRID, (double)j / GRID, (double)(GRID - i - j) / GRID};
            least = fmin(least, loss_of(other, MEMBERS));
        }
    assert_true(loss_of(weights, MEMBERS) < least + 1e-6);
    assert_true(weights[0] > weights[1] && weights[1] > weights[2]);
}

static void test_equal_members_share_and_the_order_does_not_matter(void **state)
{
    double weights[MEMBERS], turned[MEMBERS];
    (void)state;
    values_make();
    memcpy(logits[1], logits[0], sizeof logits[0]);
    fit(2, weights);
    assert_true(weights[0] == 0.5 && weights[1] == 0.5);
    values_make();
    fit(MEMBERS, weights);
    double kept[ROWS * CLASSES];
    memcpy(kept, logits[0], sizeof kept);
    memcpy(logits[0], logits[2], sizeof kept);
    memcpy(logits[2], kept, sizeof kept);
    fit(MEMBERS, turned);
    for (int m = 0; m < MEMBERS; m++)
        assert_true(fabs(turned[m] - weights[MEMBERS - 1 - m]) < 1e-4);
}

/* --- nodes --- */

static void plain_min(double *out)
{
    for (int b = 0; b < ROWS; b++)
        for (int k = 0; k < CLASSES; k++) {
            double smallest = INFINITY;
            for (int m = 0; m < MEMBERS; m++) {
                const double *row = logits[m] + b * CLASSES;
                smallest = fmin(smallest, row[k] - (labels[b] >= 0 ? row[labels[b]] : 0));
            }
            out[b * CLASSES + k] = smallest;
        }
}

static void by_nodes(enum element element, const double *weights, double *out)
{
    static unsigned char bytes[MEMBERS][ROWS * CLASSES * sizeof(double)];
    static const char *const names[MEMBERS] = {"a", "b", "c"};
    static const struct member members[MEMBERS];
    const struct ensemble ensemble = {COMBINE_MIN_LOGIT, CLASSES, MEMBERS, members};
    struct context ctx;
    const void *pointers[MEMBERS + 1];
    struct node *inputs[MEMBERS];
    struct program *program = NULL;
    counted_context(&ctx);
    struct kernel_context *kernels = kernel_context_new(&ctx, 1);
    struct program_memory *memory = program_memory_new(&ctx);
    struct graph *graph = graph_new(&ctx);
    for (int m = 0; m < MEMBERS; m++) {
        inputs[m] = graph_input(graph, names[m], ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES));
        for (int i = 0; i < ROWS * CLASSES; i++)
            element_write(element, bytes[m], i, logits[m][i]);
        pointers[m] = bytes[m];
    }
    struct node *right = graph_input(graph, "labels", ELEMENT_I32, SHAPE(SHAPE_BATCH));
    pointers[MEMBERS] = labels;
    struct node *node = weights
                            ? combine_weighed(graph, &ensemble, inputs, graph_constant(graph, SHAPE(MEMBERS), weights))
                            : combine_min_logit(graph, &ensemble, inputs, right);
    const struct program_spec spec = {.outputs = &node, .n_outputs = 1, .batch = ROWS, .precision = element};
    assert_non_null(node);
    assert_int_equal(program_compile(graph, &spec, kernels, memory, &program), STATUS_OK);
    assert_int_equal(program_run(program, &(struct bindings){.inputs = pointers}, 0), STATUS_OK);
    for (int i = 0; i < ROWS * CLASSES; i++)
        out[i] = element_read(element, program_output(program, 0), i);
    program_free(program);
    graph_free(graph);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

static void test_nodes_are_what_the_definition_says(void **state)
{
    static const double weights[MEMBERS] = {0.5, 0.125, 0.375};
    double expected[ROWS * CLASSES], found[ROWS * CLASSES];
    (void)state;
    values_make();
    for (int wide = 0; wide < 2; wide++) {
        const enum element element = wide ? ELEMENT_F64 : ELEMENT_F32;
        plain_min(expected);
        by_nodes(element, NULL, found);
        assert_int_equal(compare_numbers(stderr, "smallest", ROWS * CLASSES, expected, found, wide ? 1e-15 : 1e-6, 1),
                         0);
        for (int i = 0; i < ROWS * CLASSES; i++)
            expected[i] = weights[0] * logits[0][i] + weights[1] * logits[1][i] + weights[2] * logits[2][i];
        by_nodes(element, weights, found);
        assert_int_equal(compare_numbers(stderr, "weighed", ROWS * CLASSES, expected, found, wide ? 1e-15 : 1e-6, 1),
                         0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_weights_on_the_simplex_fit_better),
        cmocka_unit_test(test_equal_members_share_and_the_order_does_not_matter),
        cmocka_unit_test(test_nodes_are_what_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
