/* Peers that do not teach each other are networks that learn alone: the same bits, from each one's own initial values, with the run's
 * order of samples. Not to be said in a recipe, where a run's seed is that of both. */
#include "recipe/recipe.h"
#include "run/stages.h"
#include "support/small_files.h"
#include "support/stage_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 3, PEERS_MOST = 3 };

/* A run's students, and what trains them. */
struct trained {
    struct context ctx;
    struct arena *arena;
    struct plan plan;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct teaching teaching;
    struct student student;
};

static void stage_train(struct trained *t, const struct stage *stage)
{
    struct loop_result result;
    const struct loop_spec spec = {.stage = stage,
                                   .data = t->plan.data,
                                   .precision = t->plan.precision,
                                   .kernels = t->kernels,
                                   .memory = t->memory,
                                   .fingerprint = "test"};
    if (loop_run(&t->ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s", t->ctx.error.message);
    assert_true(result.steps >= 6);
}

/* trained_open: the stages of seed SEED, alone or as the scheme has them. */
static void trained_open(struct trained *t, const char *scheme, bool alone)
{
    char text[1024];
    struct value *recipe;
    const int length =
        snprintf(text, sizeof text,
                 SMALL_DATA "student: {network: {name: cnn, widths: [4, 6], dropout: 0.2}, train: {epochs: 3, "
                            "batch: 10, optimiser: {name: sgd, rate: 0.05, weight_decay: 0.001}}}\n"
                            "distill: {%s}\nseeds: [3]\n",
                 scheme);
    *t = (struct trained){.arena = NULL};
    context_init(&t->ctx);
    t->ctx.log_level = LOG_QUIET;
    t->arena = arena_new(&t->ctx);
    t->kernels = kernel_context_new(&t->ctx, 1);
    t->memory = program_memory_new(&t->ctx);
    assert_true(t->arena && t->kernels && t->memory);
    if (recipe_parse(&t->ctx, t->arena, "recipe.yaml", text, (size_t)length, &recipe) != STATUS_OK ||
        plan_make(&t->ctx, t->arena, recipe, "recipe.yaml", false, &t->plan) != STATUS_OK ||
        student_stages(&t->ctx, t->arena, &t->plan, &t->teaching, SEED, alone, &t->student) != STATUS_OK)
        fail_msg("%s: %s", scheme, t->ctx.error.message);
}

static void trained_close(struct trained *t)
{
    student_free(&t->student);
    plan_free(&t->ctx, &t->plan);
    program_memory_free(t->memory);
    kernel_context_free(t->kernels);
    arena_free(t->arena);
}

/* expect_alone: each peer of the stage is a network of the same description, name and initial values that learnt alone. */
static void expect_alone(const char *scheme, const char *const *names, const uint64_t *seeds, const char *networks)
{
    struct trained peers;
    trained_open(&peers, scheme, false);
    const struct stage *stage = &peers.student.list.stages[0];
    stage_train(&peers, stage);
    for (int i = 0; names[i]; i++) {
        struct trained solo;
        trained_open(&solo, scheme, true);
        struct network *network;
        struct network_plan which = solo.plan.student;
        if (i > 0 && networks) {
            struct value *other;
            assert_int_equal(recipe_parse(&solo.ctx, solo.arena, "network", networks, strlen(networks), &other),
                             STATUS_OK);
            which.network = other;
        }
        assert_int_equal(plan_network(&solo.ctx, &solo.plan, &which, names[i], seeds[i], &network), STATUS_OK);
        struct network *unlike = NULL;
        assert_int_equal(plan_network(&solo.ctx, &solo.plan, &which, names[i], seeds[i] + 1, &unlike), STATUS_OK);
        solo.student.list.stages[0].learners[0].network = network;
        stage_train(&solo, &solo.student.list.stages[0]);
        assert_true(stage_case_same(network, stage->learners[i].network));
        solo.student.list.stages[0].learners[0].network = unlike;
        stage_train(&solo, &solo.student.list.stages[0]);
        assert_false(stage_case_same(unlike, stage->learners[i].network));
        network_free(network);
        network_free(unlike);
        trained_close(&solo);
    }
    trained_close(&peers);
}

static void test_peers_of_weight_0_learn_alone(void **state)
{
    static const char *const names[] = {"student", "student+1000", "student+2000", NULL};
    static const uint64_t seeds[] = {SEED, SEED + 1000, SEED + 2000};
    (void)state;
    small_files_put();
    expect_alone("scheme: dml, weight: 0, peers: 3", names, seeds, NULL);
    expect_alone("scheme: kdcl, weight: 0, peers: 3", names, seeds, NULL);
    expect_alone("scheme: codistillation, weight: 0, peers: 3, exchange: 2, burn_in: 0", names, seeds, NULL);
    expect_alone("scheme: codistillation, burn_in: 9, peers: 3", names, seeds, NULL);
}

static void test_so_do_peers_with_seeds_or_networks_of_their_own(void **state)
{
    static const char *const names[] = {"student", "student+7", NULL}, *const others[] = {"student", "peer1", NULL};
    static const uint64_t seeds[] = {SEED, SEED + 7}, usual[] = {SEED, SEED + 1000};
    static const char network[] = "{name: mlp, widths: [9], dropout: 0.1}";
    (void)state;
    small_files_put();
    expect_alone("scheme: dml, weight: 0, peer_seeds: [0, 7]", names, seeds, NULL);
    expect_alone("scheme: dml, weight: 0, networks: [{name: mlp, widths: [9], dropout: 0.1}]", others, usual, network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers_of_weight_0_learn_alone),
        cmocka_unit_test(test_so_do_peers_with_seeds_or_networks_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
