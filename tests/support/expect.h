/* expect.h: a failure with its message, and the files that tests read and write. */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include "base/context.h"

/* expect_failure: the call failed with `expected`, and its message holds each of the texts (the last argument is NULL).
 * Clears the context's error; a finding fails the cmocka test. */
void expect_failure(struct context *ctx, enum status found, enum status expected, ...);

/* test_file_put: writes bytes to a path, replacing what is there. */
void test_file_put(const char *path, const void *bytes, size_t count);
/* test_source: a path below tests/ of the source ($RETORT_SOURCE, else the working directory) into out; returns out. */
enum { TEST_PATH_SIZE = 4096 };
const char *test_source(const char *below, char out[TEST_PATH_SIZE]);

#endif
