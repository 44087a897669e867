/* idx_file.c: the IDX format of MNIST and its like, plain or gzip.
 *
 *     0, 0, type (0x08: unsigned bytes), number of dimensions, then each dimension (4 bytes, the greatest first)
 *     and the numbers. Images [N,H,W] or [N,H,W,C], labels [N]. */
#include "data/reader.h"

#include "format/gzip.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { IDX_MAGIC = 0x00000800, IDX_RANK_MAX = 4 };

/* The unpacked file may hold 2^31 bytes and a header. */
static const size_t idx_file_limit = ((size_t)1 << 31) + 4 + 4 * IDX_RANK_MAX;

static uint32_t idx_word(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* idx_header: rank is what is expected, or rank_other is. *start: where the numbers begin. */
static enum status idx_header(struct context *ctx, const char *name, const char *what, int rank, int rank_other,
                              const unsigned char *bytes, size_t count, struct shape *shape, size_t *start)
{
    if (count == 0)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected IDX %s, found an empty file", name, what);
    if (count < 4)
        return fail(ctx, STATUS_BAD_INPUT, "%s: cut short: expected IDX %s, found %zu bytes", name, what, count);
    uint32_t magic = idx_word(bytes);
    if (magic != (uint32_t)(IDX_MAGIC + rank) && magic != (uint32_t)(IDX_MAGIC + rank_other)) {
        char other[32] = "";
        if (rank_other != rank)
            snprintf(other, sizeof other, " or 0x%08x", (unsigned)(IDX_MAGIC + rank_other));
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s: wrong magic number for IDX %s (unsigned bytes): expected 0x%08x%s, found 0x%08x", name, what,
                    (unsigned)(IDX_MAGIC + rank), other, (unsigned)magic);
    }
    *shape = SHAPE_SCALAR;
    shape->rank = (int)(magic & 0xff);
    *start = 4 + 4 * (size_t)shape->rank;
    if (count < *start)
        return fail(ctx, STATUS_BAD_INPUT, "%s: cut short: the header needs %zu bytes, found %zu", name, *start, count);
    char text[SHAPE_TEXT_SIZE];
    bool zero = false;
    for (int axis = 0; axis < shape->rank; axis++) {
        shape->dim[axis] = (int64_t)idx_word(bytes + 4 + 4 * axis);
        zero = zero || shape->dim[axis] == 0;
    }
    if (zero)
        return fail(ctx, STATUS_BAD_SHAPE, "%s: expected dimensions of at least 1, found %s", name,
                    shape_text(shape, text));
    int64_t elements = shape_elements(shape);
    if (elements < 0 || shape->dim[0] > INT32_MAX)
        return fail(ctx, STATUS_BAD_SHAPE, "%s: too large: expected less than 2^31 elements, found %s", name,
                    shape_text(shape, text));
    size_t found = count - *start;
    if (found != (size_t)elements)
        return fail(ctx, STATUS_BAD_INPUT, "%s: %s: %s needs %lld bytes behind the header, found %zu", name,
                    found < (size_t)elements ? "cut short" : "bytes behind its end", shape_text(shape, text),
                    (long long)elements, found);
    return STATUS_OK;
}

static void samples_shape(const struct shape *shape, struct samples *out)
{
    out->element = ELEMENT_U8;
    out->count = shape->dim[0];
    out->height = shape->dim[1];
    out->width = shape->dim[2];
    out->channels = shape->rank == 4 ? shape->dim[3] : 1;
}

enum status idx_parse_images(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             struct samples *out)
{
    struct shape shape;
    size_t start = 0;
    RETURN_IF(idx_header(ctx, name, "images", 3, 4, bytes, count, &shape, &start));
    void *images = memory_new(ctx, count - start, 1);
    if (images == NULL)
        return ctx->error.status;
    memcpy(images, bytes + start, count - start);
    samples_shape(&shape, out);
    out->images = images;
    return STATUS_OK;
}

enum status idx_parse_labels(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             int32_t **labels, int64_t *label_count)
{
    struct shape shape;
    size_t start = 0;
    *labels = NULL;
    *label_count = 0;
    RETURN_IF(idx_header(ctx, name, "labels", 1, 1, bytes, count, &shape, &start));
    int32_t *made = memory_new(ctx, (size_t)shape.dim[0], sizeof *made);
    if (made == NULL)
        return ctx->error.status;
    for (int64_t i = 0; i < shape.dim[0]; i++)
        made[i] = bytes[start + (size_t)i];
    *labels = made;
    *label_count = shape.dim[0];
    return STATUS_OK;
}

/* read_images: as idx_parse_images, but the bytes stay where they were read, so that they are in memory once. */
static enum status read_images(struct context *ctx, const char *path, struct samples *out)
{
    enum status status = STATUS_OK;
    unsigned char *bytes = NULL;
    size_t count = 0, start = 0;
    struct shape shape;
    TRY(gzip_read(ctx, path, idx_file_limit, &bytes, &count));
    TRY(idx_header(ctx, path, "images", 3, 4, bytes, count, &shape, &start));
    memmove(bytes, bytes + start, count - start);
    samples_shape(&shape, out);
    out->images = bytes;
    out->images_path = path;
    bytes = NULL;

cleanup:
    memory_free(ctx, bytes);
    return status;
}

enum status idx_read(struct context *ctx, const char *images, const char *labels, struct samples *out)
{
    enum status status = STATUS_OK;
    unsigned char *bytes = NULL;
    size_t count = 0;
    int64_t label_count = 0;
    assert(images != NULL);
    TRY(read_images(ctx, images, out));
    if (labels == NULL)
        goto cleanup;
    TRY(gzip_read(ctx, labels, idx_file_limit, &bytes, &count));
    TRY(idx_parse_labels(ctx, labels, bytes, count, &out->labels, &label_count));
    out->labels_path = labels;
    if (label_count != out->count)
        status = fail(ctx, STATUS_BAD_INPUT, "%s has %lld images, but %s has %lld labels: expected as many", images,
                      (long long)out->count, labels, (long long)label_count);

cleanup:
    memory_free(ctx, bytes);
    return status;
}
