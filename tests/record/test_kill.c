/* test_kill.c: kill -9 at random moments, resume, and the record is that of a run that was never interrupted. */
#include "record/record.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS = 400, CHECKPOINT = 20, KILLS = 20 };

/* checkpoint_read, checkpoint_write: the step that a real checkpoint would hold; -1: none yet. */
static int64_t checkpoint_read(void)
{
    long long step = -1;
    FILE *file = fopen("checkpoint", "r");
    if (file != NULL) {
        if (fscanf(file, "%lld", &step) != 1)
            step = -1;
        fclose(file);
    }
    return step;
}

static void checkpoint_write(int64_t step)
{
    FILE *file = fopen("checkpoint.partial", "w");
    if (file == NULL)
        _exit(3);
    fprintf(file, "%lld\n", (long long)step);
    fclose(file);
    rename("checkpoint.partial", "checkpoint");
}

/* train: a stage that records, flushes, commits its checkpoint; from where the checkpoint says. Slow: enough to be hit. */
static int train(const char *path, bool slow)
{
    struct context ctx;
    struct record *record = NULL;
    counted_context(&ctx);
    int64_t done = checkpoint_read();
    if (record_open(&ctx, path, RECORD_RESUME, &record) != STATUS_OK ||
        record_rewind(&ctx, record, "alone-0", done) != STATUS_OK)
        return 1;
    for (int64_t step = done + 1; step < STEPS; step++) {
        if (record_metric(&ctx, record, "alone-0", step / 100, step, "train", "loss", 1.0 / (double)(step + 3)) !=
            STATUS_OK)
            return 1;
        if (step % CHECKPOINT != CHECKPOINT - 1)
            continue;
        if (record_metric(&ctx, record, "alone-0", step / 100, step, "validation", "accuracy", 0.5) != STATUS_OK ||
            record_flush(&ctx, record) != STATUS_OK)
            return 1;
        checkpoint_write(step);
        if (slow)
            nanosleep(&(struct timespec){0, 300000}, NULL);
    }
    return record_close(&ctx, record) == STATUS_OK ? 0 : 1;
}

static void assert_same(struct context *ctx, const char *one, const char *two)
{
    static const char *const splits[] = {"train", "validation"}, *const names[] = {"loss", "accuracy"};
    struct record *a = NULL, *b = NULL;
    struct arena *arena = arena_new(ctx);
    assert_int_equal(record_open(ctx, one, RECORD_READ, &a), STATUS_OK);
    assert_int_equal(record_open(ctx, two, RECORD_READ, &b), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        struct record_series x, y;
        assert_int_equal(record_series_read(ctx, arena, a, "alone-0", splits[i], names[i], &x), STATUS_OK);
        assert_int_equal(record_series_read(ctx, arena, b, "alone-0", splits[i], names[i], &y), STATUS_OK);
        assert_int_equal(x.count, i == 0 ? STEPS : STEPS / CHECKPOINT);
        assert_int_equal(x.count, y.count);
        assert_memory_equal(x.steps, y.steps, x.count * sizeof x.steps[0]);
        assert_memory_equal(x.epochs, y.epochs, x.count * sizeof x.epochs[0]);
        assert_memory_equal(x.values, y.values, x.count * sizeof x.values[0]);
    }
    record_close(ctx, a);
    record_close(ctx, b);
    arena_free(arena);
}

static void test_kill(void **state)
{
    (void)state;
    struct context ctx;
    counted_context(&ctx);
    unlink("checkpoint");
    assert_int_equal(train("whole.sqlite", false), 0);
    uint32_t random = (uint32_t)getpid();
    int hits = 0;
    print_message("seed %u\n", random);
    unlink("checkpoint");
    for (int kills = 0; kills < KILLS; kills++) {
        fflush(stdout);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(train("killed.sqlite", true));
        random = random * 1664525 + 1013904223;
        nanosleep(&(struct timespec){0, (long)(random >> 8) % 12000000}, NULL);
        kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        hits += WIFSIGNALED(status);
        if (!WIFSIGNALED(status))
            assert_int_equal(WEXITSTATUS(status), 0);
        if (access("killed.sqlite", F_OK) == 0 && checkpoint_read() >= 0) { /* readable at any moment */
            struct record *record = NULL;
            struct record_series series;
            struct arena *arena = arena_new(&ctx);
            assert_int_equal(record_open(&ctx, "killed.sqlite", RECORD_READ, &record), STATUS_OK);
            assert_int_equal(record_series_read(&ctx, arena, record, "alone-0", "train", "loss", &series), STATUS_OK);
            assert_true((int64_t)series.count > checkpoint_read());
            record_close(&ctx, record);
            arena_free(arena);
        }
    }
    assert_true(hits > 0);
    assert_int_equal(train("killed.sqlite", false), 0);
    assert_same(&ctx, "whole.sqlite", "killed.sqlite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
