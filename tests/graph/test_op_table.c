/* Every op, in both precisions, with one and two threads, and with three of ours beside one of the library's: forward against
 * its reference, backward against central differences of the reference, memory, shapes. Names no op; tests/support/op_case.h
 * says what is examined. */
#include "graph/graph.h"
#include "support/op_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 20240, CONTEXTS = 3 };

struct fixture {
    struct context ctx;
    struct kernel_context *kernels[CONTEXTS];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    for (int i = 0; i < CONTEXTS; i++) {
        fixture.kernels[i] = kernel_context_new(&fixture.ctx, i % 2 + 1);
        if (!fixture.kernels[i]) {
            fprintf(stderr, "%s\n", fixture.ctx.error.message);
            return 1;
        }
    }
    kernel_context_widen(fixture.kernels[2], 3);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < CONTEXTS; i++) {
        kernel_context_free(fixture->kernels[i]);
    }
    return 0;
}

/* RETORT_OP in the environment examines one op alone, for whoever is writing it. */
static void every_op_agrees_with_its_reference(void **state)
{
    struct fixture *fixture = *state;
    const char *only = getenv("RETORT_OP");
    int failed = 0, examined = 0;
    printf("seed %d\n", SEED);
    for (size_t i = 0; i < op_table_count; i++) {
        if (only && strcmp(only, op_table[i]->name) != 0) {
            continue;
        }
        examined++;
        int findings = op_check(stderr, &fixture->ctx, op_table[i], fixture->kernels, CONTEXTS, SEED);
        printf("%-24s %zu examples, %d findings\n", op_table[i]->name, op_table[i]->n_examples, findings);
        failed += findings > 0;
    }
    assert_int_not_equal(examined, 0);
    assert_int_equal(failed, 0);
}

static void names_are_unique_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_table_count; i++) {
        assert_ptr_equal(op_find(op_table[i]->name), op_table[i]);
    }
    assert_null(op_find("no such op"));
}

/* call_with: a call of the op's first example with `n` inputs, its own repeated or cut short. */
static struct node *call_with(struct graph *graph, const struct op *op, int n)
{
    const struct op_example *example = &op->examples[0];
    struct node *inputs[OP_MAX_INPUTS + 1];
    for (int i = 0; i < n; i++) {
        const struct op_example_input *in = &example->in[example->n_inputs > 0 ? i % example->n_inputs : 0];
        bool integer = in->fill == OP_FILL_CLASS || in->fill == OP_FILL_CLASS_OR_NONE;
        enum element element = integer ? ELEMENT_I32 : in->fill == OP_FILL_BYTE ? ELEMENT_U8 : ELEMENT_REAL;
        inputs[i] = graph_input(graph, "x", element, shape_of(in->rank, in->dim));
    }
    return graph_call(graph, op, example->attributes, n, inputs);
}

static void too_few_and_too_many_inputs_are_refused(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < op_table_count; i++) {
        const struct op *op = op_table[i];
        const int counts[] = {op->inputs_min - 1, op->inputs_max + 1};
        for (int c = 0; c < 2; c++) {
            if (counts[c] < 0) {
                continue;
            }
            struct graph *graph = graph_new(&fixture->ctx);
            assert_non_null(graph);
            assert_null(call_with(graph, op, counts[c]));
            assert_int_equal(fixture->ctx.error.status, STATUS_BAD_SHAPE);
            assert_non_null(strstr(fixture->ctx.error.message, op->name));
            error_clear(&fixture->ctx);
            graph_free(graph);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_found),
        cmocka_unit_test(too_few_and_too_many_inputs_are_refused),
        cmocka_unit_test(every_op_agrees_with_its_reference),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
