#include "support/guarded.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under AddressSanitizer reading a guard is caught as well. */
#if defined(__SANITIZE_ADDRESS__)
#define GUARD_CLOSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARD_CLOSES 1
#endif
#endif
#ifdef GUARD_CLOSES
#include <sanitizer/asan_interface.h>
#endif

enum { GUARD_BYTES = 128, GUARD_MARK = 0xA5 };

static size_t whole_bytes(size_t bytes)
{
    return (bytes + 63) / 64 * 64 + 2 * GUARD_BYTES;
}

static void close_guards(const struct guarded *guarded)
{
#ifdef GUARD_CLOSES
    size_t end = GUARD_BYTES + guarded->bytes;
    ASAN_POISON_MEMORY_REGION(guarded->block, GUARD_BYTES);
    ASAN_POISON_MEMORY_REGION(guarded->block + end, whole_bytes(guarded->bytes) - end);
#else
    (void)guarded;
#endif
}

static void open_guards(const struct guarded *guarded)
{
#ifdef GUARD_CLOSES
    ASAN_UNPOISON_MEMORY_REGION(guarded->block, whole_bytes(guarded->bytes));
#else
    (void)guarded;
#endif
}

struct guarded guarded_new(size_t bytes)
{
    struct guarded guarded = {NULL, bytes, NULL};
    size_t whole = whole_bytes(bytes);
    guarded.block = aligned_alloc(64, whole);
    if (!guarded.block) {
        fprintf(stderr, "no memory for a test's %zu bytes\n", whole);
        exit(1);
    }
    memset(guarded.block, GUARD_MARK, whole);
    guarded.data = guarded.block + GUARD_BYTES;
    guarded_poison(&guarded);
    close_guards(&guarded);
    return guarded;
}

struct guarded guarded_copy(const struct guarded *from)
{
    if (!from->block) {
        return (struct guarded){NULL, 0, NULL};
    }
    struct guarded copy = guarded_new(from->bytes);
    memcpy(copy.data, from->data, from->bytes);
    return copy;
}

void guarded_free(struct guarded *guarded)
{
    if (guarded->block) {
        open_guards(guarded);
    }
    free(guarded->block);
    *guarded = (struct guarded){NULL, 0, NULL};
}

void guarded_poison(struct guarded *guarded)
{
    if (guarded->bytes > 0) {
        memset(guarded->data, 0xFF, guarded->bytes);
    }
}

bool guarded_intact(const struct guarded *guarded)
{
    if (!guarded->block) {
        return true;
    }
    open_guards(guarded);
    bool intact = true;
    for (size_t i = 0; i < GUARD_BYTES; i++) {
        intact = intact && guarded->block[i] == GUARD_MARK;
    }
    for (size_t i = GUARD_BYTES + guarded->bytes; i < whole_bytes(guarded->bytes); i++) {
        intact = intact && guarded->block[i] == GUARD_MARK;
    }
    close_guards(guarded);
    return intact;
}

bool guarded_same(const struct guarded *a, const struct guarded *b)
{
    return a->bytes == b->bytes && (a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0);
}
