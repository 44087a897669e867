/* test_detail.c: arrays and layers come out as they went in; a record without their tables has none; damaged ones are
 * refused. */
#include "record/record.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* sql: on the file, by itself. */
static void sql(const char *statements)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open("record.sqlite", &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void arrays_come_back(void **state)
{
    struct fixture *f = *state;
    const int32_t first[] = {9}, counts[] = {5, -1, 0, 7, 8, 9};
    const float logits[] = {0.5F, -3};
    struct record_array found;
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "a", "counts", &found), STATUS_OK);
    assert_null(found.data);
    assert_int_equal(record_array(&f->ctx, f->record, "a", &(struct record_array){"counts", RECORD_I32, 1, {1}, first}),
                     STATUS_OK);
    assert_int_equal(
        record_array(&f->ctx, f->record, "a", &(struct record_array){"counts", RECORD_I32, 2, {2, 3}, counts}),
        STATUS_OK);
    assert_int_equal(
        record_array(&f->ctx, f->record, "a", &(struct record_array){"logits", RECORD_F32, 1, {2}, logits}), STATUS_OK);
    assert_int_equal(record_array(&f->ctx, f->record, "b", &(struct record_array){"none", RECORD_U8, 2, {0, 4}, NULL}),
                     STATUS_OK);
    reopen(f, RECORD_READ);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "a", "counts", &found), STATUS_OK);
    assert_string_equal(found.name, "counts");
    assert_int_equal(found.element, RECORD_I32);
    assert_int_equal(found.rank, 2);
    assert_int_equal(found.dim[0], 2);
    assert_int_equal(found.dim[1], 3);
    assert_memory_equal(found.data, counts, sizeof counts);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "a", "logits", &found), STATUS_OK);
    assert_memory_equal(found.data, logits, sizeof logits);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "b", "none", &found), STATUS_OK);
    assert_non_null(found.data);
    assert_int_equal(found.dim[0], 0);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "b", "counts", &found), STATUS_OK);
    assert_null(found.data);
}

static void layers_come_back(void **state)
{
    struct fixture *f = *state;
    const struct record_layer layers[] = {{"stem", "conv", "[12,28,28]", 108, 84672}, {"relu1", "relu", NULL, 0, 0}};
    struct record_layer *found = NULL;
    size_t count = 9;
    assert_int_equal(record_layers_read(&f->ctx, f->arena, f->record, "a", &found, &count), STATUS_OK);
    assert_int_equal(count, 0);
    for (int twice = 0; twice < 2; twice++)
        assert_int_equal(record_layers(&f->ctx, f->record, "a", layers, 2), STATUS_OK);
    reopen(f, RECORD_READ);
    assert_int_equal(record_layers_read(&f->ctx, f->arena, f->record, "a", &found, &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_string_equal(found[0].name, "stem");
    assert_string_equal(found[0].output, "[12,28,28]");
    assert_int_equal(found[0].macs, 84672);
    assert_string_equal(found[1].type, "relu");
    assert_null(found[1].output);
}

static void older_records_have_none(void **state)
{
    struct fixture *f = *state;
    const unsigned char byte = 3;
    struct record_array array;
    struct record_layer *layers = NULL;
    size_t count = 9;
    sql("DROP TABLE arrays; DROP TABLE layers;");
    reopen(f, RECORD_READ);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "a", "counts", &array), STATUS_OK);
    assert_null(array.data);
    assert_int_equal(record_layers_read(&f->ctx, f->arena, f->record, "a", &layers, &count), STATUS_OK);
    assert_int_equal(count, 0);
    reopen(f, RECORD_RESUME); /* adds the tables */
    assert_int_equal(record_array(&f->ctx, f->record, "a", &(struct record_array){"byte", RECORD_U8, 1, {1}, &byte}),
                     STATUS_OK);
    assert_int_equal(record_array_read(&f->ctx, f->arena, f->record, "a", "byte", &array), STATUS_OK);
    assert_int_equal(*(const unsigned char *)array.data, 3);
}

static void damaged_arrays_are_refused(void **state)
{
    static const char *const damages[] = {
        "('u8', '3', x'0102')",   "('u8', '2,2', x'0102')",       "('i32', '2', x'0102')",
        "('f16', '1', x'0102')",  "('u8', '-2', x'0102')",        "('u8', '2,', x'0102')",
        "('u8', 'two', x'0102')", "('u8', '1,1,1,1,2', x'0102')", "('u8', '9223372036854775807,9', x'0102')"};
    struct fixture *f = *state;
    struct record_array array;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char statement[256];
        snprintf(statement, sizeof statement,
                 "DELETE FROM arrays; INSERT INTO arrays(element, shape, data, stage, name) SELECT *, 'a', 'x' FROM "
                 "(VALUES %s)",
                 damages[i]);
        sql(statement);
        expect_failure(&f->ctx, record_array_read(&f->ctx, f->arena, f->record, "a", "x", &array), STATUS_BAD_INPUT,
                       "record.sqlite: array \"x\" of stage a", "found 2 bytes", NULL);
    }
}

static enum status write_and_read(struct context *ctx, void *user)
{
    const unsigned char bytes[] = {1, 2, 3};
    const struct record_layer layer = {"stem", "conv", "[1]", 1, 1};
    enum status status = STATUS_OK;
    struct record *record = NULL;
    struct record_array array;
    struct record_layer *layers;
    size_t count;
    struct arena *arena = arena_new(ctx);
    (void)user;
    unlink("faults.sqlite");
    if (arena == NULL)
        return ctx->error.status;
    TRY(record_open(ctx, "faults.sqlite", RECORD_CREATE, &record));
    TRY(record_array(ctx, record, "a", &(struct record_array){"x", RECORD_U8, 1, {3}, bytes}));
    TRY(record_layers(ctx, record, "a", &layer, 1));
    TRY(record_array_read(ctx, arena, record, "a", "x", &array));
    TRY(record_layers_read(ctx, arena, record, "a", &layers, &count));
cleanup:
    record_close(ctx, record);
    arena_free(arena);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(write_and_read, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arrays_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(layers_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(older_records_have_none, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_arrays_are_refused, setup, teardown),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
