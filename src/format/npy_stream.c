/* npy_stream.c: NPY arrays out of a stream: first the header, whose length stands in its first bytes, then the numbers. */
#include "format/npy_stream.h"

#include "format/npy_header.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum {
    HEAD_START = 10, /* magic, version, a length of two bytes; version 2.0: two bytes more */
    HEAD_MAX = 4096, /* NumPy writes 128 bytes for a plain array */
    FOUND_MAX = 40,
};

struct npy_stream {
    struct context *ctx;
    int64_t most;
    const char *name; /* borrowed */
    struct shape shape;
    unsigned char head[HEAD_MAX];
    size_t head_filled, head_wanted;
    bool numbers_begun, complete;
    struct npy_header header;
    size_t filled, wanted;           /* of the numbers, in bytes */
    unsigned char *numbers, *turned; /* [most] of 8 bytes; turned: from Fortran order, NULL until that is met */
    float *floats;                   /* [most] */
};

struct npy_stream *npy_stream_new(struct context *ctx, int64_t most)
{
    struct npy_stream *stream = memory_new(ctx, 1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->ctx = ctx;
    stream->most = most;
    stream->numbers = memory_new(ctx, (size_t)most, sizeof(double));
    stream->floats = stream->numbers == NULL ? NULL : memory_new(ctx, (size_t)most, sizeof *stream->floats);
    if (stream->floats == NULL) {
        npy_stream_free(stream);
        return NULL;
    }
    return stream;
}

void npy_stream_free(struct npy_stream *stream)
{
    if (stream == NULL)
        return;
    memory_free(stream->ctx, stream->numbers);
    memory_free(stream->ctx, stream->turned);
    memory_free(stream->ctx, stream->floats);
    memory_free(stream->ctx, stream);
}

void npy_stream_expect(struct npy_stream *stream, const char *name, const struct shape *shape)
{
    assert(!shape_symbolic(shape) && shape_elements(shape) >= 0 && shape_elements(shape) <= stream->most);
    stream->name = name;
    stream->shape = *shape;
    stream->head_filled = 0;
    stream->head_wanted = HEAD_START;
    stream->numbers_begun = stream->complete = false;
}

/* stream_garbage: quotes the beginning of what came instead of an array: the head so far, and what is behind it. */
static enum status stream_garbage(struct npy_stream *stream, const unsigned char *behind, size_t count)
{
    char found[FOUND_MAX + 1];
    size_t length = 0;
    for (size_t i = 0; i < stream->head_filled + count && length < FOUND_MAX; i++) {
        unsigned char byte = i < stream->head_filled ? stream->head[i] : behind[i - stream->head_filled];
        if (byte == '\n')
            break;
        found[length++] = isprint(byte) ? (char)byte : '?';
    }
    found[length] = '\0';
    return fail(stream->ctx, STATUS_BAD_INPUT,
                "%s: expected an NPY array, which starts with \\x93NUMPY, found \"%s\"; nothing but arrays may be "
                "written there",
                stream->name, found);
}

/* head_length: of the whole header, whose first HEAD_START bytes are there. */
static enum status head_length(struct npy_stream *stream)
{
    const unsigned char *head = stream->head;
    if (head[6] < 1 || head[6] > 2 || head[7] != 0) /* the parser says so */
        return npy_header_parse_real(stream->ctx, stream->name, head, stream->head_filled, &stream->header);
    size_t start = head[6] == 1 ? HEAD_START : HEAD_START + 2;
    if (stream->head_filled < start) {
        stream->head_wanted = start;
        return STATUS_OK;
    }
    const size_t end = npy_header_end(head, stream->head_filled);
    if (end > HEAD_MAX)
        return fail(stream->ctx, STATUS_BAD_INPUT, "%s: expected an NPY header of at most %d bytes, found %zu",
                    stream->name, HEAD_MAX, end);
    stream->head_wanted = end;
    return STATUS_OK;
}

/* head_finish: the whole header is there. */
static enum status head_finish(struct npy_stream *stream)
{
    struct npy_header *header = &stream->header;
    *header = (struct npy_header){.offset = 0};
    RETURN_IF(npy_header_parse_real(stream->ctx, stream->name, stream->head, stream->head_filled, header));
    if (!shape_equal(&header->shape, &stream->shape)) {
        char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
        return fail(stream->ctx, STATUS_BAD_SHAPE, "%s: expected an array %s, found %s", stream->name,
                    shape_text(&stream->shape, expected), shape_text(&header->shape, found));
    }
    stream->numbers_begun = true;
    stream->filled = 0;
    stream->wanted = (size_t)shape_elements(&header->shape) * element_size(header->element);
    return STATUS_OK;
}

/* head_take: up to the header's end. */
static enum status head_take(struct npy_stream *stream, const unsigned char *bytes, size_t count, size_t *taken)
{
    size_t left = stream->head_wanted - stream->head_filled;
    *taken = count < left ? count : left;
    memcpy(stream->head + stream->head_filled, bytes, *taken);
    stream->head_filled += *taken;
    size_t magic = sizeof NPY_MAGIC - 1;
    if (memcmp(stream->head, NPY_MAGIC, stream->head_filled < magic ? stream->head_filled : magic) != 0)
        return stream_garbage(stream, bytes + *taken, count - *taken);
    if (stream->head_filled < stream->head_wanted)
        return STATUS_OK;
    if (stream->head_wanted <= HEAD_START + 2)
        RETURN_IF(head_length(stream));
    return stream->head_filled == stream->head_wanted ? head_finish(stream) : STATUS_OK;
}

/* numbers_finish: all bytes are there: float32 in C order. */
static enum status numbers_finish(struct npy_stream *stream)
{
    size_t count = (size_t)shape_elements(&stream->shape), size = element_size(stream->header.element);
    const unsigned char *from = stream->numbers;
    if (stream->header.fortran && count > 0) {
        if (stream->turned == NULL)
            stream->turned = memory_new(stream->ctx, (size_t)stream->most, sizeof(double));
        if (stream->turned == NULL)
            return stream->ctx->error.status;
        npy_transpose(&stream->shape, size, stream->numbers, stream->turned);
        from = stream->turned;
    }
    if (stream->header.element == ELEMENT_F32 && count > 0) {
        memcpy(stream->floats, from, count * size);
    } else {
        const double *doubles = (const double *)(const void *)from;
        for (size_t i = 0; i < count; i++)
            stream->floats[i] = (float)doubles[i];
    }
    stream->complete = true;
    return STATUS_OK;
}

enum status npy_stream_take(struct npy_stream *stream, const unsigned char *bytes, size_t count, size_t *taken)
{
    *taken = 0;
    while (!stream->numbers_begun && *taken < count) {
        size_t used = 0;
        RETURN_IF(head_take(stream, bytes + *taken, count - *taken, &used));
        *taken += used;
    }
    if (!stream->numbers_begun || stream->complete)
        return STATUS_OK;
    size_t left = stream->wanted - stream->filled;
    size_t used = count - *taken < left ? count - *taken : left;
    if (used > 0)
        memcpy(stream->numbers + stream->filled, bytes + *taken, used);
    stream->filled += used;
    *taken += used;
    return stream->filled == stream->wanted ? numbers_finish(stream) : STATUS_OK;
}

bool npy_stream_begun(const struct npy_stream *stream)
{
    return stream->head_filled > 0;
}

const float *npy_stream_numbers(const struct npy_stream *stream)
{
    return stream->complete ? stream->floats : NULL;
}
