/* arena.c: blocks in a list; a piece is cut from the newest block, a large piece gets its own. */
#include "base/arena.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_ALIGNMENT = 16, ARENA_BLOCK = 16 * 1024, ARENA_LARGE = ARENA_BLOCK / 4 };

/* Pieces start behind the header, whose size is a multiple of ARENA_ALIGNMENT. */
struct arena_block {
    struct arena_block *next;
    size_t used, size; /* bytes behind the header */
};

struct arena {
    struct context *ctx;
    struct arena_block *open; /* has room; its list holds the full ones */
    struct arena_block *large;
};

enum { ARENA_HEADER = (sizeof(struct arena_block) + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT };

struct arena *arena_new(struct context *ctx)
{
    struct arena *arena = memory_new(ctx, 1, sizeof *arena);
    if (arena != NULL)
        arena->ctx = ctx;
    return arena;
}

static void blocks_free(struct context *ctx, struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        memory_free(ctx, block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    blocks_free(arena->ctx, arena->open);
    blocks_free(arena->ctx, arena->large);
    memory_free(arena->ctx, arena);
}

static void *block_add(struct arena *arena, struct arena_block **list, size_t size, size_t used)
{
    struct arena_block *block = memory_new(arena->ctx, 1, ARENA_HEADER + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->used = used;
    block->next = *list;
    *list = block;
    return (unsigned char *)block + ARENA_HEADER;
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        fail(arena->ctx, STATUS_NO_MEMORY, "out of memory: no block of %zu x %zu bytes", count, size);
        return NULL;
    }
    size_t bytes = count * size;
    if (bytes == 0)
        bytes = 1; /* so that two pieces never share an address */
    bytes = (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    if (bytes > ARENA_LARGE)
        return block_add(arena, &arena->large, bytes, bytes);
    struct arena_block *open = arena->open;
    if (open == NULL || open->size - open->used < bytes)
        return block_add(arena, &arena->open, ARENA_BLOCK - ARENA_HEADER, bytes);
    void *piece = (unsigned char *)open + ARENA_HEADER + open->used; /* zeroed when the block was made */
    open->used += bytes;
    return piece;
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes)
{
    void *copy = arena_take(arena, bytes, 1);
    if (copy != NULL && bytes > 0)
        memcpy(copy, from, bytes);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text) + 1);
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fail(arena->ctx, STATUS_BAD_INPUT, "a text cannot be formatted with \"%s\"", format);
        return NULL;
    }
    char *out = arena_take(arena, (size_t)length + 1, 1);
    if (out == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(out, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return out;
}
