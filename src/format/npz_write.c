/* npz_write.c: an NPZ file, array after array. */
#include "format/npy_header.h"
#include "format/npz.h"
#include "format/zip.h"

#include <assert.h>

struct npz_writer {
    struct context *ctx;
    struct arena *arena;
    struct zip_writer *zip;
    const char *path, *name; /* of the file, and of the array being written; NULL: none */
    size_t row_bytes;
    int64_t rows, rows_written;
};

struct npz_writer *npz_writer_new(struct context *ctx, const char *path)
{
    struct npz_writer *writer = memory_new(ctx, 1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->ctx = ctx;
    writer->arena = arena_new(ctx);
    writer->path = writer->arena != NULL ? arena_text(writer->arena, path) : NULL;
    writer->zip = writer->path != NULL ? zip_writer_new(ctx, path, ZIP_LIMIT) : NULL;
    if (writer->zip == NULL) {
        npz_writer_discard(writer);
        return NULL;
    }
    return writer;
}

/* array_end: of the array being written, if there is one. */
static enum status array_end(struct npz_writer *writer)
{
    if (writer->name == NULL)
        return STATUS_OK;
    if (writer->rows_written != writer->rows)
        return fail(writer->ctx, STATUS_BAD_SHAPE, "%s: %s: expected %lld rows, got %lld; the file is not written",
                    writer->path, writer->name, (long long)writer->rows, (long long)writer->rows_written);
    writer->name = NULL;
    return zip_writer_end(writer->zip);
}

enum status npz_writer_array(struct npz_writer *writer, const char *name, enum element element,
                             const struct shape *shape)
{
    char header[NPY_HEADER_SIZE];
    assert(shape->rank >= 1 && shape->dim[0] >= 0 && shape_row(shape) >= 0);
    RETURN_IF(array_end(writer));
    const char *member = arena_format(writer->arena, "%s.npy", name);
    const size_t length = npy_header_write(element, shape, header);
    if (member == NULL)
        return writer->ctx->error.status;
    writer->row_bytes = (size_t)shape_row(shape) * element_size(element);
    writer->rows = shape->dim[0];
    writer->rows_written = 0;
    RETURN_IF(zip_writer_begin(writer->zip, member, length + (uint64_t)writer->rows * writer->row_bytes));
    writer->name = arena_text(writer->arena, name);
    if (writer->name == NULL)
        return writer->ctx->error.status;
    return zip_writer_put(writer->zip, header, length);
}

enum status npz_writer_rows(struct npz_writer *writer, const void *rows, int64_t count)
{
    assert(writer->name != NULL && count >= 0 && count <= writer->rows - writer->rows_written);
    RETURN_IF(zip_writer_put(writer->zip, rows, (size_t)count * writer->row_bytes));
    writer->rows_written += count;
    return STATUS_OK;
}

enum status npz_writer_finish(struct npz_writer *writer)
{
    enum status status = STATUS_OK;
    TRY(array_end(writer));
    struct zip_writer *zip = writer->zip;
    writer->zip = NULL; /* zip_writer_finish frees it, whatever happens */
    TRY(zip_writer_finish(zip));
cleanup:
    npz_writer_discard(writer);
    return status;
}

void npz_writer_discard(struct npz_writer *writer)
{
    if (writer == NULL)
        return;
    zip_writer_discard(writer->zip);
    arena_free(writer->arena);
    memory_free(writer->ctx, writer);
}
