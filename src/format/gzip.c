/* gzip.c: a file's bytes, unpacked when it is a gzip file (zlib). */
#include "format/gzip.h"

#include "base/file.h"
#include "format/inflate.h"

#include <limits.h>
#include <stdint.h>

static enum status damaged(struct context *ctx, const char *name, const z_stream *stream)
{
    return fail(ctx, STATUS_BAD_INPUT, "%s: the gzip data is damaged at byte %lu: %s", name, stream->total_in,
                stream->msg != NULL ? stream->msg : "not as expected");
}

/* first_size: how many bytes to begin with. The last four bytes of a file tell its unpacked size, but may lie: deflate
 * packs at most 1,032 to 1. */
static size_t first_size(const unsigned char *packed, size_t count, size_t limit)
{
    const unsigned char *end = packed + count;
    size_t told =
        count < 4 ? 0 : (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    size_t possible = count < SIZE_MAX / 1100 ? count * 1100 : SIZE_MAX;
    size_t size = told < possible ? told : possible;
    if (size < 4096)
        size = 4096;
    return size < limit ? size : limit;
}

/* unpack_members: the members one after another; *bytes has room for *room, one byte more than that is allocated. */
static enum status unpack_members(struct context *ctx, z_stream *stream, const char *name, const unsigned char *packed,
                                  size_t packed_count, size_t limit, unsigned char **bytes, size_t *count)
{
    size_t room = first_size(packed, packed_count, limit);
    *bytes = memory_new(ctx, room + 1, 1);
    if (*bytes == NULL)
        return ctx->error.status;
    size_t taken = 0, made = 0;
    for (;;) {
        if (made == room && room < limit) {
            size_t larger = room < limit / 2 ? room * 2 : limit;
            unsigned char *grown = memory_grow(ctx, *bytes, room, larger + 1, 1);
            if (grown == NULL)
                return ctx->error.status;
            *bytes = grown;
            room = larger;
        }
        unsigned char past; /* once the limit is reached one more byte is too many */
        bool full = made == room;
        size_t in = packed_count - taken, out = full ? 1 : room - made;
        stream->next_in = packed + taken;
        stream->avail_in = in > INT_MAX ? INT_MAX : (uInt)in;
        stream->next_out = full ? &past : *bytes + made;
        stream->avail_out = out > INT_MAX ? INT_MAX : (uInt)out;
        uInt in_before = stream->avail_in, out_before = stream->avail_out;
        int result = inflate(stream, Z_NO_FLUSH);
        taken += in_before - stream->avail_in;
        if (full && stream->avail_out == 0)
            return fail(ctx, STATUS_BAD_INPUT, "%s: unpacks to more than %zu bytes", name, limit);
        if (!full)
            made += out_before - stream->avail_out;
        if (result == Z_MEM_ERROR)
            return ctx->error.status != STATUS_OK ? ctx->error.status
                                                  : fail(ctx, STATUS_NO_MEMORY, "%s: no memory to unpack it", name);
        if (result == Z_STREAM_END) {
            if (taken == packed_count)
                break;
            if (packed[taken] != 0x1f || inflateReset(stream) != Z_OK)
                return fail(ctx, STATUS_BAD_INPUT, "%s: %zu bytes behind the gzip data", name, packed_count - taken);
        } else if (result == Z_BUF_ERROR || (result == Z_OK && taken == packed_count && stream->avail_out != 0)) {
            return fail(ctx, STATUS_BAD_INPUT, "%s: the gzip data is cut short after %zu bytes", name, packed_count);
        } else if (result != Z_OK) {
            return damaged(ctx, name, stream);
        }
    }
    (*bytes)[made] = 0;
    *count = made;
    return STATUS_OK;
}

enum status gzip_unpack(struct context *ctx, const char *name, const unsigned char *packed, size_t packed_count,
                        size_t limit, unsigned char **bytes, size_t *count)
{
    *bytes = NULL;
    *count = 0;
    z_stream stream;
    RETURN_IF(inflate_begin(ctx, name, 15 + 16, &stream)); /* the largest window; a gzip header */
    enum status status = unpack_members(ctx, &stream, name, packed, packed_count, limit, bytes, count);
    inflateEnd(&stream);
    if (status != STATUS_OK) {
        memory_free(ctx, *bytes);
        *bytes = NULL;
    }
    return status;
}

enum status gzip_read(struct context *ctx, const char *path, size_t limit, unsigned char **bytes, size_t *count)
{
    *bytes = NULL;
    *count = 0;
    unsigned char *packed = NULL;
    size_t packed_count = 0;
    RETURN_IF(file_read(ctx, path, limit, &packed, &packed_count));
    if (packed_count < 2 || packed[0] != 0x1f || packed[1] != 0x8b) {
        *bytes = packed;
        *count = packed_count;
        return STATUS_OK;
    }
    enum status status = gzip_unpack(ctx, path, packed, packed_count, limit, bytes, count);
    memory_free(ctx, packed);
    return status;
}
