/* Writers of the cache that are in each other's way, or have no room. */
#include "cache_case.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

/* --- several writers --- */

/* A second writer, in a thread of its own. */
struct second {
    volatile sig_atomic_t cancel;
    int started, ended; /* by __atomic */
    int64_t done;
    enum status status;
    bool has_writer;
    char message[256];
    pthread_t thread;
};

static void *second_work(void *user_)
{
    struct second *second = user_;
    struct user user;
    counted_context(&user.ctx);
    user.ctx.cancel = &second->cancel;
    user.arena = arena_new(&user.ctx);
    if (user.arena && cache_open(&user.ctx, user.arena, NULL, &user.cache) == STATUS_OK) {
        const struct cache_entry entry = entry_of(&user, "a");
        __atomic_store_n(&second->started, 1, __ATOMIC_SEQ_CST);
        struct cache_writer *writer = cache_writer_new(&user.cache, &entry, 8, &second->done);
        second->has_writer = writer != NULL;
        second->status = writer ? cache_writer_finish(writer) : user.ctx.error.status;
    }
    snprintf(second->message, sizeof second->message, "%.255s", user.ctx.error.message);
    arena_free(user.arena);
    __atomic_store_n(&second->ended, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void pause_for(int milliseconds)
{
    const struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&time, NULL);
}

/* second_start: returns when it has been waiting for a while. */
static void second_start(struct second *second)
{
    *second = (struct second){.done = -1};
    assert_int_equal(pthread_create(&second->thread, NULL, second_work, second), 0);
    while (!__atomic_load_n(&second->started, __ATOMIC_SEQ_CST))
        pause_for(1);
    pause_for(150);
    assert_false(__atomic_load_n(&second->ended, __ATOMIC_SEQ_CST));
}

static void test_a_second_writer_waits(void **state)
{
    (void)state;
    struct user user;
    struct second second;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a"), other = entry_of(&user, "b");
    struct cache_writer *writer = writer_of(&user, &entry, 8, 0);
    assert_int_equal(rows_write(writer, 0, 9), STATUS_OK);
    entry_make(&user, &other); /* nobody waits for another entry */
    second_start(&second);
    assert_int_equal(rows_write(writer, 9, ROWS - 9), STATUS_OK);
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
    pthread_join(second.thread, NULL);
    assert_string_equal(second.message, "");
    assert_int_equal(second.status, STATUS_OK);
    assert_int_equal(second.done, ROWS); /* nothing is left to do */
    store_check(cache_store(&user.cache, &entry));
    user_free(&user);
}

/* The second goes on where the first has left, also when that has taken its file with it. */
static void test_a_second_writer_goes_on(void **state)
{
    (void)state;
    struct user user;
    struct second second;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    for (int rows = 0; rows <= 9; rows += 9) {
        struct cache_writer *writer = writer_of(&user, &entry, 8, 0);
        assert_int_equal(rows_write(writer, 0, rows), STATUS_OK);
        second_start(&second);
        cache_writer_leave(writer);
        pthread_join(second.thread, NULL);
        assert_string_equal(second.message, "");
        assert_int_equal(second.done, rows / 8 * 8);
        absent(&user, &entry); /* it says that it has finished, and has not */
    }
    user_free(&user);
}

static void test_waiting_can_be_cancelled(void **state)
{
    (void)state;
    struct user user;
    struct second second;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    struct cache_writer *writer = writer_of(&user, &entry, 8, 0);
    second_start(&second);
    __atomic_store_n(&second.cancel, 1, __ATOMIC_RELAXED);
    pthread_join(second.thread, NULL);
    assert_false(second.has_writer);
    assert_int_equal(second.status, STATUS_CANCELLED);
    assert_non_null(strstr(second.message, "interrupted while another run records the same outputs"));
    assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK); /* the first is not concerned */
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
    store_check(cache_store(&user.cache, &entry));
    user_free(&user);
}

/* --- no room --- */

/* limited: no file may become larger, which is what a full disk does to a writer. */
static void limited(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_room(void **state)
{
    (void)state;
    static const char what_to_do[] = "; make room, let XDG_CACHE_HOME name another folder, or set distill.cache: false";
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    struct cache_writer *writer = writer_of(&user, &entry, 4, 0);
    signal(SIGXFSZ, SIG_IGN);
    limited(100);
    assert_int_equal(rows_write(writer, 0, 8), STATUS_OK);
    enum status status = rows_write(writer, 8, 8);
    char first[sizeof user.ctx.error.message];
    strcpy(first, user.ctx.error.message);
    cache_writer_leave(writer); /* notes what there is */
    assert_string_equal(user.ctx.error.message, first);
    expect_failure(&user.ctx, status, STATUS_IO, place, ".rows: cannot be written: File too large", what_to_do, NULL);
    limited(RLIM_INFINITY);
    writer = writer_of(&user, &entry, 4, 8);
    assert_int_equal(rows_write(writer, 8, ROWS - 8), STATUS_OK);
    limited(100); /* the rows are there, and there is no room to say so */
    status = cache_writer_finish(writer);
    expect_failure(&user.ctx, status, STATUS_IO, ".json: File too large", what_to_do, NULL);
    limited(RLIM_INFINITY);
    absent(&user, &entry);
    writer = writer_of(&user, &entry, 4, 8); /* as was noted last */
    assert_int_equal(rows_write(writer, 8, ROWS - 8), STATUS_OK);
    limited(1); /* nor to note how many rows there are: as if there were none of the last */
    cache_writer_leave(writer);
    limited(RLIM_INFINITY);
    writer = writer_of(&user, &entry, 4, 8);
    assert_int_equal(rows_write(writer, 8, ROWS - 8), STATUS_OK);
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
    store_check(cache_store(&user.cache, &entry));
    signal(SIGXFSZ, SIG_DFL);
    user_free(&user);
}

static void test_rows_that_cannot_be_opened(void **state)
{
    (void)state;
    struct user user;
    int64_t done;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    entry_make(&user, &entry);
    const char *rows = file_of(&user, "rows");
    assert_int_equal(unlink(rows), 0);
    assert_int_equal(mkdir(rows, 0700), 0);
    assert_null(cache_writer_new(&user.cache, &entry, 1, &done));
    expect_failure(&user.ctx, user.ctx.error.status, STATUS_IO, ".rows: cannot be opened: Is a directory", "make room",
                   NULL);
    user_free(&user);
}

int main(void)
{
    if (!getcwd(working, sizeof working))
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(test_a_second_writer_waits),      TEST(test_a_second_writer_goes_on),
        TEST(test_waiting_can_be_cancelled),   TEST(test_no_room),
        TEST(test_rows_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
