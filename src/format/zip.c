/* zip.c: finds and reads a ZIP file's directory. zip_stream.c reads members, zip_write.c writes. */
#include "format/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYSTEM_TEXT_SIZE = 128, COMMENT_MOST = 0xffff, DIRECTORY_MOST = 64 << 20, NAME_MOST = 255, DEFLATE_MOST = 1100 };

static uint64_t word(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static enum status system_fail(const struct zip *zip, int number)
{
    char text[SYSTEM_TEXT_SIZE];
    if (strerror_r(number, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", number);
    return fail(zip->ctx, STATUS_IO, "cannot read %s: %s", zip->name, text);
}

enum status zip_get(const struct zip *zip, uint64_t at, void *to, size_t count)
{
    if (at > zip->size || count > zip->size - at)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: cut short: expected %zu bytes at byte %llu, the file has %llu",
                    zip->name, count, (unsigned long long)at, (unsigned long long)zip->size);
    if (zip->descriptor < 0) {
        if (count > 0)
            memcpy(to, zip->bytes + at, count);
        return STATUS_OK;
    }
    for (size_t got = 0; got < count;) {
        ssize_t part = pread(zip->descriptor, (unsigned char *)to + got, count - got, (off_t)(at + got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return system_fail(zip, errno);
        if (part == 0) /* somebody cuts it while we read */
            return fail(zip->ctx, STATUS_BAD_INPUT, "%s: cut short while it is read", zip->name);
        got += (size_t)part;
    }
    return STATUS_OK;
}

/* What the end record says. */
struct zip_end {
    uint64_t count, size, offset; /* of the directory: members, bytes, where it begins */
    uint64_t at;                  /* where the records of the end begin: the directory ends there */
};

/* end_find: where the end record begins; a comment may stand behind it. */
static enum status end_find(const struct zip *zip, uint64_t *at)
{
    const uint64_t most = ZIP_END_SIZE + COMMENT_MOST;
    const size_t count = (size_t)(zip->size < most ? zip->size : most);
    unsigned char *tail = memory_new(zip->ctx, count, 1);
    if (tail == NULL)
        return zip->ctx->error.status;
    enum status status = zip_get(zip, zip->size - count, tail, count);
    bool found = false;
    for (size_t i = count; status == STATUS_OK && i-- > 0 && !found;) {
        const size_t left = count - i;
        if (left < ZIP_END_SIZE || word(tail + i, 4) != ZIP_END || word(tail + i + 20, 2) != left - ZIP_END_SIZE)
            continue;
        *at = zip->size - left;
        found = true;
    }
    const bool begins = count >= 4 && status == STATUS_OK;
    unsigned char first[4] = {0};
    if (begins)
        status = zip_get(zip, 0, first, sizeof first);
    memory_free(zip->ctx, tail);
    if (status != STATUS_OK || found)
        return status;
    if (zip->size == 0)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: expected an NPZ file, found an empty file", zip->name);
    if (word(first, 4) == ZIP_LOCAL)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: cut short: an NPZ file's directory is missing at its end",
                    zip->name);
    return fail(zip->ctx, STATUS_BAD_INPUT, "%s: not an NPZ file (a ZIP of NPY arrays, as numpy.savez writes it)",
                zip->name);
}

static enum status damaged(const struct zip *zip, const char *what)
{
    return fail(zip->ctx, STATUS_BAD_INPUT, "%s: the NPZ file is damaged: %s", zip->name, what);
}

/* end_read64: where there is a zip64 end record, its numbers hold. */
static enum status end_read64(const struct zip *zip, struct zip_end *end)
{
    unsigned char locator[ZIP_LOCATOR64_SIZE], record[ZIP_END64_SIZE];
    if (end->at < ZIP_LOCATOR64_SIZE)
        return STATUS_OK;
    RETURN_IF(zip_get(zip, end->at - ZIP_LOCATOR64_SIZE, locator, sizeof locator));
    if (word(locator, 4) != ZIP_LOCATOR64)
        return STATUS_OK;
    const uint64_t at = word(locator + 8, 8), before = end->at - ZIP_LOCATOR64_SIZE;
    if (at > before || before - at < ZIP_END64_SIZE)
        return damaged(zip, "its zip64 end record lies outside of it");
    RETURN_IF(zip_get(zip, at, record, sizeof record));
    if (word(record, 4) != ZIP_END64)
        return damaged(zip, "its zip64 end record is not where it should be");
    *end = (struct zip_end){
        .count = word(record + 32, 8), .size = word(record + 40, 8), .offset = word(record + 48, 8), .at = at};
    return STATUS_OK;
}

static enum status end_read(const struct zip *zip, struct zip_end *end)
{
    unsigned char record[ZIP_END_SIZE];
    uint64_t at = 0;
    RETURN_IF(end_find(zip, &at));
    RETURN_IF(zip_get(zip, at, record, sizeof record));
    *end = (struct zip_end){
        .count = word(record + 10, 2), .size = word(record + 12, 4), .offset = word(record + 16, 4), .at = at};
    RETURN_IF(end_read64(zip, end));
    if (end->offset > end->at || end->size != end->at - end->offset)
        return damaged(zip, "its directory does not end where the end record begins");
    if (end->size > DIRECTORY_MOST)
        return fail(zip->ctx, STATUS_UNSUPPORTED, "%s: its directory has %llu bytes, expected at most %d", zip->name,
                    (unsigned long long)end->size, DIRECTORY_MOST);
    if (end->count > end->size / ZIP_ENTRY_SIZE)
        return damaged(zip, "its directory is too short for its members");
    return STATUS_OK;
}

/* extra_read: the zip64 field among a member's extra fields: each number that did not fit, in this order. */
static enum status extra_read(const struct zip *zip, const unsigned char *extra, size_t count,
                              struct zip_member *member)
{
    uint64_t *const numbers[] = {&member->size, &member->packed, &member->header};
    size_t at = 0;
    while (count - at >= 4 && word(extra + at, 2) != ZIP_EXTRA64) {
        const size_t length = 4 + (size_t)word(extra + at + 2, 2);
        if (length > count - at)
            break;
        at += length;
    }
    const bool there = count - at >= 4 && word(extra + at, 2) == ZIP_EXTRA64;
    size_t length = there ? (size_t)word(extra + at + 2, 2) : 0;
    if (length > (there ? count - at - 4 : 0))
        return damaged(zip, "a member's zip64 field is too long");
    for (int i = 0; i < 3; i++) {
        if (*numbers[i] != 0xffffffff)
            continue;
        if (length < 8)
            return damaged(zip, "a member's zip64 field is too short");
        *numbers[i] = word(extra + at + 4, 8);
        at += 8;
        length -= 8;
    }
    return STATUS_OK;
}

static enum status name_check(const struct zip *zip, const unsigned char *name, size_t length)
{
    if (length == 0 || length > NAME_MOST)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: a member's name has %zu bytes, expected 1 to %d", zip->name,
                    length, NAME_MOST);
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] == 0x7f)
            return damaged(zip, "a member's name has a control character");
    return STATUS_OK;
}

static enum status member_check(const struct zip *zip, const struct zip_member *member, unsigned flags, unsigned method)
{
    if ((flags & ZIP_FLAG_ENCRYPTED) != 0)
        return fail(zip->ctx, STATUS_UNSUPPORTED, "%s: %s is encrypted", zip->name, member->name);
    if (method != ZIP_STORED && method != ZIP_DEFLATED)
        return fail(zip->ctx, STATUS_UNSUPPORTED,
                    "%s: %s is packed with method %u; expected stored or deflated, as numpy.savez and "
                    "numpy.savez_compressed write it",
                    zip->name, member->name, method);
    const bool fits = member->header <= zip->directory && zip->directory - member->header >= ZIP_LOCAL_SIZE &&
                      member->packed <= zip->directory - member->header - ZIP_LOCAL_SIZE;
    if (!fits)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: %s: its %llu bytes at byte %llu lie outside of the file",
                    zip->name, member->name, (unsigned long long)member->packed, (unsigned long long)member->header);
    /* Deflate packs at most 1,032 to 1: a size beyond is a lie that would cost memory. */
    if (member->deflated ? member->size / DEFLATE_MOST > member->packed : member->size != member->packed)
        return fail(zip->ctx, STATUS_BAD_INPUT, "%s: %s: %llu bytes cannot be %llu in the file", zip->name,
                    member->name, (unsigned long long)member->size, (unsigned long long)member->packed);
    return STATUS_OK;
}

/* entry_read: one member of the directory; *at moves behind it. */
static enum status entry_read(struct zip *zip, const unsigned char *directory, size_t count, size_t *at)
{
    const unsigned char *entry = directory + *at;
    if (count - *at < ZIP_ENTRY_SIZE || word(entry, 4) != ZIP_ENTRY)
        return damaged(zip, "its directory has something else than members");
    const size_t name = (size_t)word(entry + 28, 2), extra = (size_t)word(entry + 30, 2);
    const size_t length = ZIP_ENTRY_SIZE + name + extra + (size_t)word(entry + 32, 2);
    if (length > count - *at)
        return damaged(zip, "a member goes beyond its directory");
    RETURN_IF(name_check(zip, entry + ZIP_ENTRY_SIZE, name));
    struct zip_member *member = &zip->members[zip->count];
    const unsigned flags = (unsigned)word(entry + 8, 2), method = (unsigned)word(entry + 10, 2);
    *member =
        (struct zip_member){.name = arena_format(zip->arena, "%.*s", (int)name, (const char *)entry + ZIP_ENTRY_SIZE),
                            .size = word(entry + 24, 4),
                            .packed = word(entry + 20, 4),
                            .header = word(entry + 42, 4),
                            .crc = (uint32_t)word(entry + 16, 4),
                            .deflated = method == ZIP_DEFLATED};
    if (member->name == NULL)
        return zip->ctx->error.status;
    RETURN_IF(extra_read(zip, entry + ZIP_ENTRY_SIZE + name, extra, member));
    RETURN_IF(member_check(zip, member, flags, method));
    zip->count++;
    *at += length;
    return STATUS_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status names_check(const struct zip *zip)
{
    enum status status = STATUS_OK;
    const char **names = memory_new(zip->ctx, zip->count, sizeof *names);
    if (names == NULL)
        return zip->ctx->error.status;
    for (size_t i = 0; i < zip->count; i++)
        names[i] = zip->members[i].name;
    qsort(names, zip->count, sizeof *names, compare_names);
    for (size_t i = 1; i < zip->count && status == STATUS_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = fail(zip->ctx, STATUS_BAD_INPUT, "%s: %s is there twice", zip->name, names[i]);
    memory_free(zip->ctx, names);
    return status;
}

static enum status directory_read(struct zip *zip)
{
    enum status status = STATUS_OK;
    struct zip_end end = {0};
    unsigned char *directory = NULL;
    size_t at = 0;
    TRY(end_read(zip, &end));
    zip->directory = end.offset;
    directory = memory_new(zip->ctx, (size_t)end.size, 1);
    zip->members = arena_take(zip->arena, (size_t)end.count, sizeof *zip->members);
    if (directory == NULL || zip->members == NULL)
        TRY(zip->ctx->error.status);
    TRY(zip_get(zip, end.offset, directory, (size_t)end.size));
    for (uint64_t i = 0; i < end.count; i++)
        TRY(entry_read(zip, directory, (size_t)end.size, &at));
    if (at != end.size)
        TRY(damaged(zip, "its directory has more members than its end record says"));
    TRY(names_check(zip));
cleanup:
    memory_free(zip->ctx, directory);
    return status;
}

static enum status zip_begin(struct context *ctx, const char *name, struct zip *out)
{
    *out = (struct zip){.ctx = ctx, .descriptor = -1, .arena = arena_new(ctx)};
    out->name = out->arena != NULL ? arena_text(out->arena, name) : NULL;
    return out->name != NULL ? STATUS_OK : ctx->error.status;
}

enum status zip_open(struct context *ctx, const char *path, struct zip *out)
{
    RETURN_IF(zip_begin(ctx, path, out));
    struct stat found;
    out->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (out->descriptor < 0 || fstat(out->descriptor, &found) != 0)
        return system_fail(out, errno);
    if (!S_ISREG(found.st_mode))
        return fail(ctx, STATUS_IO, "cannot read %s: expected a regular file", path);
    out->size = (uint64_t)found.st_size;
    return directory_read(out);
}

enum status zip_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count, struct zip *out)
{
    RETURN_IF(zip_begin(ctx, name, out));
    out->bytes = bytes;
    out->size = count;
    return directory_read(out);
}

void zip_free(struct zip *zip)
{
    if (zip->descriptor >= 0)
        close(zip->descriptor);
    arena_free(zip->arena);
    *zip = (struct zip){.descriptor = -1};
}
