/* test_thread.c: pieces of work side by side. */
#include "base/thread.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours; fail_msg does the same */

enum { COUNT = 40 };

struct shared {
    atomic_int done[COUNT];
    atomic_int running, most, started;
    int fail_from; /* pieces from here on fail; 0: none does */
    int lines;
    char last[64];
};

static void pause_for(int milliseconds)
{
    struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&time, NULL);
}

static enum status work(struct context *ctx, void *user, int i)
{
    struct shared *shared = user;
    int running = atomic_fetch_add(&shared->running, 1) + 1;
    int most = atomic_load(&shared->most);
    while (running > most && !atomic_compare_exchange_weak(&shared->most, &most, running))
        ;
    atomic_fetch_add(&shared->started, 1);
    atomic_fetch_add(&shared->done[i], 1);
    pause_for(1);
    log_line(ctx, LOG_INFO, "piece %d", i);
    atomic_fetch_sub(&shared->running, 1);
    if (shared->fail_from > 0 && i >= shared->fail_from)
        return fail(ctx, STATUS_NOT_FINITE, "piece %d is not finite", i);
    return STATUS_OK;
}

static void count_line(void *user, enum log_level level, const char *line)
{
    struct shared *shared = user;
    assert_int_equal(level, LOG_INFO);
    shared->lines++; /* not atomic: jobs_run lets one line through at a time */
    strncpy(shared->last, line, sizeof shared->last - 1);
}

static void run_each(int jobs)
{
    struct context ctx;
    struct shared shared = {.fail_from = 0};
    context_init(&ctx);
    ctx.log = count_line;
    ctx.log_user = &shared;
    assert_int_equal(jobs_run(&ctx, jobs, COUNT, work, &shared), STATUS_OK);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(shared.done[i], 1);
    assert_int_equal(shared.lines, COUNT);
    assert_true(shared.most <= (jobs < 1 ? 1 : jobs));
    assert_int_equal(ctx.error.status, STATUS_OK);
}

static void test_each_piece_runs_once(void **state)
{
    (void)state;
    run_each(1);
    run_each(2);
    run_each(7);
    run_each(COUNT + 5);
    run_each(0);
}

static void test_pieces_run_side_by_side(void **state)
{
    (void)state;
    struct context ctx;
    struct shared shared = {.fail_from = 0};
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    assert_int_equal(jobs_run(&ctx, 4, COUNT, work, &shared), STATUS_OK);
    assert_true(shared.most > 1);
}

static void fails_from(int jobs)
{
    struct context ctx;
    struct shared shared = {.fail_from = 10};
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    assert_int_equal(jobs_run(&ctx, jobs, COUNT, work, &shared), STATUS_NOT_FINITE);
    assert_string_equal(ctx.error.message, "piece 10 is not finite"); /* the lowest, not the first in time */
    assert_true(shared.started >= 11 && shared.started <= 10 + jobs);
    for (int i = 0; i < 10; i++)
        assert_int_equal(shared.done[i], 1);
}

static void test_failure_stops_further_pieces(void **state)
{
    (void)state;
    fails_from(1);
    fails_from(3);
    fails_from(8);
}

static enum status wordless(struct context *ctx, void *user, int i)
{
    (void)ctx;
    (void)user;
    return i == 3 ? STATUS_UNSUPPORTED : STATUS_OK;
}

static void test_failure_without_words_gets_some(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    assert_int_equal(jobs_run(&ctx, 2, 5, wordless, NULL), STATUS_UNSUPPORTED);
    assert_string_equal(ctx.error.message, "piece 4 of 5 failed: not supported");
    error_clear(&ctx);
    assert_int_equal(jobs_run(&ctx, 2, 0, wordless, NULL), STATUS_OK);
}

static enum status allocating(struct context *ctx, void *user, int i)
{
    (void)user;
    (void)i;
    void *memory = memory_new(ctx, 10, 10);
    memory_free(ctx, memory);
    return memory == NULL ? ctx->error.status : STATUS_OK;
}

static enum status run_allocating(struct context *ctx, void *user)
{
    const int *jobs = user;
    return jobs_run(ctx, *jobs, 6, allocating, NULL);
}

static void test_failing_allocations_are_reported(void **state)
{
    (void)state;
    int jobs = 1;
    assert_int_equal(fault_loop(run_allocating, &jobs), 6);
    struct context ctx;
    counted_context(&ctx);
    assert_int_equal(jobs_run(&ctx, 3, 6, allocating, NULL), STATUS_OK);
    assert_int_equal(ctx.allocator.allocations, 7); /* six pieces and the list of threads */
}

static void test_clock_and_cores(void **state)
{
    (void)state;
    double before = clock_seconds();
    pause_for(20);
    double passed = clock_seconds() - before;
    assert_true(passed >= 0.019 && passed < 60.0);
    assert_true(cpu_count() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_piece_runs_once),
        cmocka_unit_test(test_pieces_run_side_by_side),
        cmocka_unit_test(test_failure_stops_further_pieces),
        cmocka_unit_test(test_failure_without_words_gets_some),
        cmocka_unit_test(test_failing_allocations_are_reported),
        cmocka_unit_test(test_clock_and_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
