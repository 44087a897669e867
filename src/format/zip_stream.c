/* zip_stream.c: a member's bytes, one after another. */
#include "format/inflate.h"
#include "format/zip.h"

#include <limits.h>
#include <string.h>

enum { STREAM_BUFFER = 64 * 1024 };

struct zip_stream {
    const struct zip *zip;
    const struct zip_member *member;
    const char *label;
    uint64_t at, end; /* of the file: the next packed byte, and where they end */
    uint64_t left;    /* unpacked bytes to come */
    bool skipped;     /* some were left out: the CRC cannot be checked */
    bool inflating;   /* `inflate` holds something */
    uLong crc;
    z_stream inflate;
    unsigned char buffer[STREAM_BUFFER];
};

static enum status damaged(const struct zip_stream *stream, const char *what)
{
    return fail(stream->zip->ctx, STATUS_BAD_INPUT, "%s: damaged: %s", stream->label, what);
}

static unsigned half(const unsigned char *bytes)
{
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

/* bytes_find: behind the local header, which must be this member's. */
static enum status bytes_find(struct zip_stream *stream)
{
    const struct zip *zip = stream->zip;
    const struct zip_member *member = stream->member;
    unsigned char header[ZIP_LOCAL_SIZE];
    char name[256];
    RETURN_IF(zip_get(zip, member->header, header, sizeof header));
    if ((half(header) | half(header + 2) << 16) != ZIP_LOCAL)
        return damaged(stream, "there is no local header where the directory says");
    const size_t length = half(header + 26), extra = half(header + 28);
    const unsigned method = member->deflated ? ZIP_DEFLATED : ZIP_STORED;
    if (length != strlen(member->name) || length >= sizeof name || half(header + 8) != method)
        return damaged(stream, "its local header differs from the directory");
    RETURN_IF(zip_get(zip, member->header + ZIP_LOCAL_SIZE, name, length));
    if (memcmp(name, member->name, length) != 0)
        return damaged(stream, "its local header differs from the directory");
    stream->at = member->header + ZIP_LOCAL_SIZE + length + extra;
    if (stream->at > zip->directory || member->packed > zip->directory - stream->at)
        return damaged(stream, "its bytes go beyond the file's directory");
    stream->end = stream->at + member->packed;
    return STATUS_OK;
}

enum status zip_stream_new(const struct zip *zip, const struct zip_member *member, const char *label,
                           struct zip_stream **out)
{
    enum status status = STATUS_OK;
    *out = NULL;
    struct zip_stream *stream = memory_new(zip->ctx, 1, sizeof *stream);
    if (stream == NULL)
        return zip->ctx->error.status;
    stream->zip = zip;
    stream->member = member;
    stream->label = label;
    stream->left = member->size;
    TRY(bytes_find(stream));
    if (member->deflated) {
        TRY(inflate_begin(zip->ctx, label, -15, &stream->inflate)); /* the largest window; no header */
        stream->inflating = true;
    }
    *out = stream;
    stream = NULL;
cleanup:
    zip_stream_free(stream);
    return status;
}

void zip_stream_free(struct zip_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->inflating)
        inflateEnd(&stream->inflate);
    memory_free(stream->zip->ctx, stream);
}

/* refill: packed bytes for inflate, where it has none. */
static enum status refill(struct zip_stream *stream)
{
    const uint64_t left = stream->end - stream->at;
    const size_t count = (size_t)(left < STREAM_BUFFER ? left : STREAM_BUFFER);
    if (stream->inflate.avail_in > 0 || count == 0)
        return STATUS_OK;
    RETURN_IF(zip_get(stream->zip, stream->at, stream->buffer, count));
    stream->at += count;
    stream->inflate.next_in = stream->buffer;
    stream->inflate.avail_in = (uInt)count;
    return STATUS_OK;
}

/* unpack: `count` bytes more; count 0: the end of the packed bytes is also that of the unpacked ones. */
static enum status unpack(struct zip_stream *stream, unsigned char *to, size_t count)
{
    z_stream *inflating = &stream->inflate;
    unsigned char past = 0;
    for (size_t got = 0; got < count || count == 0;) {
        const size_t room = count == 0 ? 1 : count - got;
        RETURN_IF(refill(stream));
        inflating->next_out = count == 0 ? &past : to + got;
        inflating->avail_out = room > INT_MAX ? INT_MAX : (uInt)room;
        const uInt before = inflating->avail_out;
        const int result = inflate(inflating, Z_NO_FLUSH);
        got += before - inflating->avail_out;
        if (result == Z_MEM_ERROR)
            return stream->zip->ctx->error.status != STATUS_OK
                       ? stream->zip->ctx->error.status
                       : fail(stream->zip->ctx, STATUS_NO_MEMORY, "%s: no memory to unpack it", stream->label);
        if (count == 0 && got > 0)
            return damaged(stream, "it unpacks to more than the directory says");
        if (result == Z_STREAM_END && got == count)
            return inflating->avail_in == 0 && stream->at == stream->end
                       ? STATUS_OK
                       : damaged(stream, "there are bytes behind its packed data");
        if (result == Z_STREAM_END)
            return damaged(stream, "it unpacks to less than the directory says");
        const bool dry = inflating->avail_in == 0 && stream->at == stream->end && inflating->avail_out > 0;
        if (result == Z_BUF_ERROR || (result == Z_OK && dry))
            return damaged(stream, "its packed data is cut short");
        if (result != Z_OK)
            return damaged(stream, inflating->msg != NULL ? inflating->msg : "its packed data is not as expected");
    }
    return STATUS_OK;
}

static enum status end_check(struct zip_stream *stream)
{
    if (stream->member->deflated)
        RETURN_IF(unpack(stream, NULL, 0));
    if (!stream->skipped && (uint32_t)stream->crc != stream->member->crc)
        return damaged(stream, "the CRC-32 of its bytes is not the one that was written with them");
    return STATUS_OK;
}

enum status zip_stream_read(struct zip_stream *stream, void *to, size_t count)
{
    if (count > stream->left)
        return fail(stream->zip->ctx, STATUS_BAD_INPUT, "%s: cut short: expected %zu bytes more, found %llu",
                    stream->label, count, (unsigned long long)stream->left);
    if (count == 0)
        return STATUS_OK;
    if (stream->member->deflated) {
        RETURN_IF(unpack(stream, to, count));
    } else {
        RETURN_IF(zip_get(stream->zip, stream->at, to, count));
        stream->at += count;
    }
    stream->left -= count;
    if (!stream->skipped)
        stream->crc = crc32_z(stream->crc, to, count);
    return stream->left == 0 ? end_check(stream) : STATUS_OK;
}

enum status zip_stream_skip(struct zip_stream *stream, uint64_t count)
{
    if (count > stream->left)
        return fail(stream->zip->ctx, STATUS_BAD_INPUT, "%s: cut short: expected %llu bytes more, found %llu",
                    stream->label, (unsigned long long)count, (unsigned long long)stream->left);
    if (!stream->member->deflated) {
        stream->skipped = stream->skipped || count > 0;
        stream->at += count;
        stream->left -= count;
        return STATUS_OK;
    }
    unsigned char unused[4096];
    while (count > 0) {
        const size_t part = (size_t)(count < sizeof unused ? count : sizeof unused);
        RETURN_IF(zip_stream_read(stream, unused, part));
        count -= part;
    }
    return STATUS_OK;
}
