/* The memory plan changes nothing: without buffer sharing the bits are the same, with freed buffers poisoned the result is the same,
 * and a step allocates nothing. */
#include "data/loader.h"
#include "support/stage_case.h"
#include "train/learning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct network *trained(struct stage_case *c, unsigned flags)
{
    struct network *network = stage_case_network(c, NULL, "student", 5);
    struct stage stage = stage_case_alone(c, network, 5);
    struct loop_spec spec = stage_case_loop(c, &stage);
    struct loop_result result;
    spec.plan_flags = flags;
    if (loop_run(&c->ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    assert_int_equal(result.steps, 2 * (STAGE_CASE_SAMPLES / 32));
    return network;
}

static void flags_change_nothing(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct network *plain = trained(&c, 0), *start = stage_case_network(&c, NULL, "student", 5);
    assert_false(stage_case_same(plain, start));
    const unsigned flags[] = {PLAN_NO_SHARING, PLAN_POISON, PLAN_NO_SHARING | PLAN_POISON};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct network *other = trained(&c, flags[i]);
        if (!stage_case_same(plain, other))
            fail_msg("plan flags %u: other bits than the usual plan", flags[i]);
        network_free(other);
    }
    network_free(plain);
    network_free(start);
    stage_case_free(&c);
}

static void sharing_saves_memory(void **state)
{
    (void)state;
    struct stage_case c;
    size_t bytes[2];
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "student", 5);
    struct stage stage = stage_case_alone(&c, network, 5);
    for (int i = 0; i < 2; i++) {
        struct stage_graph_spec graph = {
            .stage = &stage, .split = &c.data.splits[SPLIT_TRAIN], .images = ELEMENT_U8, .precision = ELEMENT_F32};
        struct stage_graph *built = stage_graph_new(&c.ctx, &graph);
        struct program *program = NULL;
        struct program_spec spec = {.loss = built->loss,
                                    .updates = true,
                                    .batch = 32,
                                    .precision = ELEMENT_F32,
                                    .flags = i ? PLAN_NO_SHARING : 0};
        assert_int_equal(program_compile(built->graph, &spec, c.kernels, c.memory, &program), STATUS_OK);
        bytes[i] = program_arena_bytes(program);
        program_free(program);
        stage_graph_free(built);
    }
    assert_true(bytes[0] < bytes[1] * 2 / 3);
    network_free(network);
    stage_case_free(&c);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "student", 5);
    struct stage stage = stage_case_alone(&c, network, 5);
    struct stage_graph_spec graph = {
        .stage = &stage, .split = &c.data.splits[SPLIT_TRAIN], .images = ELEMENT_U8, .precision = ELEMENT_F32};
    struct stage_graph *built = stage_graph_new(&c.ctx, &graph);
    struct program *program = NULL;
    struct program_spec spec = {.loss = built->loss, .updates = true, .batch = 32, .precision = ELEMENT_F32};
    assert_int_equal(program_compile(built->graph, &spec, c.kernels, c.memory, &program), STATUS_OK);
    struct learning *learning = learning_new(&c.ctx, built, program, kernels_of(c.kernels, ELEMENT_F32));
    struct loader *loader = loader_new(
        &c.ctx, &(struct loader_spec){
                    .split = &c.data.splits[SPLIT_TRAIN], .batch = 32, .shuffle = true, .drop_last = true, .seed = 5});
    assert_true(learning && loader);
    uint64_t after_two = 0;
    for (int64_t step = 0; step < 1000; step++) {
        struct batch batch;
        if (!loader_next(loader, &batch)) {
            loader_epoch(loader, step);
            assert_true(loader_next(loader, &batch));
        }
        const void *inputs[STAGE_INPUTS] = {batch.images, batch.labels, batch.samples, batch.rows};
        struct bindings bindings = {.inputs = inputs, .seed = 5, .step = (uint64_t)step};
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD | RUN_COMMIT), STATUS_OK);
        learning_step(learning, step, 1000, 6);
        if (step == 1)
            after_two = c.ctx.allocator.allocations;
    }
    assert_int_equal(c.ctx.allocator.allocations, after_two);
    loader_free(loader);
    learning_free(learning);
    program_free(program);
    stage_graph_free(built);
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_change_nothing),
        cmocka_unit_test(sharing_saves_memory),
        cmocka_unit_test(a_step_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
