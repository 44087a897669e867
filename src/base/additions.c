/* additions.c: see additions.h. */
#include "base/additions.h"

#include <assert.h>

size_t additions_count(const struct context *ctx, enum addition_kind kind)
{
    return ctx->additions != NULL ? ctx->additions->count[kind] : 0;
}

const void *additions_at(const struct context *ctx, enum addition_kind kind, size_t index)
{
    assert(index < additions_count(ctx, kind));
    return ctx->additions->entries[kind][index];
}

enum status additions_append(struct context *ctx, struct additions *additions, enum addition_kind kind,
                             const void *entry)
{
    size_t count = additions->count[kind];
    const void **grown = memory_grow(ctx, additions->entries[kind], count, count + 1, sizeof *grown);
    if (grown == NULL)
        return ctx->error.status;
    grown[count] = entry;
    additions->entries[kind] = grown;
    additions->count[kind] = count + 1;
    return STATUS_OK;
}

void additions_free(struct context *ctx, struct additions *additions)
{
    for (int kind = 0; kind < ADDITION_KINDS; kind++) {
        memory_free(ctx, additions->entries[kind]);
        additions->entries[kind] = NULL;
        additions->count[kind] = 0;
    }
}
