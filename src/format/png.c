/* png.c: see png.h. A chunk is its length, its type, its bytes and a checksum of the latter two. */
#include "format/png.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

enum { STORED_MAX = 65535, BIT_DEPTH = 8, COLOUR_GREY = 0, COLOUR_RGB = 2 };

static void add_u32(struct text *out, uint32_t number)
{
    const unsigned char bytes[] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                   (unsigned char)(number >> 8), (unsigned char)number};
    text_add_bytes(out, (const char *)bytes, sizeof bytes);
}

static void add_chunk(struct text *out, const char *type, const struct text *body)
{
    const unsigned char *bytes = (const unsigned char *)body->bytes;
    uLong check = crc32(crc32(0, NULL, 0), (const unsigned char *)type, 4);
    if (body->length > 0)
        check = crc32(check, bytes, (uInt)body->length);
    add_u32(out, (uint32_t)body->length);
    text_add_bytes(out, type, 4);
    if (body->length > 0)
        text_add_bytes(out, body->bytes, body->length);
    add_u32(out, (uint32_t)check);
}

/* add_stored: a zlib stream of blocks that are not packed. */
static void add_stored(struct text *out, const struct text *rows)
{
    text_add_bytes(out, "\x78\x01", 2);
    for (size_t at = 0; at < rows->length;) {
        size_t left = rows->length - at, count = left < STORED_MAX ? left : STORED_MAX;
        const unsigned char head[] = {count == left, (unsigned char)count, (unsigned char)(count >> 8),
                                      (unsigned char)~count, (unsigned char)(~count >> 8)};
        text_add_bytes(out, (const char *)head, sizeof head);
        text_add_bytes(out, rows->bytes + at, count);
        at += count;
    }
    add_u32(out, (uint32_t)adler32(adler32(0, NULL, 0), (const unsigned char *)rows->bytes, (uInt)rows->length));
}

void png_write(struct text *out, const unsigned char *pixels, uint32_t height, uint32_t width, int channels)
{
    struct text head, rows, data, end;
    const char kind[] = {BIT_DEPTH, channels == 3 ? COLOUR_RGB : COLOUR_GREY, 0, 0, 0};
    size_t row = (size_t)width * (size_t)channels;
    assert(height > 0 && width > 0 && (channels == 1 || channels == 3));
    text_init(&head, out->ctx);
    text_init(&rows, out->ctx);
    text_init(&data, out->ctx);
    text_init(&end, out->ctx);
    add_u32(&head, width);
    add_u32(&head, height);
    text_add_bytes(&head, kind, sizeof kind);
    for (uint32_t y = 0; y < height; y++) {
        text_add_bytes(&rows, "", 1); /* no filter: the zero that ends the empty text */
        text_add_bytes(&rows, (const char *)pixels + y * row, row);
    }
    if (!rows.failed)
        add_stored(&data, &rows);
    if (head.failed || rows.failed || data.failed) {
        out->failed = true;
    } else {
        text_add_bytes(out, "\x89PNG\r\n\x1a\n", 8);
        add_chunk(out, "IHDR", &head);
        add_chunk(out, "IDAT", &data);
        add_chunk(out, "IEND", &end);
    }
    text_free(&head);
    text_free(&rows);
    text_free(&data);
    text_free(&end);
}
