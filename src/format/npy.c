/* npy.c: NumPy's array files. The header's text is npy_header.c's. */
#include "format/npy.h"

#include "base/file.h"
#include "format/npy_header.h"

#include <assert.h>
#include <string.h>

/* 2^31 elements of 8 bytes, and a header. */
static const size_t npy_file_limit = ((size_t)1 << 34) + ((size_t)1 << 20);

void npy_transpose(const struct shape *shape, size_t size, const unsigned char *from, unsigned char *to)
{
    int64_t stride[SHAPE_MAX_RANK]; /* of `from`, in elements */
    int64_t index[SHAPE_MAX_RANK] = {0};
    int64_t step = 1;
    for (int i = 0; i < shape->rank; i++) {
        stride[i] = step;
        step *= shape->dim[i];
    }
    int64_t elements = shape_elements(shape), place = 0;
    for (int64_t i = 0; i < elements; i++) {
        memcpy(to + (size_t)i * size, from + (size_t)place * size, size);
        for (int axis = shape->rank - 1; axis >= 0; axis--) {
            place += stride[axis];
            if (++index[axis] < shape->dim[axis])
                break;
            place -= stride[axis] * shape->dim[axis];
            index[axis] = 0;
        }
    }
}

enum status npy_to_c_order(struct context *ctx, struct npy *npy)
{
    const size_t size = element_size(npy->element);
    void *data = memory_new(ctx, (size_t)shape_elements(&npy->shape), size);
    if (data == NULL)
        return ctx->error.status;
    npy_transpose(&npy->shape, size, npy->data, data);
    memory_free(ctx, npy->data);
    npy->data = data;
    return STATUS_OK;
}

enum status npy_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count, struct npy *out)
{
    memset(out, 0, sizeof *out);
    struct npy_header header = {0};
    RETURN_IF(npy_header_parse(ctx, name, bytes, count, &header));
    RETURN_IF(npy_header_check(ctx, name, &header, count - header.offset, true));
    size_t elements = (size_t)shape_elements(&header.shape), size = element_size(header.element);
    void *data = memory_new(ctx, elements, size);
    if (data == NULL)
        return ctx->error.status;
    /* Beside a dimension of 0 the others may be of any size: strides are not to be asked for then. */
    if (header.fortran && elements > 0)
        npy_transpose(&header.shape, size, bytes + header.offset, data);
    else if (elements > 0)
        memcpy(data, bytes + header.offset, elements * size);
    *out = (struct npy){header.element, header.shape, data};
    return STATUS_OK;
}

enum status npy_read(struct context *ctx, const char *path, struct npy *out)
{
    memset(out, 0, sizeof *out);
    enum status status = STATUS_OK;
    unsigned char *bytes = NULL;
    size_t count = 0;
    struct npy_header header = {0};
    TRY(file_read(ctx, path, npy_file_limit, &bytes, &count));
    TRY(npy_header_parse(ctx, path, bytes, count, &header));
    if (header.fortran) {
        TRY(npy_parse(ctx, path, bytes, count, out));
    } else {
        /* The numbers move to the front of what was read, so that a large array is in memory once. */
        TRY(npy_header_check(ctx, path, &header, count - header.offset, true));
        memmove(bytes, bytes + header.offset, count - header.offset);
        *out = (struct npy){header.element, header.shape, bytes};
        bytes = NULL;
    }

cleanup:
    memory_free(ctx, bytes);
    return status;
}

void npy_free(struct context *ctx, struct npy *npy)
{
    if (npy == NULL)
        return;
    memory_free(ctx, npy->data);
    memset(npy, 0, sizeof *npy);
}

struct npy_writer {
    struct context *ctx;
    struct file_writer *file;
    char *path;
    size_t row_bytes;
    int64_t rows, rows_written;
};

struct npy_writer *npy_writer_new(struct context *ctx, const char *path, enum element element,
                                  const struct shape *shape)
{
    assert(shape->rank >= 1 && !shape_symbolic(shape));
    enum status status = STATUS_OK;
    char header[NPY_HEADER_SIZE];
    struct npy_writer *writer = memory_new(ctx, 1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->ctx = ctx;
    writer->rows = shape->dim[0];
    writer->row_bytes = (size_t)shape_row(shape) * element_size(element);
    writer->path = memory_text(ctx, path);
    writer->file = writer->path == NULL ? NULL : file_writer_new(ctx, path);
    if (writer->file == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(file_write(writer->file, header, npy_header_write(element, shape, header)));

cleanup:
    if (status != STATUS_OK) {
        npy_writer_discard(writer);
        return NULL;
    }
    return writer;
}

enum status npy_writer_rows(struct npy_writer *writer, const void *rows, int64_t count)
{
    assert(count >= 0 && count <= writer->rows - writer->rows_written);
    if (count == 0)
        return STATUS_OK;
    RETURN_IF(file_write(writer->file, rows, (size_t)count * writer->row_bytes));
    writer->rows_written += count;
    return STATUS_OK;
}

enum status npy_writer_finish(struct npy_writer *writer)
{
    enum status status = STATUS_OK;
    if (writer->rows_written != writer->rows) {
        status = fail(writer->ctx, STATUS_BAD_SHAPE, "%s: expected %lld rows, got %lld; the file is not written",
                      writer->path, (long long)writer->rows, (long long)writer->rows_written);
        goto cleanup;
    }
    struct file_writer *file = writer->file;
    writer->file = NULL; /* file_commit frees it, whatever happens */
    TRY(file_commit(file));

cleanup:
    npy_writer_discard(writer);
    return status;
}

void npy_writer_discard(struct npy_writer *writer)
{
    if (writer == NULL)
        return;
    file_discard(writer->file);
    memory_free(writer->ctx, writer->path);
    memory_free(writer->ctx, writer);
}

enum status npy_write(struct context *ctx, const char *path, enum element element, const struct shape *shape,
                      const void *data)
{
    struct shape rows = *shape;
    if (shape->rank == 0) { /* a scalar is one row without an axis */
        char header[NPY_HEADER_SIZE];
        struct file_writer *file = file_writer_new(ctx, path);
        if (file == NULL)
            return ctx->error.status;
        enum status status = file_write(file, header, npy_header_write(element, shape, header));
        if (status == STATUS_OK)
            status = file_write(file, data, element_size(element));
        if (status == STATUS_OK)
            return file_commit(file);
        file_discard(file);
        return status;
    }
    struct npy_writer *writer = npy_writer_new(ctx, path, element, &rows);
    if (writer == NULL)
        return ctx->error.status;
    enum status status = npy_writer_rows(writer, data, rows.dim[0]);
    if (status == STATUS_OK)
        return npy_writer_finish(writer);
    npy_writer_discard(writer);
    return status;
}
