/* Builders that are put together from others: attention and split, against plain loops in double. */
#include "graph/ops.h"
#include "graph/program.h"
#include "support/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* q [HEADS,T,D], k [HEADS,S,D], v [HEADS,S,E] */
enum { HEADS = 3, T = 5, S = 4, D = 7, E = 2, MOST = HEADS * T * D, OUT = HEADS * T * E };

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct parameters *own;
    struct program *program;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    context_init(&fixture.ctx);
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    fixture.memory = program_memory_new(&fixture.ctx);
    fixture.graph = graph_new(&fixture.ctx);
    fixture.own = parameters_new(&fixture.ctx, ELEMENT_F64, 11);
    *state = &fixture;
    return !fixture.kernels || !fixture.memory || !fixture.graph || !fixture.own;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    program_free(f->program);
    program_memory_free(f->memory);
    graph_free(f->graph);
    parameters_free(f->own);
    kernel_context_free(f->kernels);
    return 0;
}

static struct node *learnt(struct fixture *f, const char *name, struct shape shape)
{
    return graph_parameter(f->graph, f->own, name, shape, (struct init){INIT_NORMAL, 1}, false);
}

/* weigh: of an output's element i, for a loss whose gradients all differ. */
static double weigh(int64_t i)
{
    return sin(1.0 + 2.0 * (double)i);
}

/* run: values [n] of x, and gradients of the sum of weigh(i) x_i into `own`. */
static void run(struct fixture *f, struct node *x, int n, double *values)
{
    double weights[OUT * 4];
    assert_true(n <= OUT * 4);
    for (int i = 0; i < n; i++)
        weights[i] = weigh(i);
    struct node *weighed = x ? graph_mul(f->graph, x, graph_constant(f->graph, x->spec.shape, weights)) : NULL;
    struct program_spec spec = {
        .loss = graph_sum_all(f->graph, weighed), .outputs = &x, .n_outputs = 1, .batch = 1, .precision = ELEMENT_F64};
    if (!spec.loss || program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
    if (program_run(f->program, &(struct bindings){.inputs = NULL}, RUN_BACKWARD) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
    memcpy(values, program_output(f->program, 0), (size_t)n * sizeof *values);
}

/* --- attention --- */

static void attention_plainly(double in[3][MOST], double out[OUT])
{
    for (int row = 0; row < HEADS * T; row++) {
        const int head = row / T;
        double score[S], sum = 0;
        for (int s = 0; s < S; s++) {
            double dot = 0;
            for (int d = 0; d < D; d++)
                dot += in[0][row * D + d] * in[1][(head * S + s) * D + d];
            score[s] = exp(dot / sqrt(D));
            sum += score[s];
        }
        for (int e = 0; e < E; e++) {
            out[row * E + e] = 0;
            for (int s = 0; s < S; s++)
                out[row * E + e] += score[s] / sum * in[2][(head * S + s) * E + e];
        }
    }
}

static double plain_loss(double in[3][MOST])
{
    double out[OUT], loss = 0;
    attention_plainly(in, out);
    for (int i = 0; i < OUT; i++)
        loss += weigh(i) * out[i];
    return loss;
}

static void test_attention_is_what_the_paper_says(void **state)
{
    struct fixture *f = *state;
    struct node *q = learnt(f, "q", SHAPE(HEADS, T, D)), *k = learnt(f, "k", SHAPE(HEADS, S, D)),
                *v = learnt(f, "v", SHAPE(HEADS, S, E));
    const int counts[3] = {HEADS * T * D, HEADS * S * D, HEADS * S * E};
    double in[3][MOST], expected[OUT], found[OUT];
    run(f, graph_attention(f->graph, q, k, v), OUT, found);
    for (int i = 0; i < 3; i++)
        parameters_get(f->own, i, in[i]);
    attention_plainly(in, expected);
    assert_int_equal(compare_numbers(stderr, "attention", OUT, expected, found, 1e-13, 1), 0);
    for (int i = 0; i < 3; i++) {
        double slopes[MOST];
        for (int e = 0; e < counts[i]; e++) {
            const double kept = in[i][e], step = 1e-4;
            double wide = 0, narrow = 0; /* differences of fourth order */
            for (int side = -1; side <= 1; side += 2) {
                in[i][e] = kept + side * step;
                narrow += side * plain_loss(in);
                in[i][e] = kept + 2 * side * step;
                wide += side * plain_loss(in);
            }
            in[i][e] = kept;
            slopes[e] = (8 * narrow - wide) / (12 * step);
        }
        assert_int_equal(compare_numbers(stderr, "gradient of attention", counts[i], slopes,
                                         parameters_gradient(f->own, i), 1e-9, 1),
                         0);
    }
}

/* --- split --- */

static void test_split_and_concat_give_the_same_again(void **state)
{
    struct fixture *f = *state;
    enum { ROWS = 3, COLUMNS = 6 };
    const int64_t sizes[] = {1, 3, 2};
    struct node *x = learnt(f, "x", SHAPE(ROWS, COLUMNS)), *parts[3], *turned[3];
    double in[ROWS * COLUMNS], out[ROWS * COLUMNS], expected[ROWS * COLUMNS];
    graph_split(f->graph, x, -1, 3, sizes, parts);
    for (int i = 0; i < 3; i++)
        turned[i] = parts[2 - i];
    run(f, graph_concat(f->graph, 3, turned, 1), ROWS * COLUMNS, out);
    parameters_get(f->own, 0, in);
    const int from[COLUMNS] = {4, 5, 1, 2, 3, 0};
    const double *gradient = parameters_gradient(f->own, 0);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        const int at = i / COLUMNS * COLUMNS + from[i % COLUMNS];
        expected[i] = in[at];
        assert_true(gradient[at] == weigh(i));
    }
    assert_memory_equal(expected, out, sizeof out);
}

static void test_split_takes_equal_parts(void **state)
{
    struct fixture *f = *state;
    struct node *x = graph_input(f->graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 8, 3)), *parts[4];
    graph_split(f->graph, x, 1, 4, NULL, parts);
    for (int i = 0; i < 4; i++) {
        const struct shape expected = SHAPE(SHAPE_BATCH, 2, 3);
        assert_non_null(parts[i]);
        assert_true(shape_equal(&parts[i]->spec.shape, &expected));
    }
}

/* --- what does not fit --- */

static void refused(struct fixture *f, const struct node *node, const char *words)
{
    assert_null(node);
    if (!strstr(f->ctx.error.message, words))
        fail_msg("expected \"%s\" in: %s", words, f->ctx.error.message);
    error_clear(&f->ctx);
}

static void test_what_does_not_fit_is_told(void **state)
{
    struct fixture *f = *state;
    struct graph *g = f->graph;
    struct node *x = graph_input(g, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 6, 4)), *parts[3];
    struct node *matrix = graph_input(g, "y", ELEMENT_REAL, SHAPE(4, 5));
    const int64_t sizes[] = {1, 2, 2};
    graph_split(g, x, 1, 3, sizes, parts);
    refused(f, parts[0], "3 given sizes add up to, found axis 1 of [B,6,4]");
    graph_split(g, x, 2, 3, NULL, parts);
    refused(f, parts[2], "3 equal parts add up to, found axis 2 of [B,6,4]");
    graph_split(g, x, 0, 3, NULL, parts);
    refused(f, parts[0], "an axis of known length");
    graph_split(g, NULL, 0, 3, NULL, parts);
    assert_null(parts[0]);
    assert_int_equal(f->ctx.error.status, STATUS_OK);
    refused(f, graph_slice(g, x, 1, 4, 2, 1), "found 4 to 2 by 1");
    refused(f, graph_slice(g, x, 1, 0, 7, 1), "a part of axis 1 of [B,6,4]");
    refused(f, graph_slice(g, x, 1, 6, GRAPH_SLICE_END, 1), "found 6 to the end by 1");
    refused(f, graph_slice(g, x, 1, 0, 2, 0), "a step of at least 1, found 0 to 2 by 0");
    refused(f, graph_slice(g, x, 0, 0, 1, 1), "an axis of known length, found axis 0 of [B,6,4]");
    refused(f, graph_slice(g, x, 3, 0, 1, 1), "expected an axis of [B,6,4], found axis 3");
    refused(f, graph_pad_axis(g, x, -4, 1, 1, 0), "expected an axis of [B,6,4], found axis -4");
    refused(f, graph_pad_axis(g, x, 0, 1, 1, 0), "an axis of known length, found axis 0 of [B,6,4]");
    refused(f, graph_pad_axis(g, x, 1, -1, 1, 0), "a padding of 0 or more, found -1 and 1");
    refused(f, graph_transpose(g, x, 3, (int[]){0, 1, 1}), "every axis of 1 to 6 once");
    refused(f, graph_transpose(g, x, 7, (int[]){0, 1, 2, 3, 4, 5, 6}), "every axis of 1 to 6 once");
    refused(f, graph_transpose(g, x, 2, (int[]){1, 0}), "real numbers with 2 axes, found real [B,6,4]");
    refused(f, graph_matmul(g, x, matrix, false, false), "expected equal axes before the last two");
    refused(f, graph_matmul(g, x, x, false, false), "as many columns of the first as rows of the second");
    refused(f, graph_top_k(g, x, 5), "k from 1 to the length of a row of [B,6,4], found 5");
    refused(f, graph_top_k(g, x, 0), "found 0");
    refused(f, graph_gather(g, x, x, 0), "an index, i32");
    refused(f, graph_one_hot(g, graph_input(g, "l", ELEMENT_I32, SHAPE(SHAPE_BATCH)), 0), "at least 1 class, found 0");
    struct node *map = graph_input(g, "map", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 4, 4, 3));
    refused(f, graph_resize(g, map, INTERPOLATION_NEAREST, 0, 3), "a height and a width of at least 1, found 0x3");
    refused(f, graph_attention(g, x, matrix, x), "expected equal axes");
    assert_null(graph_attention(g, x, NULL, x));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attention_is_what_the_paper_says),
        TEST(test_split_and_concat_give_the_same_again),
        TEST(test_split_takes_equal_parts),
        TEST(test_what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
