/* inflate.c: zlib's inflate with a context's memory. */
#include "format/inflate.h"

#include <string.h>

static void *zlib_allocate(void *opaque, unsigned items, unsigned size)
{
    return memory_new(opaque, items, size);
}

static void zlib_release(void *opaque, void *memory)
{
    memory_free(opaque, memory);
}

enum status inflate_begin(struct context *ctx, const char *name, int window, z_stream *stream)
{
    memset(stream, 0, sizeof *stream);
    stream->zalloc = zlib_allocate;
    stream->zfree = zlib_release;
    stream->opaque = ctx;
    int result = inflateInit2(stream, window);
    if (result == Z_OK)
        return STATUS_OK;
    return ctx->error.status != STATUS_OK ? ctx->error.status
                                          : fail(ctx, STATUS_UNSUPPORTED, "%s: zlib: %s", name, zError(result));
}
