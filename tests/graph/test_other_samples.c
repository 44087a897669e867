/* Samples to contrast with: the right ones, each once, others at every step; and rows of a state that change at commit. */
#include "graph/ops.h"
#include "graph/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 40, BATCH = 5, COUNT = 20 };

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct graph *graph;
    struct node *sample;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    fixture.ctx.log_level = LOG_QUIET;
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    fixture.graph = graph_new(&fixture.ctx);
    fixture.sample = graph_input(fixture.graph, "sample", ELEMENT_I32, SHAPE(SHAPE_BATCH));
    *state = &fixture;
    return !fixture.kernels || !fixture.sample;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    graph_free(f->graph);
    kernel_context_free(f->kernels);
    return 0;
}

/* drawn: the op's output at a step, [BATCH, 1 + count]. */
static void drawn(struct fixture *f, struct node *node, const int32_t *samples, uint64_t step, int32_t *out)
{
    struct program_memory *memory = program_memory_new(&f->ctx);
    struct program *program = NULL;
    struct program_spec spec = {.outputs = &node, .n_outputs = 1, .batch = BATCH, .precision = ELEMENT_F32};
    assert_non_null(node);
    assert_int_equal(program_compile(f->graph, &spec, f->kernels, memory, &program), STATUS_OK);
    const void *inputs[] = {samples};
    struct bindings bindings = {inputs, 3, step};
    assert_int_equal(program_run(program, &bindings, 0), STATUS_OK);
    memcpy(out, program_output(program, 0), (size_t)(BATCH * node->spec.shape.dim[1]) * sizeof *out);
    program_free(program);
    program_memory_free(memory);
}

static void test_others_have_other_labels_and_come_once(void **state)
{
    struct fixture *f = *state;
    int32_t labels[SAMPLES], first[BATCH * (1 + COUNT)], second[BATCH * (1 + COUNT)];
    const int32_t samples[BATCH] = {0, 39, 7, 8, 20};
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 3;
    labels[20] = -1;
    struct node *node = graph_other_samples(f->graph, f->sample, labels, SAMPLES, COUNT, 5);
    drawn(f, node, samples, 0, first);
    drawn(f, node, samples, 1, second);
    int same = 0;
    for (int b = 0; b < BATCH; b++) {
        const int32_t *row = first + b * (1 + COUNT);
        bool seen[SAMPLES] = {false};
        assert_int_equal(row[0], samples[b]);
        for (int k = 0; k <= COUNT; k++) {
            assert_in_range(row[k], 0, SAMPLES - 1);
            assert_false(seen[row[k]]);
            seen[row[k]] = true;
            assert_true(k == 0 || labels[row[k]] != labels[samples[b]]);
            same += k > 0 && row[k] == second[b * (1 + COUNT) + k];
        }
    }
    assert_true(same < BATCH * COUNT / 2);
}

/* 26 of other labels for each: 30 are drawn, so some twice; and without labels all others but oneself. */
static void test_too_few_are_drawn_again_and_without_labels_all_others(void **state)
{
    struct fixture *f = *state;
    int32_t labels[SAMPLES], out[BATCH * SAMPLES];
    const int32_t samples[BATCH] = {0, 1, 2, 3, -1};
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 3;
    drawn(f, graph_other_samples(f->graph, f->sample, labels, SAMPLES, 30, 5), samples, 0, out);
    for (int i = 0; i < 4 * 31; i++)
        assert_true(i % 31 == 0 || labels[out[i]] != labels[samples[i / 31]]);
    for (int k = 0; k < 31; k++)
        assert_int_equal(out[4 * 31 + k], -1);
    drawn(f, graph_other_samples(f->graph, f->sample, NULL, SAMPLES, SAMPLES - 1, 5), samples, 0, out);
    for (int b = 0; b < 4; b++) {
        int sum = 0;
        for (int k = 0; k < SAMPLES; k++)
            sum += out[b * SAMPLES + k];
        assert_int_equal(sum, SAMPLES * (SAMPLES - 1) / 2); /* each once */
    }
}

static void test_more_than_there_are_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_null(graph_other_samples(f->graph, f->sample, NULL, SAMPLES, SAMPLES, 5));
    assert_non_null(strstr(f->ctx.error.message, "expected at most 39 others of 40 samples, found 40"));
    error_clear(&f->ctx);
}

/* How often each of 10 others is the first one drawn: 4,000 draws, an eighth around the mean. */
static void test_draws_are_even(void **state)
{
    struct fixture *f = *state;
    struct node *node = graph_other_samples(f->graph, f->sample, NULL, 11, 1, 5);
    const int32_t samples[BATCH] = {0, 0, 0, 0, 0};
    int count[11] = {0};
    for (uint64_t step = 0; step < 4000; step++) {
        int32_t out[BATCH * 2];
        drawn(f, node, samples, step, out);
        count[out[1]]++;
    }
    assert_int_equal(count[0], 0);
    for (int i = 1; i < 11; i++)
        assert_in_range(count[i], 320, 480);
}

static void test_rows_of_a_state_change_at_commit(void **state)
{
    struct fixture *f = *state;
    struct parameters *own = parameters_new(&f->ctx, ELEMENT_F64, 1);
    struct node *table = graph_state(f->graph, own, "table", SHAPE(6, 2), (struct init){INIT_CONSTANT, 1});
    struct node *value = graph_mul(f->graph, graph_gather(f->graph, table, f->sample, 0), graph_scalar(f->graph, 3));
    assert_int_equal(graph_update_rows(f->graph, table, f->sample, value), STATUS_OK);
    struct program_memory *memory = program_memory_new(&f->ctx);
    struct program *program = NULL;
    struct program_spec spec = {
        .outputs = &value, .n_outputs = 1, .batch = 3, .precision = ELEMENT_F64, .updates = true};
    assert_int_equal(program_compile(f->graph, &spec, f->kernels, memory, &program), STATUS_OK);
    const int32_t samples[] = {4, -1, 2};
    const void *inputs[] = {samples};
    struct bindings bindings = {inputs, 3, 0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(program_run(program, &bindings, RUN_COMMIT), STATUS_OK);
    double values[12];
    parameters_get(own, 0, values);
    for (int i = 0; i < 12; i++)
        assert_true(values[i] == (i / 2 == 4 || i / 2 == 2 ? 9 : 1));
    assert_int_equal(graph_update_rows(f->graph, table, f->sample, graph_scalar(f->graph, 1)), STATUS_BAD_SHAPE);
    error_clear(&f->ctx);
    program_free(program);
    program_memory_free(memory);
    parameters_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_others_have_other_labels_and_come_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_few_are_drawn_again_and_without_labels_all_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_there_are_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_draws_are_even, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_of_a_state_change_at_commit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
