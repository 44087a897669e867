/* file.c: the atomic writer. A file is written beside its place and renamed into it when it is complete. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BUFFER = 64 * 1024, SYSTEM_TEXT_SIZE = 128 };

struct file_writer {
    struct context *ctx;
    char *path;
    char *partial; /* NULL: a device or a pipe, which is written in place */
    char *folder;
    int descriptor;
    bool failed;
    size_t used;
    unsigned char buffer[FILE_BUFFER];
};

static enum status write_fail(struct context *ctx, const char *path, int number)
{
    char text[SYSTEM_TEXT_SIZE];
    if (strerror_r(number, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", number);
    return fail(ctx, STATUS_IO, "cannot write %s: %s", path, text);
}

struct file_writer *file_writer_new(struct context *ctx, const char *path)
{
    struct file_writer *writer = memory_new(ctx, 1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->ctx = ctx;
    writer->descriptor = -1;
    writer->path = memory_text(ctx, path);
    writer->folder = path_directory(ctx, path);
    if (writer->path == NULL || writer->folder == NULL)
        goto failed;
    struct stat found;
    if (stat(path, &found) == 0 && !S_ISREG(found.st_mode)) {
        writer->descriptor = open(path, O_WRONLY | O_CLOEXEC); /* a folder answers EISDIR */
    } else {
        size_t size = strlen(path) + 32;
        writer->partial = memory_new(ctx, size, 1);
        if (writer->partial == NULL)
            goto failed;
        snprintf(writer->partial, size, "%s.partial-%ld", path, (long)getpid());
        writer->descriptor = open(writer->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (writer->descriptor < 0) {
        write_fail(ctx, path, errno);
        memory_free(ctx, writer->partial); /* nothing of ours to remove */
        writer->partial = NULL;
        goto failed;
    }
    return writer;
failed:
    file_discard(writer);
    return NULL;
}

static enum status writer_fail(struct file_writer *writer, int number)
{
    writer->failed = true;
    return write_fail(writer->ctx, writer->path, number);
}

/* writer_put: all bytes to the system, over short writes and interruptions. */
static enum status writer_put(struct file_writer *writer, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t put = write(writer->descriptor, bytes, count);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return writer_fail(writer, errno);
        bytes += put;
        count -= (size_t)put;
    }
    return STATUS_OK;
}

static enum status writer_flush(struct file_writer *writer)
{
    size_t used = writer->used;
    writer->used = 0;
    return writer_put(writer, writer->buffer, used);
}

enum status file_write(struct file_writer *writer, const void *bytes, size_t count)
{
    if (writer->failed)
        return fail(writer->ctx, STATUS_IO, "cannot write %s: an earlier write failed", writer->path);
    if (count > FILE_BUFFER - writer->used)
        RETURN_IF(writer_flush(writer));
    if (count > FILE_BUFFER)
        return writer_put(writer, bytes, count);
    if (count > 0)
        memcpy(writer->buffer + writer->used, bytes, count);
    writer->used += count;
    return STATUS_OK;
}

enum status file_printf(struct file_writer *writer, const char *format, ...)
{
    char small[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0)
        return writer_fail(writer, errno);
    if ((size_t)length < sizeof small)
        return file_write(writer, small, (size_t)length);
    char *large = memory_new(writer->ctx, (size_t)length + 1, 1);
    if (large == NULL) {
        writer->failed = true;
        return writer->ctx->error.status;
    }
    va_start(arguments, format);
    vsnprintf(large, (size_t)length + 1, format, arguments);
    va_end(arguments);
    enum status status = file_write(writer, large, (size_t)length);
    memory_free(writer->ctx, large);
    return status;
}

/* folder_sync: makes the new name last over a loss of power. Some file systems refuse; the data is safe all the same. */
static void folder_sync(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

enum status file_commit(struct file_writer *writer)
{
    enum status status = STATUS_OK;
    struct context *ctx = writer->ctx;
    if (writer->failed) {
        status = fail(ctx, STATUS_IO, "cannot write %s: an earlier write failed", writer->path);
        goto cleanup;
    }
    TRY(writer_flush(writer));
    /* A pipe or a device has nothing to sync. */
    if (fsync(writer->descriptor) != 0 && errno != EINVAL && errno != EROFS) {
        status = writer_fail(writer, errno);
        goto cleanup;
    }
    int descriptor = writer->descriptor;
    writer->descriptor = -1;
    if (close(descriptor) != 0 && errno != EINTR) {
        status = writer_fail(writer, errno);
        goto cleanup;
    }
    if (writer->partial == NULL)
        goto cleanup;
    if (rename(writer->partial, writer->path) != 0) {
        status = writer_fail(writer, errno);
        goto cleanup;
    }
    memory_free(ctx, writer->partial);
    writer->partial = NULL;
    folder_sync(writer->folder);
cleanup:
    file_discard(writer);
    return status;
}

void file_discard(struct file_writer *writer)
{
    if (writer == NULL)
        return;
    struct context *ctx = writer->ctx;
    if (writer->descriptor >= 0)
        close(writer->descriptor);
    if (writer->partial != NULL)
        unlink(writer->partial);
    memory_free(ctx, writer->partial);
    memory_free(ctx, writer->folder);
    memory_free(ctx, writer->path);
    memory_free(ctx, writer);
}
