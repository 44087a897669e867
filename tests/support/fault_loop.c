/* fault_loop.c: the n-th allocation fails, one n after another. */
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FAULTS_MAX = 100000 };

/* An allocator's functions get no user pointer, so the test program counts in one place; work may use threads. */
static atomic_int blocks;

static void *counted_allocate(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory != NULL)
        atomic_fetch_add(&blocks, 1);
    return memory;
}

static void counted_release(void *memory)
{
    atomic_fetch_sub(&blocks, 1);
    free(memory);
}

void counted_context(struct context *ctx)
{
    context_init(ctx);
    ctx->log_level = LOG_QUIET;
    ctx->allocator.allocate = counted_allocate;
    ctx->allocator.release = counted_release;
}

int counted_blocks(void)
{
    return atomic_load(&blocks);
}

int fault_loop(enum status (*work)(struct context *ctx, void *user), void *user)
{
    int before = counted_blocks();
    for (int n = 1; n <= FAULTS_MAX; n++) {
        struct context ctx;
        counted_context(&ctx);
        ctx.allocator.fail_at = (uint64_t)n;
        enum status status = work(&ctx, user);
        assert_int_equal(counted_blocks(), before);
        if (ctx.allocator.fail_at != 0) {
            assert_string_equal(ctx.error.message, "");
            assert_int_equal(status, STATUS_OK);
            return n - 1;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
        assert_true(ctx.error.message[0] != '\0');
    }
    fail_msg("more than %d allocations", FAULTS_MAX);
    return -1;
}
