/* arena.h: many small pieces that are freed at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/context.h"

struct arena;

/* arena_new: NULL with the error recorded when there is no memory. `ctx` is borrowed until arena_free. */
struct arena *arena_new(struct context *ctx);
void arena_free(struct arena *arena); /* NULL: no-op */
/* arena_take: bytes, zeroed, 16-byte aligned; NULL with the error recorded. */
void *arena_take(struct arena *arena, size_t count, size_t size);
char *arena_text(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_copy(struct arena *arena, const void *from, size_t bytes);

#endif
