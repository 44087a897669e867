/* aside.c: see aside.h. */
#include "run/aside.h"

#include "base/thread.h"

struct aside {
    aside_piece *piece;
    void *user;
    int loop_threads; /* of each, for our own kernels */
};

static enum status piece_run(struct context *ctx, void *user, int index)
{
    const struct aside *aside = user;
    struct kernel_context *kernels = kernel_context_new(ctx, ctx->threads);
    struct program_memory *memory = kernels ? program_memory_new(ctx) : NULL;
    if (kernels)
        kernel_context_widen(kernels, aside->loop_threads);
    enum status status = memory ? aside->piece(ctx, aside->user, index, kernels, memory) : ctx->error.status;
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

enum status aside_run(struct context *ctx, bool wide, int jobs, int count, aside_piece *piece, void *user)
{
    const int threads = ctx->threads, at_once = jobs > 0 ? jobs : wide ? 1 : threads;
    if (count == 0)
        return STATUS_OK;
    struct aside aside = {piece, user, (at_once < threads ? at_once : threads) / (at_once < count ? at_once : count)};
    ctx->threads = wide ? threads : 1;
    const enum status status = jobs_run(ctx, at_once, count, piece_run, &aside);
    ctx->threads = threads;
    return status;
}
