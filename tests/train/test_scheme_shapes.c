/* The shape of schemes: two learners that teach each other in one joint step, and an event; made here from data alone, as a scheme's
 * file would. */
#include "support/stage_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* mutual_stage: peers 0 and 1 learn from labels and from each other (weight w); learner 2, frozen, is an average of peer 0. */
static enum status mutual_stage(const struct request *request, struct stage_case *c, struct network *average,
                                double weight, struct stage_list *list)
{
    struct stage *stage = stage_add(list);
    struct learner *learners = arena_take(list->arena, 3, sizeof *learners);
    struct term *terms = arena_take(list->arena, 4, sizeof *terms);
    struct event *event = arena_take(list->arena, 1, sizeof *event);
    for (int i = 0; i < 2; i++) {
        learners[i] = (struct learner){.name = i ? "peer1" : "peer0",
                                       .network = i ? request->teachers[0].network : request->student,
                                       .training = true,
                                       .learns = true,
                                       .optimiser = request->optimiser};
        terms[2 * i] = stage_case_term(c, "labels", NULL, i, -1, 1);
        terms[2 * i + 1] = stage_case_term(c, "kd", "{\"temperature\":1}", i, 1 - i, weight);
        terms[2 * i].name = i ? "labels1" : "labels0";
        terms[2 * i + 1].name = i ? "kd1" : "kd0";
    }
    learners[2] = (struct learner){.name = "average", .network = average};
    *event = (struct event){.when = EVENT_STEP, .what = EVENT_AVERAGE, .from = 0, .to = 2, .rate = 0.5};
    *stage = (struct stage){.name = "peers",
                            .role = "peer",
                            .seed = request->seed,
                            .n_learners = 3,
                            .n_terms = 4,
                            .n_events = 1,
                            .learners = learners,
                            .terms = terms,
                            .events = event,
                            .budget = request->budget};
    return STATUS_OK;
}

struct peers {
    struct network *a, *b, *average;
};

static struct peers peers_train(struct stage_case *c, double weight, int64_t steps)
{
    struct peers peers = {stage_case_network(c, NULL, "a", 1), stage_case_network(c, NULL, "b", 2),
                          stage_case_network(c, NULL, "a", 1)};
    struct stage_list list = {.arena = c->arena};
    struct request request = {.ctx = &c->ctx,
                              .seed = 9,
                              .student = peers.a,
                              .teachers = &(struct learner){.name = "b", .network = peers.b},
                              .n_teachers = 1,
                              .optimiser = &c->settings.optimiser,
                              .budget = c->settings.budget};
    request.budget.steps = steps;
    struct loop_result result;
    assert_int_equal(mutual_stage(&request, c, peers.average, weight, &list), STATUS_OK);
    struct loop_spec spec = stage_case_loop(c, &list.stages[0]);
    if (loop_run(&c->ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return peers;
}

static void peers_free(struct peers *peers)
{
    network_free(peers->a);
    network_free(peers->b);
    network_free(peers->average);
}

/* Without the mutual term, learning side by side is learning alone: no gradient crosses, and nobody sees another's random numbers. */
static void weight_0_is_alone(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct peers peers = peers_train(&c, 0, -1), taught = peers_train(&c, 1, -1);
    struct network *alone = stage_case_network(&c, NULL, "b", 2);
    struct stage stage = stage_case_alone(&c, alone, 9);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    assert_true(stage_case_same(alone, peers.b));
    assert_false(stage_case_same(taught.b, peers.b));
    assert_false(stage_case_same(peers.a, peers.b));
    network_free(alone);
    peers_free(&peers);
    peers_free(&taught);
    stage_case_free(&c);
}

/* The event: after one step the average lies half way between where the peer began and where it is. */
static void event_after_a_step(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct network *start = stage_case_network(&c, NULL, "a", 1);
    struct peers peers = peers_train(&c, 1, 1);
    const float *from = start->parameters->values, *to = peers.a->parameters->values,
                *average = peers.average->parameters->values;
    double moved = 0;
    for (int64_t i = 0; i < start->parameters->n_values; i++) {
        moved += fabs((double)(to[i] - from[i]));
        assert_true(fabs((double)(average[i] - (from[i] + to[i]) / 2)) < 1e-6);
    }
    assert_true(moved > 0);
    network_free(start);
    peers_free(&peers);
    stage_case_free(&c);
}

/* A stage that is its own teacher, or in which nobody learns, is refused. */
static void wrong_stages(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "a", 1);
    struct stage stage = stage_case_alone(&c, network, 1);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    struct term own = stage_case_term(&c, "kd", NULL, 0, 0, 1);
    stage.terms = &own;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "its own teacher"));
    error_clear(&c.ctx);
    struct learner twins[2] = {stage.learners[0], {.name = "teacher", .network = network}};
    own.teacher = 1;
    stage.learners = twins;
    stage.n_learners = 2;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "the same network"));
    error_clear(&c.ctx);
    twins[0].learns = false;
    twins[0].optimiser = NULL; /* with one, the term's own parts could learn */
    own = stage_case_term(&c, "labels", NULL, 0, -1, 1);
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "does not learn"));
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_0_is_alone),
        cmocka_unit_test(event_after_a_step),
        cmocka_unit_test(wrong_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
