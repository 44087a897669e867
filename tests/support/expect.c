/* expect.c: a failure with its message, and the files that tests read and write. */
#include "support/expect.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void expect_failure(struct context *ctx, enum status found, enum status expected, ...)
{
    if (found != expected || ctx->error.status != expected)
        fail_msg("expected \"%s\", found \"%s\", recorded \"%s\": %s", status_text(expected), status_text(found),
                 status_text(ctx->error.status), ctx->error.message);
    va_list texts;
    va_start(texts, expected);
    for (const char *text = va_arg(texts, const char *); text != NULL; text = va_arg(texts, const char *))
        if (strstr(ctx->error.message, text) == NULL)
            fail_msg("expected a message with \"%s\", found \"%s\"", text, ctx->error.message);
    va_end(texts);
    error_clear(ctx);
}

void test_file_put(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

const char *test_source(const char *below, char out[TEST_PATH_SIZE])
{
    const char *source = getenv("RETORT_SOURCE");
    int length = snprintf(out, TEST_PATH_SIZE, "%s/tests/%s", source != NULL ? source : ".", below);
    assert_true(length > 0 && length < TEST_PATH_SIZE);
    return out;
}
