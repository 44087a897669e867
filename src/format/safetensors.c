/* safetensors.c: reads named tensors; strict about every number in the header. safetensors_write.c writes them. */
#include "format/safetensors.h"

#include "base/file.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SAFETENSORS_ALIGNMENT = 64 };
static const uint64_t safetensors_header_limit = 100u * 1000 * 1000; /* the format's own */

struct safetensors_place {
    uint64_t begin, end; /* in the data section */
    size_t tensor;       /* its index */
};

struct safetensors_reading {
    struct context *ctx;
    const char *name;          /* of the file, for messages */
    const unsigned char *data; /* the data section */
    uint64_t data_count;
    struct safetensors_place *places;
};

static enum status read_element(const struct safetensors_reading *reading, const char *tensor, const json_t *json,
                                enum element *out)
{
    static const struct {
        const char *text;
        enum element element;
    } types[] = {{"F32", ELEMENT_F32}, {"F64", ELEMENT_F64}, {"I64", ELEMENT_I64},
                 {"I32", ELEMENT_I32}, {"U32", ELEMENT_U32}, {"U8", ELEMENT_U8}};
    const char *text = json_string_value(json);
    if (text == NULL)
        return fail(reading->ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": expected a text \"dtype\"", reading->name,
                    tensor);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(text, types[i].text) == 0) {
            *out = types[i].element;
            return STATUS_OK;
        }
    }
    return fail(
        reading->ctx, STATUS_UNSUPPORTED,
        "%s: tensor \"%s\": expected dtype F32, F64, I64, I32, U32 or U8, found %.16s; convert it before saving",
        reading->name, tensor, text);
}

static enum status read_shape(const struct safetensors_reading *reading, const char *tensor, const json_t *json,
                              struct shape *out)
{
    struct context *ctx = reading->ctx;
    if (!json_is_array(json))
        return fail(ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": expected a list \"shape\"", reading->name, tensor);
    if (json_array_size(json) > SHAPE_MAX_RANK)
        return fail(ctx, STATUS_UNSUPPORTED, "%s: tensor \"%s\": expected at most %d dimensions, found %zu",
                    reading->name, tensor, SHAPE_MAX_RANK, json_array_size(json));
    *out = SHAPE_SCALAR;
    out->rank = (int)json_array_size(json);
    for (int i = 0; i < out->rank; i++) {
        const json_t *dim = json_array_get(json, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return fail(ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": dimension %d: expected an integer of at least 0",
                        reading->name, tensor, i);
        out->dim[i] = json_integer_value(dim);
    }
    if (shape_elements(out) < 0)
        return fail(ctx, STATUS_BAD_SHAPE, "%s: tensor \"%s\" is too large: expected at most 2^31 elements",
                    reading->name, tensor);
    return STATUS_OK;
}

static enum status read_place(const struct safetensors_reading *reading, const struct safetensor *tensor,
                              const json_t *json, struct safetensors_place *out)
{
    struct context *ctx = reading->ctx;
    const json_t *begin = json_array_get(json, 0), *end = json_array_get(json, 1);
    if (json_array_size(json) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return fail(ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": expected \"data_offsets\": [begin, end]", reading->name,
                    tensor->name);
    json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from || (uint64_t)to > reading->data_count)
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s: tensor \"%s\": its bytes %lld to %lld lie outside of the file's %llu bytes of data (cut "
                    "short?)",
                    reading->name, tensor->name, (long long)from, (long long)to,
                    (unsigned long long)reading->data_count);
    uint64_t expected = (uint64_t)shape_elements(&tensor->tensor.shape) * element_size(tensor->tensor.element);
    if ((uint64_t)(to - from) != expected) {
        char text[SHAPE_TEXT_SIZE];
        return fail(ctx, STATUS_BAD_INPUT, "%s: tensor \"%s\": %s%s needs %llu bytes, its offsets give %lld",
                    reading->name, tensor->name, element_text(tensor->tensor.element),
                    shape_text(&tensor->tensor.shape, text), (unsigned long long)expected, (long long)(to - from));
    }
    out->begin = (uint64_t)from;
    out->end = (uint64_t)to;
    return STATUS_OK;
}

static enum status read_metadata(const struct safetensors_reading *reading, json_t *json, struct safetensors *out)
{
    if (!json_is_object(json))
        return fail(reading->ctx, STATUS_BAD_INPUT, "%s: expected a map \"__metadata__\"", reading->name);
    out->metadata = arena_take(out->arena, json_object_size(json) + 1, sizeof out->metadata[0]);
    if (out->metadata == NULL)
        return reading->ctx->error.status;
    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at)) {
        struct safetensors_entry *entry = &out->metadata[out->metadata_count++];
        const char *key = json_object_iter_key(at), *text = json_string_value(json_object_iter_value(at));
        if (text == NULL)
            return fail(reading->ctx, STATUS_BAD_INPUT, "%s: metadata \"%s\": expected a text", reading->name, key);
        entry->key = arena_text(out->arena, key);
        entry->text = arena_text(out->arena, text);
        if (entry->key == NULL || entry->text == NULL)
            return reading->ctx->error.status;
    }
    return STATUS_OK;
}

static enum status read_header(struct safetensors_reading *reading, json_t *header, struct safetensors *out)
{
    struct context *ctx = reading->ctx;
    if (!json_is_object(header))
        return fail(ctx, STATUS_BAD_INPUT, "%s: the header is not a map", reading->name);
    size_t most = json_object_size(header) + 1;
    out->tensors = arena_take(out->arena, most, sizeof out->tensors[0]);
    reading->places = arena_take(out->arena, most, sizeof reading->places[0]);
    if (out->tensors == NULL || reading->places == NULL)
        return ctx->error.status;
    for (void *at = json_object_iter(header); at != NULL; at = json_object_iter_next(header, at)) {
        const char *key = json_object_iter_key(at);
        json_t *entry = json_object_iter_value(at);
        if (strcmp(key, "__metadata__") == 0) {
            RETURN_IF(read_metadata(reading, entry, out));
            continue;
        }
        struct safetensor *tensor = &out->tensors[out->count];
        struct safetensors_place *place = &reading->places[out->count];
        tensor->name = arena_text(out->arena, key);
        if (tensor->name == NULL)
            return ctx->error.status;
        RETURN_IF(read_element(reading, key, json_object_get(entry, "dtype"), &tensor->tensor.element));
        RETURN_IF(read_shape(reading, key, json_object_get(entry, "shape"), &tensor->tensor.shape));
        RETURN_IF(read_place(reading, tensor, json_object_get(entry, "data_offsets"), place));
        place->tensor = out->count++;
    }
    return STATUS_OK;
}

static int compare_places(const void *a, const void *b)
{
    const struct safetensors_place *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) /* empty ones first */
        return x->end < y->end ? -1 : 1;
    return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

/* check_places: the tensors' bytes are all of the data section, each byte once. */
static enum status check_places(const struct safetensors_reading *reading, const struct safetensors *file)
{
    struct context *ctx = reading->ctx;
    uint64_t end = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct safetensors_place *place = &reading->places[i];
        const char *tensor = file->tensors[place->tensor].name;
        if (place->begin < end)
            return fail(ctx, STATUS_BAD_INPUT, "%s: tensors \"%s\" and \"%s\" overlap", reading->name,
                        file->tensors[reading->places[i - 1].tensor].name, tensor);
        if (place->begin > end)
            return fail(ctx, STATUS_BAD_INPUT, "%s: %llu bytes in front of tensor \"%s\" belong to no tensor",
                        reading->name, (unsigned long long)(place->begin - end), tensor);
        end = place->end;
    }
    if (end != reading->data_count)
        return fail(ctx, STATUS_BAD_INPUT, "%s: %llu bytes at the end belong to no tensor", reading->name,
                    (unsigned long long)(reading->data_count - end));
    return STATUS_OK;
}

/* copy_data: the tensors' bytes into one block of our own, where each is aligned. */
static enum status copy_data(const struct safetensors_reading *reading, struct safetensors *file)
{
    const uint64_t mask = SAFETENSORS_ALIGNMENT - 1;
    uint64_t total = 0;
    for (size_t i = 0; i < file->count; i++)
        total += (reading->places[i].end - reading->places[i].begin + mask) & ~mask;
    file->block = memory_new(reading->ctx, (size_t)total, 1);
    if (file->block == NULL)
        return reading->ctx->error.status;
    unsigned char *to = file->block;
    for (size_t i = 0; i < file->count; i++) {
        const struct safetensors_place *place = &reading->places[i];
        uint64_t bytes = place->end - place->begin;
        file->tensors[place->tensor].tensor.data = to;
        if (bytes > 0)
            memcpy(to, reading->data + place->begin, (size_t)bytes);
        to += (bytes + mask) & ~mask;
    }
    return STATUS_OK;
}

enum status safetensors_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                              struct safetensors *out)
{
    enum status status = STATUS_OK;
    json_t *header = NULL;
    json_error_t error;
    uint64_t length = 0;
    memset(out, 0, sizeof *out);
    memset(&error, 0, sizeof error);
    if (count == 0)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected a safetensors file, found an empty file", name);
    if (count < 8)
        return fail(ctx, STATUS_BAD_INPUT, "%s: not a safetensors file: only %zu bytes", name, count);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > safetensors_header_limit)
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s: not a safetensors file: a header of %llu bytes, expected at most 100 MB", name,
                    (unsigned long long)length);
    if (length > count - 8)
        return fail(ctx, STATUS_BAD_INPUT, "%s: cut short: the header needs %llu bytes, found %zu", name,
                    (unsigned long long)length, count - 8);

    struct safetensors_reading reading = {ctx, name, bytes + 8 + length, count - 8 - length, NULL};
    out->arena = arena_new(ctx);
    if (out->arena == NULL)
        return ctx->error.status;
    header = json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (header == NULL) {
        status = fail(ctx, json_error_code(&error) == json_error_out_of_memory ? STATUS_NO_MEMORY : STATUS_BAD_INPUT,
                      "%s: the header is not valid JSON: line %d, column %d: %s", name, error.line, error.column,
                      error.text);
        goto cleanup;
    }
    TRY(read_header(&reading, header, out));
    if (out->count > 0)
        qsort(reading.places, out->count, sizeof reading.places[0], compare_places);
    TRY(check_places(&reading, out));
    TRY(copy_data(&reading, out));

cleanup:
    json_decref(header);
    if (status != STATUS_OK)
        safetensors_free(ctx, out);
    return status;
}

enum status safetensors_read(struct context *ctx, const char *path, struct safetensors *out)
{
    memset(out, 0, sizeof *out);
    unsigned char *bytes = NULL;
    size_t count = 0;
    RETURN_IF(file_read(ctx, path, (size_t)1 << 36, &bytes, &count));
    enum status status = safetensors_parse(ctx, path, bytes, count, out);
    memory_free(ctx, bytes);
    return status;
}

void safetensors_free(struct context *ctx, struct safetensors *file)
{
    if (file == NULL)
        return;
    memory_free(ctx, file->block);
    arena_free(file->arena);
    memset(file, 0, sizeof *file);
}
