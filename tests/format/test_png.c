/* test_png.c: what is written is a PNG that unpacks to the pixels; every allocation may fail. */
#include "format/png.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static uint32_t u32_at(const struct text *file, size_t at)
{
    const unsigned char *b = (const unsigned char *)file->bytes + at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* chunk_expect: the chunk at `at` has this type and a right checksum; returns its length. */
static uint32_t chunk_expect(const struct text *file, size_t at, const char *type)
{
    uint32_t length = u32_at(file, at);
    assert_true(at + length + 12 <= file->length);
    assert_memory_equal(file->bytes + at + 4, type, 4);
    assert_int_equal(u32_at(file, at + 8 + length), crc32(0, (const unsigned char *)file->bytes + at + 4, length + 4));
    return length;
}

static void round_trip(uint32_t height, uint32_t width, int channels)
{
    struct context ctx;
    struct text file;
    size_t row = (size_t)width * (size_t)channels, count = height * row;
    unsigned char *pixels = malloc(count), *rows = malloc(count + height);
    uLongf unpacked = count + height;
    counted_context(&ctx);
    text_init(&file, &ctx);
    for (size_t i = 0; i < count; i++)
        pixels[i] = (unsigned char)(i * 7 + i / 251);
    png_write(&file, pixels, height, width, channels);
    assert_false(file.failed);
    assert_memory_equal(file.bytes, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(chunk_expect(&file, 8, "IHDR"), 13);
    assert_int_equal(u32_at(&file, 16), width);
    assert_int_equal(u32_at(&file, 20), height);
    assert_int_equal(file.bytes[24], 8);
    assert_int_equal(file.bytes[25], channels == 3 ? 2 : 0);
    uint32_t length = chunk_expect(&file, 33, "IDAT");
    assert_int_equal(uncompress(rows, &unpacked, (const unsigned char *)file.bytes + 41, length), Z_OK);
    assert_int_equal(unpacked, count + height);
    for (uint32_t y = 0; y < height; y++) {
        assert_int_equal(rows[y * (row + 1)], 0);
        assert_memory_equal(rows + y * (row + 1) + 1, pixels + y * row, row);
    }
    assert_int_equal(chunk_expect(&file, 45 + length, "IEND"), 0);
    assert_int_equal(file.length, 45 + length + 12);
    text_free(&file);
    assert_int_equal(counted_blocks(), 0);
    free(pixels);
    free(rows);
}

static void images_round_trip(void **state)
{
    (void)state;
    round_trip(1, 1, 1);
    round_trip(28, 28, 1);
    round_trip(3, 17, 3);
    round_trip(200, 150, 3); /* more than one block */
}

static enum status write_one(struct context *ctx, void *user)
{
    const unsigned char pixels[12] = {0};
    struct text file;
    (void)user;
    text_init(&file, ctx);
    png_write(&file, pixels, 2, 2, 3);
    enum status status = file.failed ? ctx->error.status : STATUS_OK;
    text_free(&file);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(write_one, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_round_trip),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
