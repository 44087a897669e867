/* Values derived from parameters (packed and folded weights) follow them: an evaluator made before a change gives what one made
 * after it gives, and what the training loop reports is what the saved values give. */
#include "support/stage_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = STAGE_CASE_SAMPLES * STAGE_CASE_CLASSES };

static struct evaluator *evaluator_of(struct stage_case *c, const struct network *network)
{
    struct evaluator *evaluator =
        evaluator_new(&c->ctx, network, &c->data.splits[SPLIT_TRAIN], 50, ELEMENT_F32, c->kernels, c->memory);
    assert_non_null(evaluator);
    return evaluator;
}

static void derived_values_follow(void **state)
{
    (void)state;
    struct stage_case c;
    static double before[N], after[N], fresh[N];
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "student", 5);
    struct evaluator *old = evaluator_of(&c, network);
    assert_int_equal(evaluator_logits(old, before), STATUS_OK);
    struct stage stage = stage_case_alone(&c, network, 5);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    assert_int_equal(evaluator_logits(old, after), STATUS_OK);
    struct evaluator *new = evaluator_of(&c, network);
    assert_int_equal(evaluator_logits(new, fresh), STATUS_OK);
    assert_memory_equal(after, fresh, sizeof after);
    assert_memory_not_equal(before, after, sizeof after);
    evaluator_free(old);
    evaluator_free(new);
    network_free(network);
    stage_case_free(&c);
}

static void the_loop_reports_what_is_saved(void **state)
{
    (void)state;
    struct stage_case c;
    static double logits[N];
    stage_case_new(&c);
    c.data.splits[SPLIT_VALIDATION] = c.data.splits[SPLIT_TRAIN];
    struct network *network = stage_case_network(&c, NULL, "student", 5);
    struct stage stage = stage_case_alone(&c, network, 5);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    struct evaluator *fresh = evaluator_of(&c, network);
    assert_int_equal(evaluator_logits(fresh, logits), STATUS_OK);
    struct metrics m = metrics_of(logits, c.labels, STAGE_CASE_SAMPLES, STAGE_CASE_CLASSES);
    assert_true(m.accuracy == result.validation.accuracy);
    assert_true(m.loss - result.validation.loss < 1e-6 && result.validation.loss - m.loss < 1e-6);
    assert_true(m.accuracy > 0.5);
    evaluator_free(fresh);
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_values_follow),
        cmocka_unit_test(the_loop_reports_what_is_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
