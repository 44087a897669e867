/* idx_files.c: small IDX files for tests. */
#include "support/idx_files.h"

#include "support/expect.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t put_word(unsigned char *out, size_t at, unsigned word)
{
    for (int i = 0; i < 4; i++)
        out[at + (size_t)i] = (unsigned char)(word >> (24 - 8 * i));
    return at + 4;
}

uint8_t idx_byte(unsigned seed, int64_t i)
{
    uint32_t mixed = ((uint32_t)i + 1) * 2654435761u ^ seed * 40503u;
    return (uint8_t)((mixed ^ mixed >> 15) >> 7);
}

void idx_images_put(const char *path, int n, int height, int width, int channels, unsigned seed)
{
    size_t numbers = (size_t)n * (size_t)height * (size_t)width * (channels > 0 ? (size_t)channels : 1);
    unsigned char *bytes = malloc(20 + numbers);
    assert_non_null(bytes);
    size_t at = put_word(bytes, 0, channels > 0 ? 0x804 : 0x803);
    at = put_word(bytes, at, (unsigned)n);
    at = put_word(bytes, at, (unsigned)height);
    at = put_word(bytes, at, (unsigned)width);
    if (channels > 0)
        at = put_word(bytes, at, (unsigned)channels);
    for (size_t i = 0; i < numbers; i++)
        bytes[at + i] = idx_byte(seed, (int64_t)i);
    test_file_put(path, bytes, at + numbers);
    free(bytes);
}

void idx_labels_put(const char *path, int n, int classes)
{
    unsigned char *bytes = malloc(8 + (size_t)n);
    assert_non_null(bytes);
    size_t at = put_word(bytes, put_word(bytes, 0, 0x801), (unsigned)n);
    for (int i = 0; i < n; i++)
        bytes[at + (size_t)i] = (unsigned char)(i % classes);
    test_file_put(path, bytes, at + (size_t)n);
    free(bytes);
}
