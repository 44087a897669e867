/* file_read.c: a whole file at once. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_FIRST = 64 * 1024, SYSTEM_TEXT_SIZE = 128 };
#define READ_LIMIT_DEFAULT ((size_t)4 << 30)

static enum status read_fail(struct context *ctx, const char *path, int number)
{
    char text[SYSTEM_TEXT_SIZE];
    if (strerror_r(number, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", number);
    return fail(ctx, STATUS_IO, "cannot read %s: %s", path, text);
}

/* read_up_to: fills at most `count` bytes; *got is less only at the end. Returns errno or 0. */
static int read_up_to(int descriptor, unsigned char *bytes, size_t count, size_t *got)
{
    *got = 0;
    while (*got < count) {
        ssize_t part = read(descriptor, bytes + *got, count - *got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return errno;
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return 0;
}

enum status file_read(struct context *ctx, const char *path, size_t limit, unsigned char **bytes, size_t *count)
{
    enum status status = STATUS_OK;
    unsigned char *buffer = NULL;
    size_t used = 0, capacity = READ_FIRST;
    if (limit == 0)
        limit = READ_LIMIT_DEFAULT;
    *bytes = NULL;
    *count = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    if (descriptor < 0 || fstat(descriptor, &found) != 0) {
        status = read_fail(ctx, path, errno);
        goto cleanup;
    }
    if (S_ISREG(found.st_mode)) {
        if ((uint64_t)found.st_size > limit) {
            status = fail(ctx, STATUS_BAD_INPUT, "%s is too large: expected at most %zu bytes, found %lld", path, limit,
                          (long long)found.st_size);
            goto cleanup;
        }
        capacity = (size_t)found.st_size + 1; /* the one byte more finds the end without another turn */
    }
    buffer = memory_new(ctx, capacity + 1, 1);
    if (buffer == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    /* A pipe has no size, and a file may grow while it is read: read to the end whatever the size was. */
    for (;;) {
        size_t got = 0;
        int number = read_up_to(descriptor, buffer + used, capacity - used, &got);
        if (number != 0) {
            status = read_fail(ctx, path, number);
            goto cleanup;
        }
        used += got;
        if (used > limit) {
            status = fail(ctx, STATUS_BAD_INPUT, "%s is too large: expected at most %zu bytes", path, limit);
            goto cleanup;
        }
        if (used < capacity)
            break;
        unsigned char *grown = memory_grow(ctx, buffer, used, 2 * capacity + 1, 1);
        if (grown == NULL) {
            status = ctx->error.status;
            goto cleanup;
        }
        buffer = grown;
        capacity *= 2;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *count = used;
    buffer = NULL;
cleanup:
    if (descriptor >= 0)
        close(descriptor);
    memory_free(ctx, buffer);
    return status;
}
