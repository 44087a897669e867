/* npz.c: reads arrays of an NPZ file. npz_write.c writes them. */
#include "format/npz.h"

#include "format/npy_header.h"
#include "format/zip.h"

#include <assert.h>
#include <string.h>

struct npz_array {
    const char *name, *label; /* of the zip's arena */
    const struct zip_member *member;
};

struct npz {
    struct context *ctx;
    struct zip zip;
    struct npz_array *arrays;
    int count;
};

static enum status arrays_list(struct npz *npz)
{
    struct zip *zip = &npz->zip;
    npz->arrays = arena_take(zip->arena, zip->count, sizeof *npz->arrays);
    if (npz->arrays == NULL)
        return npz->ctx->error.status;
    for (size_t i = 0; i < zip->count; i++) {
        const char *name = zip->members[i].name;
        const size_t length = strlen(name);
        if (length < 4 || strcmp(name + length - 4, ".npy") != 0)
            continue;
        struct npz_array *array = &npz->arrays[npz->count++];
        array->member = &zip->members[i];
        array->name = arena_format(zip->arena, "%.*s", (int)(length - 4), name);
        array->label = arena_format(zip->arena, "%s: %s", zip->name, array->name);
        if (array->name == NULL || array->label == NULL)
            return npz->ctx->error.status;
    }
    return STATUS_OK;
}

/* npz_make: of a file (bytes NULL), or of memory. */
static enum status npz_make(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                            struct npz **out)
{
    enum status status = STATUS_OK;
    *out = NULL;
    struct npz *npz = memory_new(ctx, 1, sizeof *npz);
    if (npz == NULL)
        return ctx->error.status;
    npz->ctx = ctx;
    TRY(bytes == NULL ? zip_open(ctx, name, &npz->zip) : zip_parse(ctx, name, bytes, count, &npz->zip));
    TRY(arrays_list(npz));
    *out = npz;
    npz = NULL;
cleanup:
    npz_free(npz);
    return status;
}

enum status npz_open(struct context *ctx, const char *path, struct npz **out)
{
    return npz_make(ctx, path, NULL, 0, out);
}

enum status npz_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count, struct npz **out)
{
    assert(bytes != NULL);
    return npz_make(ctx, name, bytes, count, out);
}

void npz_free(struct npz *npz)
{
    if (npz == NULL)
        return;
    zip_free(&npz->zip);
    memory_free(npz->ctx, npz);
}

int npz_count(const struct npz *npz)
{
    return npz->count;
}

const char *npz_name(const struct npz *npz, int index)
{
    return npz->arrays[index].name;
}

const char *npz_label(const struct npz *npz, int index)
{
    return npz->arrays[index].label;
}

int npz_find(const struct npz *npz, const char *name)
{
    for (int i = 0; i < npz->count; i++)
        if (strcmp(npz->arrays[i].name, name) == 0)
            return i;
    return -1;
}

/* array_open: the header, and a stream that stands at the first number. *stream is the caller's, NULL on failure. */
static enum status array_open(struct npz *npz, int index, struct npy_header *header, struct zip_stream **stream)
{
    enum status status = STATUS_OK;
    struct context *ctx = npz->ctx;
    const struct npz_array *array = &npz->arrays[index];
    const uint64_t size = array->member->size;
    unsigned char first[12], *bytes = NULL;
    const size_t count = (size_t)(size < sizeof first ? size : sizeof first);
    *stream = NULL;
    TRY(zip_stream_new(&npz->zip, array->member, array->label, stream));
    TRY(zip_stream_read(*stream, first, count));
    size_t end = npy_header_end(first, count);
    if (end > size)
        end = (size_t)size; /* cut short, or not NPY at all: the parser says which */
    if (end < count)
        end = count;
    bytes = memory_new(ctx, end, 1);
    if (bytes == NULL)
        TRY(ctx->error.status);
    memcpy(bytes, first, count);
    TRY(zip_stream_read(*stream, bytes + count, end - count));
    TRY(npy_header_parse(ctx, array->label, bytes, end, header));
cleanup:
    memory_free(ctx, bytes);
    if (status != STATUS_OK) {
        zip_stream_free(*stream);
        *stream = NULL;
    }
    return status;
}

enum status npz_describe(struct npz *npz, int index, struct tensor_spec *out)
{
    struct npy_header header;
    struct zip_stream *stream = NULL;
    RETURN_IF(array_open(npz, index, &header, &stream));
    zip_stream_free(stream);
    *out = (struct tensor_spec){header.element, header.shape};
    return STATUS_OK;
}

enum status npz_read(struct npz *npz, int index, struct npy *out)
{
    enum status status = STATUS_OK;
    struct npy_header header;
    struct zip_stream *stream = NULL;
    const struct npz_array *array = &npz->arrays[index];
    memset(out, 0, sizeof *out);
    TRY(array_open(npz, index, &header, &stream));
    const uint64_t bytes = array->member->size - header.offset;
    TRY(npy_header_check(npz->ctx, array->label, &header, bytes, true));
    *out = (struct npy){header.element, header.shape, memory_new(npz->ctx, (size_t)bytes, 1)};
    if (out->data == NULL)
        TRY(npz->ctx->error.status);
    TRY(zip_stream_read(stream, out->data, (size_t)bytes));
    if (header.fortran && bytes > 0)
        TRY(npy_to_c_order(npz->ctx, out));
cleanup:
    zip_stream_free(stream);
    if (status != STATUS_OK)
        npy_free(npz->ctx, out);
    return status;
}

struct npz_rows {
    struct context *ctx;
    size_t row_bytes;
    struct zip_stream *stream;
    struct npy whole; /* of an array in Fortran order; then there is no stream */
    size_t at;        /* in `whole` */
};

enum status npz_rows_new(struct npz *npz, int index, int64_t first, struct npz_rows **out)
{
    enum status status = STATUS_OK;
    struct npy_header header;
    const struct npz_array *array = &npz->arrays[index];
    char text[SHAPE_TEXT_SIZE];
    *out = NULL;
    struct npz_rows *rows = memory_new(npz->ctx, 1, sizeof *rows);
    if (rows == NULL)
        return npz->ctx->error.status;
    rows->ctx = npz->ctx;
    TRY(array_open(npz, index, &header, &rows->stream));
    TRY(npy_header_check(npz->ctx, array->label, &header, array->member->size - header.offset, false));
    if (header.shape.rank == 0)
        TRY(fail(npz->ctx, STATUS_BAD_SHAPE, "%s: expected rows, found %s", array->label,
                 shape_text(&header.shape, text)));
    assert(first >= 0 && first <= header.shape.dim[0]);
    rows->row_bytes = (size_t)shape_row(&header.shape) * element_size(header.element);
    if (header.fortran && header.shape.rank > 1) {
        zip_stream_free(rows->stream);
        rows->stream = NULL;
        TRY(npz_read(npz, index, &rows->whole));
        rows->at = (size_t)first * rows->row_bytes;
    } else {
        TRY(zip_stream_skip(rows->stream, (uint64_t)first * rows->row_bytes));
    }
    *out = rows;
    rows = NULL;
cleanup:
    npz_rows_free(rows);
    return status;
}

enum status npz_rows_next(struct npz_rows *rows, void *to, int64_t count)
{
    const size_t bytes = (size_t)count * rows->row_bytes;
    if (rows->stream != NULL)
        return zip_stream_read(rows->stream, to, bytes);
    if (bytes > 0)
        memcpy(to, (const unsigned char *)rows->whole.data + rows->at, bytes);
    rows->at += bytes;
    return STATUS_OK;
}

void npz_rows_free(struct npz_rows *rows)
{
    if (rows == NULL)
        return;
    zip_stream_free(rows->stream);
    npy_free(rows->ctx, &rows->whole);
    memory_free(rows->ctx, rows);
}
