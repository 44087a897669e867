/* npy_header.c: reads and writes the text in front of an NPY file's numbers.
 *
 *     \x93NUMPY, major, minor, length (2 bytes in version 1, 4 in version 2), then that many bytes of text:
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  blanks  newline
 *
 * The text is a Python literal of which NumPy writes only this form; keys may come in any order. */
#include "format/npy_header.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct npy_type {
    const char *descr;
    enum element element;
};
static const struct npy_type npy_types[] = {
    {"<f4", ELEMENT_F32}, {"<f8", ELEMENT_F64}, {"<i8", ELEMENT_I64},
    {"<i4", ELEMENT_I32}, {"<u4", ELEMENT_U32}, {"|u1", ELEMENT_U8},
};
enum { NPY_TYPE_COUNT = sizeof npy_types / sizeof npy_types[0], NPY_REAL_TYPES = 2 /* the first of them */ };

struct npy_cursor {
    struct context *ctx;
    const char *name;
    const char *at, *end;
    int types; /* how many of npy_types are accepted */
};

static void cursor_blanks(struct npy_cursor *cursor)
{
    while (cursor->at < cursor->end && isspace((unsigned char)*cursor->at))
        cursor->at++;
}

static bool cursor_accept(struct npy_cursor *cursor, char c)
{
    cursor_blanks(cursor);
    if (cursor->at >= cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static enum status cursor_fail(struct npy_cursor *cursor, const char *expected)
{
    int left = cursor->end - cursor->at > 24 ? 24 : (int)(cursor->end - cursor->at);
    char found[25];
    for (int i = 0; i < left; i++) /* the bytes are anybody's: only plain ones go into a message */
        found[i] = isprint((unsigned char)cursor->at[i]) ? cursor->at[i] : '?';
    found[left] = '\0';
    return fail(cursor->ctx, STATUS_BAD_INPUT, "%s: NPY header: expected %s, found \"%s\"", cursor->name, expected,
                found);
}

/* cursor_text: a quoted text without escapes into out [size]. */
static enum status cursor_text(struct npy_cursor *cursor, const char *expected, char *out, size_t size)
{
    cursor_blanks(cursor);
    if (cursor->at >= cursor->end || (*cursor->at != '\'' && *cursor->at != '"'))
        return cursor_fail(cursor, expected);
    const char *from = cursor->at + 1;
    const char *quote = memchr(from, *cursor->at, (size_t)(cursor->end - from));
    if (quote == NULL || (size_t)(quote - from) >= size)
        return cursor_fail(cursor, expected);
    for (const char *c = from; c < quote; c++)
        *out++ = isprint((unsigned char)*c) ? *c : '?';
    *out = '\0';
    cursor->at = quote + 1;
    return STATUS_OK;
}

static enum status header_type(struct npy_cursor *cursor, struct npy_header *out)
{
    char descr[32];
    const char *others = cursor->types == NPY_REAL_TYPES ? "" : ", <i8, <i4, <u4, |u1";
    cursor_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == '[')
        return fail(cursor->ctx, STATUS_UNSUPPORTED,
                    "%s: element type: expected one of <f4, <f8%s, found a structured type", cursor->name, others);
    RETURN_IF(cursor_text(cursor, "an element type in quotes", descr, sizeof descr));
    for (int i = 0; i < cursor->types; i++) {
        if (strcmp(descr, npy_types[i].descr) == 0) {
            out->element = npy_types[i].element;
            return STATUS_OK;
        }
    }
    return fail(
        cursor->ctx, STATUS_UNSUPPORTED,
        "%s: element type: expected one of <f4, <f8%s, found '%s'; convert the array with astype before saving it",
        cursor->name, others, descr);
}

static enum status header_order(struct npy_cursor *cursor, struct npy_header *out)
{
    cursor_blanks(cursor);
    size_t left = (size_t)(cursor->end - cursor->at);
    if (left >= 5 && memcmp(cursor->at, "False", 5) == 0) {
        cursor->at += 5;
        out->fortran = false;
    } else if (left >= 4 && memcmp(cursor->at, "True", 4) == 0) {
        cursor->at += 4;
        out->fortran = true;
    } else {
        return cursor_fail(cursor, "True or False for fortran_order");
    }
    return STATUS_OK;
}

static enum status header_shape(struct npy_cursor *cursor, struct npy_header *out)
{
    if (!cursor_accept(cursor, '('))
        return cursor_fail(cursor, "a shape in parentheses");
    out->shape = SHAPE_SCALAR;
    while (!cursor_accept(cursor, ')')) {
        if (cursor->at >= cursor->end || !isdigit((unsigned char)*cursor->at))
            return cursor_fail(cursor, "a dimension");
        int64_t dim = 0;
        while (cursor->at < cursor->end && isdigit((unsigned char)*cursor->at)) {
            dim = dim * 10 + (*cursor->at++ - '0');
            if (dim > (int64_t)1 << 31)
                return fail(cursor->ctx, STATUS_BAD_SHAPE,
                            "%s: a dimension is too large: expected at most 2^31 elements in an array", cursor->name);
        }
        if (out->shape.rank == SHAPE_MAX_RANK)
            return fail(cursor->ctx, STATUS_UNSUPPORTED, "%s: expected at most %d dimensions, found more", cursor->name,
                        SHAPE_MAX_RANK);
        out->shape.dim[out->shape.rank++] = dim;
        if (!cursor_accept(cursor, ',')) {
            if (!cursor_accept(cursor, ')'))
                return cursor_fail(cursor, "a comma or the end of the shape");
            break;
        }
    }
    return STATUS_OK;
}

static enum status header_entries(struct npy_cursor *cursor, struct npy_header *out)
{
    enum { SEEN_DESCR = 1, SEEN_ORDER = 2, SEEN_SHAPE = 4 };
    unsigned seen = 0;
    if (!cursor_accept(cursor, '{'))
        return cursor_fail(cursor, "\"{\"");
    while (!cursor_accept(cursor, '}')) {
        char key[16];
        RETURN_IF(cursor_text(cursor, "a key in quotes", key, sizeof key));
        if (!cursor_accept(cursor, ':'))
            return cursor_fail(cursor, "\":\" behind a key");
        unsigned bit = 0;
        if (strcmp(key, "descr") == 0) {
            bit = SEEN_DESCR;
            RETURN_IF(header_type(cursor, out));
        } else if (strcmp(key, "fortran_order") == 0) {
            bit = SEEN_ORDER;
            RETURN_IF(header_order(cursor, out));
        } else if (strcmp(key, "shape") == 0) {
            bit = SEEN_SHAPE;
            RETURN_IF(header_shape(cursor, out));
        }
        if (bit == 0 || (seen & bit) != 0)
            return fail(cursor->ctx, STATUS_BAD_INPUT,
                        "%s: NPY header: expected descr, fortran_order and shape once each, found \"%s\"%s",
                        cursor->name, key, bit == 0 ? "" : " twice");
        seen |= bit;
        if (!cursor_accept(cursor, ',')) {
            if (!cursor_accept(cursor, '}'))
                return cursor_fail(cursor, "a comma or the header's end");
            break;
        }
    }
    if (seen != (SEEN_DESCR | SEEN_ORDER | SEEN_SHAPE))
        return fail(cursor->ctx, STATUS_BAD_INPUT, "%s: NPY header: \"%s\" is missing", cursor->name,
                    (seen & SEEN_DESCR) == 0   ? "descr"
                    : (seen & SEEN_ORDER) == 0 ? "fortran_order"
                                               : "shape");
    cursor_blanks(cursor);
    return cursor->at == cursor->end ? STATUS_OK : cursor_fail(cursor, "the header's end");
}

size_t npy_header_end(const unsigned char *bytes, size_t count)
{
    if (count < 10)
        return 10;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] == 1)
        return 10 + length;
    if (count >= 12)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    return 12 + length;
}

static enum status header_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                                int types, struct npy_header *out)
{
    if (count == 0)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected an NPY file, found an empty file", name);
    if (count < 10 || memcmp(bytes, NPY_MAGIC, 6) != 0)
        return fail(ctx, STATUS_BAD_INPUT, "%s: not an NPY file: it does not start with \\x93NUMPY", name);
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 2 || minor != 0)
        return fail(ctx, STATUS_UNSUPPORTED, "%s: expected NPY version 1.0 or 2.0, found %u.%u", name, major, minor);
    size_t start = major == 1 ? 10 : 12, end = npy_header_end(bytes, count);
    if (count < start || end > count)
        return fail(ctx, STATUS_BAD_INPUT, "%s: cut short: the header alone needs %zu bytes, the file has %zu", name,
                    end, count);

    struct npy_cursor cursor = {ctx, name, (const char *)bytes + start, (const char *)bytes + end, types};
    RETURN_IF(header_entries(&cursor, out));
    out->offset = end;
    return STATUS_OK;
}

enum status npy_header_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             struct npy_header *out)
{
    return header_parse(ctx, name, bytes, count, NPY_TYPE_COUNT, out);
}

enum status npy_header_parse_real(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                                  struct npy_header *out)
{
    return header_parse(ctx, name, bytes, count, NPY_REAL_TYPES, out);
}

enum status npy_header_check(struct context *ctx, const char *name, const struct npy_header *header, uint64_t found,
                             bool whole)
{
    const struct shape *shape = &header->shape;
    const int64_t rows = whole || shape->rank == 0 ? 1 : shape->dim[0];
    const int64_t row = whole ? shape_elements(shape) : shape_row(shape);
    char text[SHAPE_TEXT_SIZE];
    if (row < 0 || (uint64_t)row * (uint64_t)rows > UINT64_MAX / 8) /* both are at most 2^31 */
        return fail(ctx, STATUS_BAD_SHAPE, "%s: too large: expected at most 2^31 elements%s, found %s", name,
                    whole ? "" : " a row", shape_text(shape, text));
    const uint64_t expected = (uint64_t)row * (uint64_t)rows * element_size(header->element);
    if (found == expected)
        return STATUS_OK;
    return fail(ctx, STATUS_BAD_INPUT, "%s: %s: %s%s needs %llu bytes behind the header, found %llu", name,
                found < expected ? "cut short" : "bytes behind its end", element_text(header->element),
                shape_text(shape, text), (unsigned long long)expected, (unsigned long long)found);
}

size_t npy_header_write(enum element element, const struct shape *shape, char out[NPY_HEADER_SIZE])
{
    const char *descr = NULL;
    for (int i = 0; i < NPY_TYPE_COUNT; i++)
        if (npy_types[i].element == element)
            descr = npy_types[i].descr;
    assert(descr != NULL && shape->rank >= 0 && shape->rank <= SHAPE_MAX_RANK);

    memset(out, ' ', NPY_HEADER_SIZE);
    memcpy(out, NPY_MAGIC "\x01\x00", 8);
    char text[NPY_HEADER_SIZE - 11]; /* six dimensions of at most 19 digits fit */
    size_t length = (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < shape->rank; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%lld%s", i > 0 ? ", " : "",
                                   (long long)shape->dim[i], shape->rank == 1 ? "," : "");
    length += (size_t)snprintf(text + length, sizeof text - length, "), }");
    assert(length < sizeof text);
    memcpy(out + 10, text, length);
    size_t total = (10 + length + 1 + 63) / 64 * 64;
    out[8] = (char)((total - 10) & 0xff);
    out[9] = (char)((total - 10) >> 8);
    out[total - 1] = '\n';
    return total;
}
