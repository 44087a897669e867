/* A stage that stops at a checkpoint and goes on from it, in other memory, ends in the bits of one that never stopped; a checkpoint of
 * another recipe is refused. */
#include "support/stage_case.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char path[] = "checkpoint.safetensors"; /* in the test's own folder */

static void stop_after_an_epoch(void *user, const struct loop_progress *progress)
{
    volatile sig_atomic_t *cancel = user;
    if (progress->epoch_end)
        *cancel = 1;
}

/* stopped: a network that has learnt for one epoch of two, and its checkpoint. */
static struct network *stopped(struct stage_case *c, volatile sig_atomic_t *cancel)
{
    struct network *network = stage_case_network(c, NULL, "student", 5);
    struct stage stage = stage_case_alone(c, network, 5);
    struct loop_spec spec = stage_case_loop(c, &stage);
    struct loop_result result;
    spec.checkpoint = path;
    spec.progress = stop_after_an_epoch;
    spec.user = (void *)(uintptr_t)cancel;
    c->ctx.cancel = cancel;
    assert_int_equal(loop_run(&c->ctx, &spec, &result), STATUS_CANCELLED);
    error_clear(&c->ctx);
    *cancel = 0;
    return network;
}

static void going_on_is_never_having_stopped(void **state)
{
    (void)state;
    struct stage_case c;
    struct loop_result result;
    volatile sig_atomic_t cancel = 0;
    stage_case_new(&c);
    struct network *whole = stage_case_network(&c, NULL, "student", 5);
    struct stage stage = stage_case_alone(&c, whole, 5);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);

    struct network *half = stopped(&c, &cancel);
    assert_false(stage_case_same(half, whole));
    /* Other initial values: all that counts comes from the file. */
    struct network *resumed = stage_case_network(&c, NULL, "student", 6);
    stage = stage_case_alone(&c, resumed, 5);
    spec = stage_case_loop(&c, &stage);
    spec.checkpoint = path;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    assert_int_equal(result.steps, 2 * (STAGE_CASE_SAMPLES / 32));
    assert_true(stage_case_same(resumed, whole));
    network_free(whole);
    network_free(half);
    network_free(resumed);
    stage_case_free(&c);
}

static void of_another_recipe(void **state)
{
    (void)state;
    struct stage_case c;
    struct loop_result result;
    volatile sig_atomic_t cancel = 0;
    stage_case_new(&c);
    struct network *network = stopped(&c, &cancel);
    struct stage stage = stage_case_alone(&c, network, 5);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    spec.checkpoint = path;
    spec.fingerprint = "another";
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, path));
    assert_non_null(strstr(c.ctx.error.message, "of this recipe, found another"));
    network_free(network);
    stage_case_free(&c);
}

static int checkpoint_remove(void **state)
{
    (void)state;
    remove(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(going_on_is_never_having_stopped, checkpoint_remove),
        cmocka_unit_test_setup(of_another_recipe, checkpoint_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
