/* test_context.c: errors, the log, memory, the arena and texts that grow. */
#include "base/arena.h"
#include "base/context.h"
#include "base/text.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours; fail_msg does the same */

static void test_each_status_has_words(void **state)
{
    (void)state;
    assert_string_equal(status_text(STATUS_OK), "ok");
    assert_string_equal(status_text(STATUS_NO_MEMORY), "out of memory");
    assert_string_equal(status_text(STATUS_CANCELLED), "cancelled");
    assert_string_equal(status_text((enum status)1000), "unknown status");
}

static void test_first_error_wins(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    assert_int_equal(fail(&ctx, STATUS_IO, "cannot read %s", "a"), STATUS_IO);
    assert_int_equal(fail(&ctx, STATUS_BAD_INPUT, "later"), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot read a");
    error_clear(&ctx);
    assert_int_equal(ctx.error.status, STATUS_OK);
    assert_int_equal(fail(&ctx, STATUS_BAD_INPUT, "later"), STATUS_BAD_INPUT);
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    char name[5000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    fail(&ctx, STATUS_IO, "%s", name);
    assert_int_equal(strlen(ctx.error.message), sizeof ctx.error.message - 1);
}

static void test_child_error_is_adopted_once(void **state)
{
    (void)state;
    struct context ctx, child;
    context_init(&ctx);
    ctx.threads = 3;
    fail(&ctx, STATUS_IO, "own");
    context_child(&ctx, &child);
    assert_int_equal(child.error.status, STATUS_OK);
    assert_int_equal(child.threads, 3);
    fail(&child, STATUS_BAD_SHAPE, "the child's");
    assert_int_equal(context_adopt_error(&ctx, &child), STATUS_IO);
    assert_string_equal(ctx.error.message, "own");
    error_clear(&ctx);
    assert_int_equal(context_adopt_error(&ctx, &child), STATUS_BAD_SHAPE);
    assert_string_equal(ctx.error.message, "the child's");
}

static void test_cancellation_is_seen(void **state)
{
    (void)state;
    struct context ctx;
    volatile sig_atomic_t flag = 0;
    context_init(&ctx);
    assert_false(context_cancelled(&ctx));
    ctx.cancel = &flag;
    assert_false(context_cancelled(&ctx));
    flag = 1;
    assert_true(context_cancelled(&ctx));
}

static void keep_line(void *user, enum log_level level, const char *line)
{
    char *kept = user;
    kept[0] = (char)('0' + level);
    strncpy(kept + 1, line, 62);
}

static void test_log_keeps_its_level(void **state)
{
    (void)state;
    struct context ctx;
    char kept[64] = "";
    context_init(&ctx);
    ctx.log = keep_line;
    ctx.log_user = kept;
    log_line(&ctx, LOG_DEBUG, "not seen");
    assert_string_equal(kept, "");
    log_line(&ctx, LOG_WARNING, "epoch %d", 7);
    assert_string_equal(kept, "1epoch 7");
    ctx.log_level = LOG_QUIET;
    log_line(&ctx, LOG_WARNING, "not seen");
    assert_string_equal(kept, "1epoch 7");
}

static void test_memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct context ctx;
    counted_context(&ctx);
    int before = counted_blocks();
    for (size_t count = 0; count < 300; count += 37) {
        unsigned char *bytes = memory_new(&ctx, count, 3);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        for (size_t i = 0; i < count * 3; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAA, count * 3);
        memory_free(&ctx, bytes);
    }
    memory_free(&ctx, NULL);
    assert_int_equal(counted_blocks(), before);
    assert_int_equal(ctx.allocator.allocations, 9);
}

static void test_memory_refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    assert_null(memory_new(&ctx, SIZE_MAX / 2, 4));
    assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    error_clear(&ctx);
    assert_null(memory_new(&ctx, SIZE_MAX, 1));
    assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    error_clear(&ctx);
    int *kept = memory_new(&ctx, 4, sizeof *kept);
    kept[3] = 9;
    assert_null(memory_grow(&ctx, kept, 4, SIZE_MAX, sizeof *kept));
    assert_int_equal(kept[3], 9);
    memory_free(&ctx, kept);
}

static void test_memory_grows_and_shrinks(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    int *numbers = memory_grow(&ctx, NULL, 0, 2, sizeof *numbers);
    numbers[0] = 5;
    numbers[1] = 6;
    numbers = memory_grow(&ctx, numbers, 2, 1000, sizeof *numbers);
    assert_int_equal(numbers[0], 5);
    assert_int_equal(numbers[1], 6);
    for (int i = 2; i < 1000; i++)
        assert_int_equal(numbers[i], 0);
    numbers = memory_grow(&ctx, numbers, 1000, 1, sizeof *numbers);
    assert_int_equal(numbers[0], 5);
    memory_free(&ctx, numbers);
    assert_null(memory_text(&ctx, NULL));
    assert_int_equal(ctx.error.status, STATUS_OK);
    char *text = memory_text(&ctx, "abc");
    assert_string_equal(text, "abc");
    memory_free(&ctx, text);
}

static void test_planned_failure_happens_once(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    ctx.allocator.fail_at = 2;
    void *first = memory_new(&ctx, 1, 8);
    assert_non_null(first);
    assert_null(memory_new(&ctx, 1, 8));
    void *third = memory_new(&ctx, 1, 8);
    assert_non_null(third);
    assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    memory_free(&ctx, first);
    memory_free(&ctx, third);
}

static void test_arena_pieces_do_not_meet(void **state)
{
    (void)state;
    struct context ctx;
    counted_context(&ctx);
    int before = counted_blocks();
    struct arena *arena = arena_new(&ctx);
    enum { PIECES = 400 };
    unsigned char *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = i % 97 == 0 ? 9000 : i; /* large ones between small ones */
        pieces[i] = arena_take(arena, bytes, 1);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t j = 0; j < bytes; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)(i % 251) + 1, bytes);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t j = 0; j < (i % 97 == 0 ? 9000 : i); j++)
            assert_int_equal(pieces[i][j], (int)(i % 251) + 1);
    assert_string_equal(arena_text(arena, "tap"), "tap");
    assert_string_equal(arena_format(arena, "%s-%d", "alone", 3), "alone-3");
    assert_memory_equal(arena_copy(arena, "\1\2\3", 3), "\1\2\3", 3);
    arena_free(arena);
    arena_free(NULL);
    assert_int_equal(counted_blocks(), before);
}

static void test_arena_refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_null(arena_take(arena, SIZE_MAX, 8));
    assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    error_clear(&ctx);
    assert_null(arena_take(arena, SIZE_MAX / 2, 1));
    assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    arena_free(arena);
}

static void test_text_grows(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct text text;
    text_init(&text, &ctx);
    for (int i = 0; i < 1000; i++)
        text_format(&text, "%d,", i);
    text_add(&text, "end");
    text_add_bytes(&text, "xyz", 1);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 900 * 4 + 4);
    char *taken = text_take(&text);
    assert_int_equal(strncmp(taken, "0,1,2,3,", 8), 0);
    assert_string_equal(taken + strlen(taken) - 8, "999,endx");
    memory_free(&ctx, taken);
    taken = text_take(&text); /* and is empty afterwards */
    assert_string_equal(taken, "");
    memory_free(&ctx, taken);
    text_add(&text, "dropped");
    text_free(&text);
    assert_null(text.bytes);
}

/* Byte by byte every length meets the end of the memory once; the sanitizer sees a zero behind it. */
static void test_text_grows_by_bytes(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct text text;
    text_init(&text, &ctx);
    for (size_t i = 1; i <= 1000; i++) {
        text_add(&text, "x");
        assert_int_equal(strlen(text.bytes), i);
        assert_true(text.length < text.capacity);
    }
    text_free(&text);
}

static enum status build_text(struct context *ctx, void *user)
{
    (void)user;
    struct text text;
    text_init(&text, ctx);
    for (int i = 0; i < 500; i++) {
        text_add(&text, "abc");
        text_format(&text, "%0100d", i);
    }
    char *taken = text_take(&text);
    text_free(&text);
    if (taken == NULL)
        return ctx->error.status;
    memory_free(ctx, taken);
    return STATUS_OK;
}

static enum status build_arena(struct context *ctx, void *user)
{
    (void)user;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    enum status status = STATUS_OK;
    for (int i = 0; i < 200 && status == STATUS_OK; i++)
        if (arena_take(arena, 1000, 1) == NULL || arena_format(arena, "%d", i) == NULL)
            status = ctx->error.status;
    arena_free(arena);
    return status;
}

static void test_failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_true(fault_loop(build_text, NULL) >= 5);
    assert_true(fault_loop(build_arena, NULL) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_status_has_words),
        cmocka_unit_test(test_first_error_wins),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_child_error_is_adopted_once),
        cmocka_unit_test(test_cancellation_is_seen),
        cmocka_unit_test(test_log_keeps_its_level),
        cmocka_unit_test(test_memory_is_zeroed_and_aligned),
        cmocka_unit_test(test_memory_refuses_sizes_that_overflow),
        cmocka_unit_test(test_memory_grows_and_shrinks),
        cmocka_unit_test(test_planned_failure_happens_once),
        cmocka_unit_test(test_arena_pieces_do_not_meet),
        cmocka_unit_test(test_arena_refuses_sizes_that_overflow),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_grows_by_bytes),
        cmocka_unit_test(test_failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
