/* context.c: errors, log and memory of a context. */
#include "base/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LOG_LINE_SIZE = 2048 };

/* One block of a terabyte is always a size that went wrong; refusing it here keeps the sum below from overflowing. */
#define MEMORY_MAX ((size_t)1 << 40)

void context_init(struct context *ctx)
{
    *ctx = (struct context){.log_level = LOG_INFO, .threads = 1};
}

void context_child(const struct context *parent, struct context *child)
{
    *child = *parent;
    child->allocator.allocations = 0;
    error_clear(child);
}

enum status context_adopt_error(struct context *ctx, const struct context *child)
{
    if (ctx->error.status == STATUS_OK)
        ctx->error = child->error;
    return ctx->error.status;
}

bool context_cancelled(const struct context *ctx)
{
    /* Atomic: the handler runs in one thread, and each thread of a job asks. */
    return ctx->cancel != NULL && __atomic_load_n(ctx->cancel, __ATOMIC_RELAXED) != 0;
}

enum status fail(struct context *ctx, enum status status, const char *format, ...)
{
    if (ctx->error.status != STATUS_OK)
        return ctx->error.status;
    ctx->error.status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ctx->error.message, sizeof ctx->error.message, format, arguments);
    va_end(arguments);
    return status;
}

void error_clear(struct context *ctx)
{
    ctx->error.status = STATUS_OK;
    ctx->error.message[0] = '\0';
}

void log_line(struct context *ctx, enum log_level level, const char *format, ...)
{
    if (level == LOG_QUIET || level > ctx->log_level)
        return;
    char line[LOG_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments); /* one byte stays for the newline */
    va_end(arguments);
    if (ctx->log != NULL) {
        ctx->log(ctx->log_user, level, line);
        return;
    }
    size_t length = strlen(line);
    line[length] = '\n';
    fwrite(line, 1, length + 1, stderr); /* one call, so that lines of two threads do not mix */
}

/* system_allocate: large pieces ask for huge pages: a step that walks through maps would else wait for the translation of addresses
 * (10 to 17% of the steps measured). */
static void *system_allocate(size_t bytes)
{
    const size_t alignment = bytes >= (size_t)2 * HUGE_PAGE ? HUGE_PAGE : MEMORY_ALIGNMENT;
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
    if (memory && alignment == HUGE_PAGE)
        madvise(memory, rounded, MADV_HUGEPAGE); /* a wish: where it is refused, small pages do */
#endif
    return memory;
}

/* memory_take: count * size bytes, not zeroed; NULL with the error recorded. */
static void *memory_take(struct context *ctx, size_t count, size_t size, size_t *taken)
{
    struct allocator *allocator = &ctx->allocator;
    allocator->allocations++;
    bool planned = allocator->fail_at != 0 && --allocator->fail_at == 0;
    bool fits = size == 0 || count <= MEMORY_MAX / size;
    size_t bytes = fits ? count * size : 0;
    size_t asked = bytes == 0 ? 1 : bytes;
    void *memory = NULL;
    if (fits && !planned)
        memory = allocator->allocate != NULL ? allocator->allocate(asked) : system_allocate(asked);
    if (memory == NULL) {
        fail(ctx, STATUS_NO_MEMORY, "out of memory: no block of %zu x %zu bytes", count, size);
        return NULL;
    }
    *taken = asked;
    return memory;
}

void *memory_new(struct context *ctx, size_t count, size_t size)
{
    size_t taken = 0;
    void *memory = memory_take(ctx, count, size, &taken);
    if (memory != NULL)
        memset(memory, 0, taken);
    return memory;
}

void *memory_grow(struct context *ctx, void *memory, size_t old_count, size_t new_count, size_t size)
{
    size_t taken = 0;
    unsigned char *grown = memory_take(ctx, new_count, size, &taken);
    if (grown == NULL)
        return NULL;
    size_t kept = (old_count < new_count ? old_count : new_count) * size;
    if (memory == NULL)
        kept = 0;
    if (kept > 0)
        memcpy(grown, memory, kept);
    memset(grown + kept, 0, taken - kept);
    memory_free(ctx, memory);
    return grown;
}

void memory_free(struct context *ctx, void *memory)
{
    if (memory == NULL)
        return;
    if (ctx->allocator.release != NULL)
        ctx->allocator.release(memory);
    else
        free(memory);
}

char *memory_text(struct context *ctx, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memory_new(ctx, size, 1);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

size_t memory_physical(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t bytes = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    unsigned long long limit;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "r"); /* "max" or a number: a container may be given less */
    if (file == NULL)
        return bytes;
    if (fscanf(file, "%llu", &limit) == 1 && limit < bytes)
        bytes = (size_t)limit;
    fclose(file);
    return bytes;
}
