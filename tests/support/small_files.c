/* small_files.c: see small_files.h. */
#include "support/small_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void file_put(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void text_put(const char *path, const char *text)
{
    file_put(path, text, strlen(text));
}

void small_files_put(void)
{
    enum { N = SMALL_SAMPLES, S = SMALL_SIDE };
    unsigned char images[16 + N * S * S] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, S, 0, 0, 0, S};
    unsigned char labels[8 + N] = {0, 0, 8, 1, 0, 0, 0, N};
    for (int i = 0; i < N; i++) {
        labels[8 + i] = (unsigned char)(i % SMALL_CLASSES);
        for (int j = 0; j < S * S; j++)
            images[16 + i * S * S + j] = (unsigned char)((i * 37 + j * 11) % 100 + (j % 3 == i % 3 ? 150 : 0));
    }
    file_put("images", images, sizeof images);
    file_put("labels", labels, sizeof labels);
}

void npy_put(const char *path, int integers, const char *shape, const double *values, size_t count)
{
    char head[128];
    unsigned char *bytes = malloc(128 + count * 8);
    assert_non_null(bytes);
    /* Magic, version 1.0, the length of what follows up to byte 128, then a Python literal padded with blanks. */
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", integers ? "<i8" : "<f8",
             shape);
    memset(bytes + 10, ' ', 117);
    memcpy(bytes + 10, head, strlen(head));
    bytes[127] = '\n';
    for (size_t i = 0; i < count; i++) {
        int64_t integer = (int64_t)values[i];
        memcpy(bytes + 128 + 8 * i, integers ? (const void *)&integer : (const void *)&values[i], 8);
    }
    file_put(path, bytes, 128 + count * 8);
    free(bytes);
}

void npy_get(const char *path, double *values, size_t count)
{
    unsigned char head[10];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    assert_int_equal(fseek(file, 10 + head[8] + 256 * head[9], SEEK_SET), 0);
    assert_int_equal(fread(values, sizeof *values, count, file), count);
    fclose(file);
}
