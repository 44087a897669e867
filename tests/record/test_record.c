/* test_record.c: what goes into a record comes out of it, also through plain SQL, side by side and after a rewind. */
#include "base/thread.h"
#include "record/record.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
    struct record *record;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    counted_context(&fixture->ctx);
    fixture->arena = arena_new(&fixture->ctx);
    unlink("record.sqlite");
    *state = fixture;
    return fixture->arena == NULL ||
           record_open(&fixture->ctx, "record.sqlite", RECORD_CREATE, &fixture->record) != STATUS_OK;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    enum status status = record_close(&fixture->ctx, fixture->record);
    arena_free(fixture->arena);
    free(fixture);
    return status != STATUS_OK || counted_blocks() != 0;
}

static void reopen(struct fixture *f, enum record_mode mode)
{
    assert_int_equal(record_close(&f->ctx, f->record), STATUS_OK);
    f->record = NULL;
    assert_int_equal(record_open(&f->ctx, "record.sqlite", mode, &f->record), STATUS_OK);
}

static void metric(struct fixture *f, const char *stage, int64_t step, const char *split, const char *name,
                   double value)
{
    assert_int_equal(record_metric(&f->ctx, f->record, stage, step / 10, step, split, name, value), STATUS_OK);
}

static void test_run_and_notes(void **state)
{
    struct fixture *f = *state;
    struct record_run run;
    const char *text = NULL;
    assert_int_equal(record_run_read(&f->ctx, f->arena, f->record, &run), STATUS_OK);
    assert_null(run.name);
    assert_int_equal(record_note_read(&f->ctx, f->arena, f->record, "machine", &text), STATUS_OK);
    assert_null(text);
    const struct record_run given = {"fashion", NULL, "0.1.0", "abc", "data: {name: \"ü\"}\n"};
    assert_int_equal(record_run(&f->ctx, f->record, &given), STATUS_OK);
    assert_int_equal(record_run(&f->ctx, f->record, &given), STATUS_OK);
    assert_int_equal(record_note(&f->ctx, f->record, "machine", "{}"), STATUS_OK);
    assert_int_equal(record_note(&f->ctx, f->record, "machine", "{\"cores\": 2}"), STATUS_OK);
    reopen(f, RECORD_READ);
    assert_int_equal(record_run_read(&f->ctx, f->arena, f->record, &run), STATUS_OK);
    assert_string_equal(run.name, "fashion");
    assert_null(run.started);
    assert_string_equal(run.recipe, given.recipe);
    assert_int_equal(record_note_read(&f->ctx, f->arena, f->record, "machine", &text), STATUS_OK);
    assert_string_equal(text, "{\"cores\": 2}");
    expect_failure(&f->ctx, record_note(&f->ctx, f->record, "machine", ""), STATUS_IO, "record.sqlite", "readonly",
                   NULL);
}

static void test_stages(void **state)
{
    struct fixture *f = *state;
    struct record_stage *stages = NULL;
    size_t count = 9;
    assert_int_equal(record_stages_read(&f->ctx, f->arena, f->record, &stages, &count), STATUS_OK);
    assert_int_equal(count, 0);
    struct record_stage teacher = {.name = "teacher", .role = "teacher", .seed = 3, .parameters = 140000};
    struct record_stage alone = {.name = "alone-0", .role = "alone"};
    assert_int_equal(record_stage(&f->ctx, f->record, &teacher), STATUS_OK);
    assert_int_equal(record_stage(&f->ctx, f->record, &alone), STATUS_OK);
    teacher.model = "models/teacher.safetensors";
    teacher.seconds = 12.5;
    assert_int_equal(record_stage(&f->ctx, f->record, &teacher), STATUS_OK);
    reopen(f, RECORD_READ);
    assert_int_equal(record_stages_read(&f->ctx, f->arena, f->record, &stages, &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_string_equal(stages[0].name, "teacher");
    assert_string_equal(stages[0].model, "models/teacher.safetensors");
    assert_int_equal(stages[0].seed, 3);
    assert_int_equal(stages[0].parameters, 140000);
    assert_true(stages[0].seconds == 12.5);
    assert_string_equal(stages[1].role, "alone");
    assert_null(stages[1].model);
}

static void test_series(void **state)
{
    struct fixture *f = *state;
    struct record_series series, *all = NULL;
    size_t count = 0;
    for (int64_t step = 0; step < 100; step++) {
        metric(f, "alone-0", step, "train", "loss", 1.0 / (double)(step + 1));
        metric(f, "alone-1", step, "train", "loss", 0.1);
    }
    metric(f, "alone-0", 99, "validation", "loss", NAN);
    metric(f, "alone-0", 50, "train", "loss", 7); /* again: the later one counts */
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "alone-0", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 100);
    for (int64_t i = 0; i < 100; i++) {
        assert_int_equal(series.steps[i], i);
        assert_int_equal(series.epochs[i], i / 10);
        assert_true(series.values[i] == (i == 50 ? 7 : 1.0 / (double)(i + 1))); /* every bit */
    }
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "alone-0", "validation", "loss", &series),
                     STATUS_OK);
    assert_int_equal(series.count, 1);
    assert_true(isnan(series.values[0]));
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "alone-7", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 0);
    assert_int_equal(record_series_list(&f->ctx, f->arena, f->record, &all, &count), STATUS_OK);
    assert_int_equal(count, 3);
    assert_string_equal(all[0].stage, "alone-0");
    assert_string_equal(all[1].split, "validation");
    assert_int_equal(all[2].count, 100);
}

/* The view that other programs read. */
static void test_view(void **state)
{
    struct fixture *f = *state;
    metric(f, "teacher", 20, "train", "loss", 0.25);
    reopen(f, RECORD_RESUME);
    metric(f, "teacher", 21, "train", "loss", 0.125);
    assert_int_equal(record_flush(&f->ctx, f->record), STATUS_OK);
    sqlite3 *other = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2("record.sqlite", &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(other,
                                        "SELECT stage, epoch, step, split, name, value FROM metrics"
                                        " WHERE stage = 'teacher' AND split = 'train' AND name = 'loss'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    for (int row = 0; row < 2; row++) {
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(statement, 0), "teacher");
        assert_int_equal(sqlite3_column_int(statement, 1), 2);
        assert_int_equal(sqlite3_column_int(statement, 2), 20 + row);
        assert_true(sqlite3_column_double(statement, 5) == (row == 0 ? 0.25 : 0.125));
    }
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(other);
}

static void test_rewind(void **state)
{
    struct fixture *f = *state;
    struct record_series series;
    for (int64_t step = 0; step < 10; step++)
        metric(f, "a", step, "train", "loss", 1);
    assert_int_equal(record_flush(&f->ctx, f->record), STATUS_OK);
    for (int64_t step = 10; step < 20; step++) {
        metric(f, "a", step, "train", "loss", 1);
        metric(f, "b", step, "train", "loss", 1);
    }
    assert_int_equal(record_rewind(&f->ctx, f->record, "a", 14), STATUS_OK); /* in memory */
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "a", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 15);
    assert_int_equal(record_rewind(&f->ctx, f->record, "a", 4), STATUS_OK); /* on disk */
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "a", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 5);
    assert_int_equal(series.steps[4], 4);
    assert_int_equal(record_rewind(&f->ctx, f->record, "a", -1), STATUS_OK);
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "a", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 0);
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "b", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 10);
}

/* More than the buffer holds, and nothing allocated after a series' first metric. */
static void test_a_step_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    struct record_series series;
    metric(f, "a", 0, "train", "loss", 0);
    uint64_t before = f->ctx.allocator.allocations;
    for (int64_t step = 1; step < 10000; step++)
        metric(f, "a", step, "train", "loss", (double)step);
    assert_int_equal(f->ctx.allocator.allocations, before);
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "a", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 10000);
}

static enum status side_by_side(struct context *ctx, void *user, int i)
{
    struct fixture *f = user;
    char stage[32];
    snprintf(stage, sizeof stage, "alone-%d", i);
    const struct record_stage described = {.name = stage, .role = "alone", .seed = i};
    RETURN_IF(record_stage(ctx, f->record, &described));
    for (int64_t step = 0; step < 3000; step++) {
        RETURN_IF(record_metric(ctx, f->record, stage, 0, step, "train", "loss", (double)(step * i)));
        if (step % 500 == 499)
            RETURN_IF(record_flush(ctx, f->record));
    }
    return STATUS_OK;
}

static void test_threads(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(jobs_run(&f->ctx, 4, 4, side_by_side, f), STATUS_OK);
    for (int i = 0; i < 4; i++) {
        struct record_series series;
        char stage[32];
        snprintf(stage, sizeof stage, "alone-%d", i);
        assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, stage, "train", "loss", &series), STATUS_OK);
        assert_int_equal(series.count, 3000);
        for (int64_t step = 0; step < 3000; step++)
            assert_true(series.values[step] == (double)(step * i));
    }
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct record *record = NULL;
    sqlite3 *other = NULL;
    expect_failure(&f->ctx, record_open(&f->ctx, "record.sqlite", RECORD_CREATE, &record), STATUS_IO,
                   "record.sqlite: there is a record already", NULL);
    expect_failure(&f->ctx, record_open(&f->ctx, "none.sqlite", RECORD_READ, &record), STATUS_IO, "none.sqlite",
                   "no such record", NULL);
    expect_failure(&f->ctx, record_open(&f->ctx, "no/folder.sqlite", RECORD_CREATE, &record), STATUS_IO,
                   "no/folder.sqlite: cannot open the record", "No such file", NULL);
    test_file_put("text.sqlite", "this is not a database, but a text that is long enough to look like one ........",
                  80);
    expect_failure(&f->ctx, record_open(&f->ctx, "text.sqlite", RECORD_RESUME, &record), STATUS_BAD_INPUT,
                   "text.sqlite: not a record, or damaged", NULL);
    test_file_put("empty.sqlite", "", 0);
    expect_failure(&f->ctx, record_open(&f->ctx, "empty.sqlite", RECORD_READ, &record), STATUS_BAD_INPUT,
                   "empty.sqlite: not a record", NULL);
    assert_int_equal(record_open(&f->ctx, "empty.sqlite", RECORD_RESUME, &record), STATUS_OK); /* killed at once */
    assert_int_equal(record_close(&f->ctx, record), STATUS_OK);
    unlink("other.sqlite");
    assert_int_equal(sqlite3_open("other.sqlite", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE t(a)", NULL, NULL, NULL), SQLITE_OK);
    expect_failure(&f->ctx, record_open(&f->ctx, "other.sqlite", RECORD_RESUME, &record), STATUS_BAD_INPUT,
                   "other.sqlite: not a record of retort", NULL);
    sqlite3_close(other);
    assert_int_equal(sqlite3_open("empty.sqlite", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version=7", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    expect_failure(&f->ctx, record_open(&f->ctx, "empty.sqlite", RECORD_READ, &record), STATUS_BAD_INPUT,
                   "expected a record of version 1, found version 7", NULL);
    assert_int_equal(record_close(&f->ctx, NULL), STATUS_OK);
}

/* A full disk: the metrics stay in memory, and nothing that was written is lost. */
static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    struct record_series series;
    struct rlimit before;
    metric(f, "a", 0, "train", "loss", 1);
    assert_int_equal(record_flush(&f->ctx, f->record), STATUS_OK);
    for (int64_t step = 1; step < 4000; step++)
        metric(f, "a", step, "train", "loss", (double)step / 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {40000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = record_flush(&f->ctx, f->record);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_failure(&f->ctx, status, STATUS_IO, "record.sqlite: cannot write the record", NULL);
    assert_int_equal(record_series_read(&f->ctx, f->arena, f->record, "a", "train", "loss", &series), STATUS_OK);
    assert_int_equal(series.count, 4000);
}

static void test_one_file_is_left(void **state)
{
    struct fixture *f = *state;
    metric(f, "a", 0, "train", "loss", 1);
    assert_int_equal(record_close(&f->ctx, f->record), STATUS_OK);
    f->record = NULL;
    assert_int_equal(access("record.sqlite", F_OK), 0);
    assert_int_not_equal(access("record.sqlite-journal", F_OK), 0);
    assert_int_not_equal(access("record.sqlite-wal", F_OK), 0);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    enum status status = STATUS_OK;
    struct record *record = NULL;
    struct record_series series, *all = NULL;
    struct record_stage *stages = NULL;
    const struct record_stage stage = {.name = "a", .role = "alone"};
    const struct record_run run = {"name", "now", "0", "abc", "recipe"};
    struct record_run run_read;
    const char *text = NULL;
    size_t count = 0;
    unlink("fault.sqlite");
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(record_open(ctx, "fault.sqlite", RECORD_CREATE, &record));
    TRY(record_run(ctx, record, &run));
    TRY(record_run_read(ctx, arena, record, &run_read));
    TRY(record_note(ctx, record, "key", "text"));
    TRY(record_note_read(ctx, arena, record, "key", &text));
    TRY(record_stage(ctx, record, &stage));
    TRY(record_stages_read(ctx, arena, record, &stages, &count));
    TRY(record_metric(ctx, record, "a", 0, 0, "train", "loss", 1));
    TRY(record_rewind(ctx, record, "a", 0));
    TRY(record_series_read(ctx, arena, record, "a", "train", "loss", &series));
    TRY(record_series_list(ctx, arena, record, &all, &count));

cleanup:
    record_close(ctx, record);
    arena_free(arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_run_and_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_series, setup, teardown),
        cmocka_unit_test_setup_teardown(test_view, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_step_allocates_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_file_is_left, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
