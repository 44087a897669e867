/* zip_write.c: a ZIP file of stored members, written from its beginning to its end.
 *
 * A member's CRC is known when its last byte is written, so it follows the bytes (a data descriptor) and stands in the
 * directory, where readers look for it. */
#include "base/file.h"
#include "format/zip.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

enum { PART_SIZE = 128, VERSION = 20, VERSION64 = 45, MADE_BY_UNIX = 3 << 8, DATE_1980 = 0x21 };
#define ATTRIBUTES ((uint64_t)0100644 << 16) /* a plain file, for who unpacks it */

struct zip_writer {
    struct context *ctx;
    struct arena *arena;
    struct file_writer *file;
    uint64_t at, limit;
    struct zip_member *members;
    size_t count, room;
    uint64_t left; /* bytes that the member still needs */
    uLong crc;
};

/* A header being put together. */
struct part {
    unsigned char bytes[PART_SIZE];
    size_t count;
};

static void put(struct part *part, uint64_t value, int size)
{
    assert(part->count + (size_t)size <= PART_SIZE);
    for (int i = 0; i < size; i++)
        part->bytes[part->count++] = (unsigned char)(value >> 8 * i);
}

/* put32: four bytes for a number that may be a zip64 field's. */
static void put32(struct part *part, const struct zip_writer *writer, uint64_t value)
{
    put(part, value >= writer->limit ? ZIP_LIMIT : value, 4);
}

static enum status part_write(struct zip_writer *writer, const struct part *part)
{
    writer->at += part->count;
    return file_write(writer->file, part->bytes, part->count);
}

struct zip_writer *zip_writer_new(struct context *ctx, const char *path, uint64_t limit)
{
    struct zip_writer *writer = memory_new(ctx, 1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->ctx = ctx;
    writer->limit = limit;
    writer->arena = arena_new(ctx);
    writer->file = writer->arena != NULL ? file_writer_new(ctx, path) : NULL;
    if (writer->file == NULL) {
        zip_writer_discard(writer);
        return NULL;
    }
    return writer;
}

/* member_new: room for one more. */
static struct zip_member *member_new(struct zip_writer *writer)
{
    if (writer->count == writer->room) {
        const size_t larger = 2 * writer->room + 8;
        struct zip_member *grown =
            memory_grow(writer->ctx, writer->members, writer->room, larger, sizeof *writer->members);
        if (grown == NULL)
            return NULL;
        writer->members = grown;
        writer->room = larger;
    }
    return &writer->members[writer->count++];
}

enum status zip_writer_begin(struct zip_writer *writer, const char *name, uint64_t size)
{
    const size_t length = strlen(name);
    struct part part = {.count = 0};
    assert(writer->left == 0 && length > 0 && length <= 0xffff);
    struct zip_member *member = member_new(writer);
    if (member == NULL)
        return writer->ctx->error.status;
    *member = (struct zip_member){
        .name = arena_text(writer->arena, name), .size = size, .packed = size, .header = writer->at};
    if (member->name == NULL)
        return writer->ctx->error.status;
    writer->left = size;
    writer->crc = crc32(0, NULL, 0);
    const bool large = size >= writer->limit;
    put(&part, ZIP_LOCAL, 4);
    put(&part, large ? VERSION64 : VERSION, 2);
    put(&part, ZIP_FLAG_DESCRIPTOR | ZIP_FLAG_UTF8, 2);
    put(&part, ZIP_STORED, 2);
    put(&part, (uint64_t)DATE_1980 << 16, 4); /* no time of the day: the same arrays give the same file */
    put(&part, 0, 4);
    put(&part, large ? ZIP_LIMIT : 0, 4);
    put(&part, large ? ZIP_LIMIT : 0, 4);
    put(&part, length, 2);
    put(&part, large ? 20 : 0, 2);
    RETURN_IF(part_write(writer, &part));
    RETURN_IF(file_write(writer->file, name, length));
    writer->at += length;
    part.count = 0;
    if (large) { /* says that the descriptor's sizes have eight bytes */
        put(&part, ZIP_EXTRA64, 2);
        put(&part, 16, 2);
        put(&part, 0, 8);
        put(&part, 0, 8);
    }
    return part_write(writer, &part);
}

enum status zip_writer_put(struct zip_writer *writer, const void *bytes, size_t count)
{
    assert(count <= writer->left);
    if (count == 0)
        return STATUS_OK;
    writer->crc = crc32_z(writer->crc, bytes, count);
    writer->left -= count;
    writer->at += count;
    return file_write(writer->file, bytes, count);
}

enum status zip_writer_end(struct zip_writer *writer)
{
    assert(writer->left == 0 && writer->count > 0);
    struct zip_member *member = &writer->members[writer->count - 1];
    struct part part = {.count = 0};
    const int wide = member->size >= writer->limit ? 8 : 4;
    member->crc = (uint32_t)writer->crc;
    put(&part, ZIP_DESCRIPTOR, 4);
    put(&part, member->crc, 4);
    put(&part, member->packed, wide);
    put(&part, member->size, wide);
    return part_write(writer, &part);
}

static enum status entry_write(struct zip_writer *writer, const struct zip_member *member)
{
    const uint64_t numbers[] = {member->size, member->packed, member->header};
    struct part part = {.count = 0};
    unsigned extra = 0;
    for (int i = 0; i < 3; i++)
        extra += numbers[i] >= writer->limit ? 8 : 0;
    const unsigned version = extra > 0 ? VERSION64 : VERSION;
    put(&part, ZIP_ENTRY, 4);
    put(&part, MADE_BY_UNIX | version, 2);
    put(&part, version, 2);
    put(&part, ZIP_FLAG_DESCRIPTOR | ZIP_FLAG_UTF8, 2);
    put(&part, ZIP_STORED, 2);
    put(&part, (uint64_t)DATE_1980 << 16, 4);
    put(&part, member->crc, 4);
    put32(&part, writer, member->packed);
    put32(&part, writer, member->size);
    put(&part, strlen(member->name), 2);
    put(&part, extra > 0 ? extra + 4 : 0, 2);
    put(&part, 0, 2 + 2 + 2); /* comment, disk, inner attributes */
    put(&part, ATTRIBUTES, 4);
    put32(&part, writer, member->header);
    RETURN_IF(part_write(writer, &part));
    RETURN_IF(file_write(writer->file, member->name, strlen(member->name)));
    writer->at += strlen(member->name);
    part.count = 0;
    if (extra > 0) {
        put(&part, ZIP_EXTRA64, 2);
        put(&part, extra, 2);
    }
    for (int i = 0; i < 3; i++)
        if (numbers[i] >= writer->limit)
            put(&part, numbers[i], 8);
    return part_write(writer, &part);
}

static enum status end_write(struct zip_writer *writer, uint64_t directory)
{
    const uint64_t end = writer->at, size = end - directory, count = writer->count;
    struct part part = {.count = 0};
    if (directory >= writer->limit || size >= writer->limit || count >= 0xffff) {
        put(&part, ZIP_END64, 4);
        put(&part, ZIP_END64_SIZE - 12, 8);
        put(&part, MADE_BY_UNIX | VERSION64, 2);
        put(&part, VERSION64, 2);
        put(&part, 0, 4 + 4); /* disks */
        put(&part, count, 8);
        put(&part, count, 8);
        put(&part, size, 8);
        put(&part, directory, 8);
        put(&part, ZIP_LOCATOR64, 4);
        put(&part, 0, 4);
        put(&part, end, 8);
        put(&part, 1, 4); /* disks in all */
    }
    put(&part, ZIP_END, 4);
    put(&part, 0, 2 + 2);
    put(&part, count < 0xffff ? count : 0xffff, 2);
    put(&part, count < 0xffff ? count : 0xffff, 2);
    put32(&part, writer, size);
    put32(&part, writer, directory);
    put(&part, 0, 2);
    return part_write(writer, &part);
}

enum status zip_writer_finish(struct zip_writer *writer)
{
    enum status status = STATUS_OK;
    const uint64_t directory = writer->at;
    assert(writer->left == 0);
    for (size_t i = 0; i < writer->count; i++)
        TRY(entry_write(writer, &writer->members[i]));
    TRY(end_write(writer, directory));
    struct file_writer *file = writer->file;
    writer->file = NULL; /* file_commit frees it, whatever happens */
    TRY(file_commit(file));
cleanup:
    zip_writer_discard(writer);
    return status;
}

void zip_writer_discard(struct zip_writer *writer)
{
    if (writer == NULL)
        return;
    file_discard(writer->file);
    memory_free(writer->ctx, writer->members);
    arena_free(writer->arena);
    memory_free(writer->ctx, writer);
}
