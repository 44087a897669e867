/* safetensors_write.c: named tensors and texts into one file. */
#include "base/file.h"
#include "format/json.h"
#include "format/safetensors.h"

#include <assert.h>
#include <string.h>

static const char *element_dtype(enum element element)
{
    switch (element) {
    case ELEMENT_F32:
        return "F32";
    case ELEMENT_F64:
        return "F64";
    case ELEMENT_I64:
        return "I64";
    case ELEMENT_I32:
        return "I32";
    case ELEMENT_U32:
        return "U32";
    case ELEMENT_U8:
        return "U8";
    case ELEMENT_REAL:
        break;
    }
    assert(!"an element type without a precision cannot be written");
    return NULL;
}

static size_t tensor_bytes(const struct tensor *tensor)
{
    return (size_t)shape_elements(&tensor->shape) * element_size(tensor->element);
}

/* make_header: the header's JSON, with blanks behind it so that the tensors start at a multiple of 8. */
static enum status make_header(struct context *ctx, const struct safetensors *file, char **out, size_t *length)
{
    enum status status = STATUS_OK;
    struct text text;
    text_init(&text, ctx);
    *out = NULL;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;

    struct value *header = value_map(arena);
    if (file->metadata_count > 0) {
        struct value *metadata = value_map(arena);
        for (size_t i = 0; i < file->metadata_count; i++)
            metadata = value_set(arena, metadata, file->metadata[i].key, value_text(arena, file->metadata[i].text));
        header = value_set(arena, header, "__metadata__", metadata);
    }
    int64_t offset = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct safetensor *tensor = &file->tensors[i];
        assert(value_get(header, tensor->name) == NULL); /* a name of its own for each */
        struct value *shape = value_list(arena), *offsets = value_list(arena), *entry = value_map(arena);
        for (int axis = 0; axis < tensor->tensor.shape.rank; axis++)
            shape = value_append(arena, shape, value_integer(arena, tensor->tensor.shape.dim[axis]));
        offsets = value_append(arena, offsets, value_integer(arena, offset));
        offset += (int64_t)tensor_bytes(&tensor->tensor);
        offsets = value_append(arena, offsets, value_integer(arena, offset));
        entry = value_set(arena, entry, "dtype", value_text(arena, element_dtype(tensor->tensor.element)));
        entry = value_set(arena, entry, "shape", shape);
        entry = value_set(arena, entry, "data_offsets", offsets);
        header = value_set(arena, header, tensor->name, entry);
    }
    if (header == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    json_write(header, &text, 0);
    while (!text.failed && text.length % 8 != 0)
        text_add(&text, " ");
    *length = text.length;
    *out = text_take(&text);
    if (*out == NULL)
        status = ctx->error.status;

cleanup:
    text_free(&text);
    arena_free(arena);
    return status;
}

enum status safetensors_write(struct context *ctx, const char *path, const struct safetensors *file)
{
    enum status status = STATUS_OK;
    char *header = NULL;
    size_t length = 0;
    struct file_writer *writer = NULL;
    unsigned char prefix[8];
    TRY(make_header(ctx, file, &header, &length));
    for (int i = 0; i < 8; i++)
        prefix[i] = (unsigned char)((uint64_t)length >> (8 * i));
    writer = file_writer_new(ctx, path);
    if (writer == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(file_write(writer, prefix, sizeof prefix));
    TRY(file_write(writer, header, length));
    for (size_t i = 0; i < file->count; i++)
        if (tensor_bytes(&file->tensors[i].tensor) > 0)
            TRY(file_write(writer, file->tensors[i].tensor.data, tensor_bytes(&file->tensors[i].tensor)));
    struct file_writer *whole = writer;
    writer = NULL; /* file_commit frees it, whatever happens */
    TRY(file_commit(whole));

cleanup:
    file_discard(writer);
    memory_free(ctx, header);
    return status;
}
