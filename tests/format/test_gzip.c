/* test_gzip.c: packed files are unpacked; cut and damaged ones are refused. */
#include "format/gzip.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { PLAIN = 300000, ROOM = PLAIN + 4096, LIMIT = 1 << 20 };

struct packed {
    unsigned char plain[PLAIN], bytes[ROOM];
    size_t count;
};

/* pack: `count` bytes as one gzip member; returns its length. */
static size_t pack(const unsigned char *plain, size_t count, unsigned char *out, size_t room)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)plain;
    stream.avail_in = (uInt)count;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t made = stream.total_out;
    deflateEnd(&stream);
    return made;
}

static int setup(void **state)
{
    struct packed *packed = calloc(1, sizeof *packed);
    uint32_t random = 1;
    for (int i = 0; i < PLAIN; i++) {
        random = random * 1664525 + 1013904223;
        packed->plain[i] = i < 1000 ? (unsigned char)(random >> 24) : (unsigned char)(i / 977);
    }
    packed->count = pack(packed->plain, PLAIN, packed->bytes, ROOM);
    *state = packed;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void assert_unpacks(const unsigned char *bytes, size_t count, size_t limit, const unsigned char *plain,
                           size_t expected)
{
    struct context ctx;
    unsigned char *out = NULL;
    size_t made = 0;
    counted_context(&ctx);
    assert_int_equal(gzip_unpack(&ctx, "a.gz", bytes, count, limit, &out, &made), STATUS_OK);
    assert_int_equal(made, expected);
    assert_memory_equal(out, plain, expected);
    assert_int_equal(out[made], 0);
    memory_free(&ctx, out);
    assert_int_equal(counted_blocks(), 0);
}

static void test_unpacks(void **state)
{
    struct packed *p = *state;
    unsigned char two[2 * 64], empty[64];
    const unsigned char hello[] = "hellohello";
    assert_unpacks(p->bytes, p->count, LIMIT, p->plain, PLAIN);
    assert_unpacks(p->bytes, p->count, PLAIN, p->plain, PLAIN); /* just not too many */
    assert_unpacks(empty, pack(hello, 0, empty, sizeof empty), LIMIT, hello, 0);
    size_t count = pack(hello, 5, two, sizeof two);
    count += pack(hello, 5, two + count, sizeof two - count);
    assert_unpacks(two, count, LIMIT, hello, 10);
    /* what the end tells of the size may lie in either direction */
    memset(p->bytes + p->count, 0, 64);
    size_t small = p->count + pack(hello, 5, p->bytes + p->count, 64);
    struct context ctx;
    counted_context(&ctx);
    unsigned char *out = NULL;
    size_t made = 0;
    assert_int_equal(gzip_unpack(&ctx, "a.gz", p->bytes, small, LIMIT, &out, &made), STATUS_OK);
    assert_int_equal(made, PLAIN + 5);
    assert_memory_equal(out + PLAIN, "hello", 5);
    memory_free(&ctx, out);
}

static void test_refusals(void **state)
{
    struct packed *p = *state;
    struct context ctx;
    unsigned char *out = NULL;
    size_t made = 0;
    counted_context(&ctx);
    expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, p->count, PLAIN - 1, &out, &made), STATUS_BAD_INPUT,
                   "a.gz: unpacks to more than 299999 bytes", NULL);
    for (size_t cut = 0; cut < p->count; cut += cut < 40 ? 1 : 97)
        expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, cut, LIMIT, &out, &made), STATUS_BAD_INPUT,
                       "a.gz: the gzip data is cut short", NULL);
    expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, p->count - 1, LIMIT, &out, &made), STATUS_BAD_INPUT,
                   "cut short", NULL);
    p->bytes[p->count] = 'x';
    expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, p->count + 1, LIMIT, &out, &made), STATUS_BAD_INPUT,
                   "a.gz: 1 bytes behind the gzip data", NULL);
    p->bytes[p->count - 6] ^= 1; /* the checksum */
    expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, p->count, LIMIT, &out, &made), STATUS_BAD_INPUT,
                   "a.gz: the gzip data is damaged", "incorrect data check", NULL);
    p->bytes[p->count - 6] ^= 1;
    p->bytes[2] = 7; /* the method */
    expect_failure(&ctx, gzip_unpack(&ctx, "a.gz", p->bytes, p->count, LIMIT, &out, &made), STATUS_BAD_INPUT, "damaged",
                   NULL);
    assert_null(out);
    assert_int_equal(counted_blocks(), 0);
}

static void test_files(void **state)
{
    struct packed *p = *state;
    struct context ctx;
    unsigned char *out = NULL;
    size_t made = 0;
    counted_context(&ctx);
    test_file_put("a.gz", p->bytes, p->count);
    test_file_put("plain", "\x1fyes", 4);
    test_file_put("empty", "", 0);
    assert_int_equal(gzip_read(&ctx, "a.gz", LIMIT, &out, &made), STATUS_OK);
    assert_int_equal(made, PLAIN);
    assert_memory_equal(out, p->plain, PLAIN);
    memory_free(&ctx, out);
    assert_int_equal(gzip_read(&ctx, "plain", LIMIT, &out, &made), STATUS_OK);
    assert_int_equal(made, 4);
    memory_free(&ctx, out);
    assert_int_equal(gzip_read(&ctx, "empty", LIMIT, &out, &made), STATUS_OK);
    assert_int_equal(made, 0);
    memory_free(&ctx, out);
    expect_failure(&ctx, gzip_read(&ctx, "plain", 3, &out, &made), STATUS_BAD_INPUT, "plain", "at most 3", NULL);
    expect_failure(&ctx, gzip_read(&ctx, "none", LIMIT, &out, &made), STATUS_IO, "none", NULL);
    assert_int_equal(counted_blocks(), 0);
}

static enum status work(struct context *ctx, void *user)
{
    const struct packed *p = user;
    unsigned char *out = NULL;
    size_t made = 0;
    RETURN_IF(gzip_unpack(ctx, "a.gz", p->bytes, p->count, LIMIT, &out, &made));
    memory_free(ctx, out);
    RETURN_IF(gzip_read(ctx, "a.gz", LIMIT, &out, &made));
    memory_free(ctx, out);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    struct packed *p = *state;
    unsigned char lie[4] = {1, 0, 0, 0};
    test_file_put("a.gz", p->bytes, p->count);
    /* a second, small member makes the end tell too little, so that the memory has to grow */
    p->count += pack(lie, 4, p->bytes + p->count, 64);
    assert_true(fault_loop(work, p) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unpacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
