/* test_crew.c: threads that stay. */
#include "base/crew.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

#include <pthread.h>

enum { MOST = 7, CALLS = 300 };

struct shared {
    int before;    /* written by the caller */
    int sum[MOST]; /* of each piece, by the piece: read by the caller */
    int done[MOST];
    pthread_t caller;
    atomic_int inside, met; /* pieces that are in work at once */
    int count;
};

static void piece(void *user, int i)
{
    struct shared *shared = user;
    shared->sum[i] += shared->before * (i + 1);
    shared->done[i]++;
    if (i == 0)
        assert_true(pthread_equal(shared->caller, pthread_self()));
}

static void each_piece_runs_once_a_call(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    for (int size = 1; size <= 3; size++) {
        struct crew *crew = crew_new(&ctx, size);
        assert_non_null(crew);
        for (int count = 0; count <= MOST; count++) {
            struct shared shared = {.caller = pthread_self()};
            int expected = 0;
            for (int call = 0; call < CALLS / MOST; call++) {
                shared.before = call;
                expected += call;
                crew_run(crew, count, piece, &shared);
                for (int i = 0; i < MOST; i++) {
                    assert_int_equal(shared.done[i], i < count ? call + 1 : 0);
                    assert_int_equal(shared.sum[i], i < count ? expected * (i + 1) : 0);
                }
            }
        }
        crew_free(crew);
    }
    crew_free(NULL);
}

/* meet: ends when all pieces are in work at the same time. */
static void meet(void *user, int i)
{
    struct shared *shared = user;
    const struct timespec moment = {.tv_nsec = 1000000};
    (void)i;
    atomic_fetch_add(&shared->inside, 1);
    for (int wait = 0; wait < 20000 && atomic_load(&shared->inside) < shared->count; wait++)
        nanosleep(&moment, NULL);
    atomic_fetch_add(&shared->met, atomic_load(&shared->inside) >= shared->count);
}

static void pieces_run_at_the_same_time_and_after_a_rest(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct crew *crew = crew_new(&ctx, 3);
    for (int call = 0; call < 3; call++) {
        struct shared shared = {.count = 3};
        crew_run(crew, 3, meet, &shared);
        assert_int_equal(shared.met, 3);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* its members are asleep by now */
    }
    crew_free(crew);
}

static enum status make(struct context *ctx, void *user)
{
    (void)user;
    struct crew *crew = crew_new(ctx, 3);
    crew_free(crew);
    return ctx->error.status;
}

static void memory_may_be_lacking(void **state)
{
    (void)state;
    fault_loop(make, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_piece_runs_once_a_call),
                                       cmocka_unit_test(pieces_run_at_the_same_time_and_after_a_rest),
                                       cmocka_unit_test(memory_may_be_lacking)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
