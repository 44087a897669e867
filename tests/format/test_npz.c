/* test_npz.c: arrays that NumPy wrote are read whole and by rows, ours come back, and everything else is refused by name. */
#include "base/file.h"
#include "format/npz.h"
#include "format/zip.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const fixtures[] = {"several", "packed", "zip64"};
enum { FIXTURES = sizeof fixtures / sizeof fixtures[0] };

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

static const char *fixture(const char *name, char out[TEST_PATH_SIZE])
{
    char below[128];
    snprintf(below, sizeof below, "format/fixtures/%s.npz", name);
    return test_source(below, out);
}

/* fixture_bytes: the caller's (memory_free). */
static unsigned char *fixture_bytes(struct context *ctx, const char *name, size_t *count)
{
    char path[TEST_PATH_SIZE];
    unsigned char *bytes = NULL;
    assert_int_equal(file_read(ctx, fixture(name, path), 0, &bytes, count), STATUS_OK);
    return bytes;
}

static void assert_shape(const struct shape *shape, const char *expected)
{
    char text[SHAPE_TEXT_SIZE];
    assert_string_equal(shape_text(shape, text), expected);
}

/* Each array of the fixtures: element i of a number is i / 4 - 1. */
static const struct {
    const char *name, *shape;
    enum element element;
} arrays[] = {{"logits", "[5,3]", ELEMENT_F32},   {"crc32", "[3]", ELEMENT_U32}, {"a/../b", "[4]", ELEMENT_I64},
              {"turned", "[3,4,2]", ELEMENT_F32}, {"scalar", "[]", ELEMENT_F64}, {"none", "[0,3]", ELEMENT_F32},
              {"long", "[60000]", ELEMENT_I32}};
enum { ARRAYS = sizeof arrays / sizeof arrays[0] };

static void check_numbers(const struct npy *npy)
{
    const int64_t count = shape_elements(&npy->shape);
    if (npy->element == ELEMENT_F32)
        for (int64_t i = 0; i < count; i++)
            assert_true(((float *)npy->data)[i] == (float)i / 4 - 1);
    else if (npy->element == ELEMENT_I64)
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(((int64_t *)npy->data)[i], i);
    else if (npy->element == ELEMENT_I32)
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(((int32_t *)npy->data)[i], i % 251);
    else if (npy->element == ELEMENT_U32)
        assert_memory_equal(npy->data, ((const uint32_t[]){0, 1, UINT32_MAX}), 12);
    else
        assert_true(((double *)npy->data)[0] == 0.1);
}

static void test_reads_what_numpy_wrote(void **state)
{
    (void)state;
    struct context ctx = quiet();
    char path[TEST_PATH_SIZE];
    for (int k = 0; k < FIXTURES; k++) {
        struct npz *npz = NULL;
        struct tensor_spec spec;
        struct npy npy;
        assert_int_equal(npz_open(&ctx, fixture(fixtures[k], path), &npz), STATUS_OK);
        assert_int_equal(npz_count(npz), k == 1 ? 8 : 7);
        for (int i = 0; i < (k == 1 ? ARRAYS : ARRAYS - 1); i++) {
            const int at = npz_find(npz, arrays[i].name);
            assert_true(at >= 0);
            assert_string_equal(npz_name(npz, at), arrays[i].name);
            assert_non_null(strstr(npz_label(npz, at), fixtures[k]));
            assert_int_equal(npz_describe(npz, at, &spec), STATUS_OK);
            assert_int_equal(spec.element, arrays[i].element);
            assert_shape(&spec.shape, arrays[i].shape);
            assert_int_equal(npz_read(npz, at, &npy), STATUS_OK);
            assert_true(npy.element == spec.element && shape_equal(&npy.shape, &spec.shape));
            check_numbers(&npy);
            npy_free(&ctx, &npy);
        }
        assert_int_equal(npz_find(npz, "logits.npy"), -1);
        const int text = npz_find(npz, "text");
        expect_failure(&ctx, npz_describe(npz, text, &spec), STATUS_UNSUPPORTED, fixtures[k], ".npz: text: ", "'<U2'",
                       NULL);
        expect_failure(&ctx, npz_read(npz, text, &npy), STATUS_UNSUPPORTED, "'<U2'", NULL);
        npz_free(npz);
    }
    npz_free(NULL);
}

/* Every start and every length of a piece, stored, packed and turned. */
static void test_rows_of_an_array(void **state)
{
    (void)state;
    struct context ctx = quiet();
    char path[TEST_PATH_SIZE];
    for (int k = 0; k < FIXTURES; k++) {
        struct npz *npz = NULL;
        assert_int_equal(npz_open(&ctx, fixture(fixtures[k], path), &npz), STATUS_OK);
        for (int which = 0; which < 2; which++) {
            const int at = npz_find(npz, which == 0 ? "logits" : "turned"), total = which == 0 ? 5 : 3;
            const int row = which == 0 ? 3 : 8;
            for (int first = 0; first <= total; first++)
                for (int piece = 1; piece <= total; piece++) {
                    struct npz_rows *rows = NULL;
                    float values[40];
                    assert_int_equal(npz_rows_new(npz, at, first, &rows), STATUS_OK);
                    for (int r = first; r < total; r += piece) {
                        const int count = total - r < piece ? total - r : piece;
                        assert_int_equal(npz_rows_next(rows, values, count), STATUS_OK);
                        for (int i = 0; i < count * row; i++)
                            assert_true(values[i] == (float)(r * row + i) / 4 - 1);
                    }
                    npz_rows_free(rows);
                }
        }
        struct npz_rows *rows = NULL, *other = NULL;
        expect_failure(&ctx, npz_rows_new(npz, npz_find(npz, "scalar"), 0, &rows), STATUS_BAD_SHAPE, "scalar",
                       "expected rows, found []", NULL);
        /* two at a time */
        float a[3], b[3];
        assert_int_equal(npz_rows_new(npz, npz_find(npz, "logits"), 0, &rows), STATUS_OK);
        assert_int_equal(npz_rows_new(npz, npz_find(npz, "logits"), 3, &other), STATUS_OK);
        assert_int_equal(npz_rows_next(rows, a, 1), STATUS_OK);
        assert_int_equal(npz_rows_next(other, b, 1), STATUS_OK);
        assert_int_equal(npz_rows_next(rows, a, 1), STATUS_OK);
        assert_true(a[0] == 3.0F / 4 - 1 && b[0] == 9.0F / 4 - 1);
        npz_rows_free(rows);
        npz_rows_free(other);
        npz_rows_free(NULL);
        npz_free(npz);
    }
}

/* read_all: every array that can be read has the numbers of the fixture. */
static void read_all(struct context *ctx, struct npz *npz)
{
    for (int i = 0; i < ARRAYS; i++) {
        struct npy npy;
        const int at = npz_find(npz, arrays[i].name);
        if (at < 0)
            continue;
        if (npz_read(npz, at, &npy) == STATUS_OK) {
            assert_shape(&npy.shape, arrays[i].shape);
            check_numbers(&npy);
        } else {
            assert_null(npy.data);
            assert_true(ctx->error.message[0] != '\0');
        }
        npy_free(ctx, &npy);
        error_clear(ctx);
    }
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    struct context ctx = quiet();
    for (int k = 0; k < FIXTURES; k++) {
        size_t count = 0;
        unsigned char *bytes = fixture_bytes(&ctx, fixtures[k], &count);
        for (size_t cut = 0; cut < count; cut++) {
            struct npz *npz = NULL;
            unsigned char *exact = malloc(cut + 1); /* so that a sanitizer sees a look behind the end */
            memcpy(exact, bytes, cut);
            exact = realloc(exact, cut > 0 ? cut : 1);
            expect_failure(&ctx, npz_parse(&ctx, "a.npz", exact, cut, &npz), STATUS_BAD_INPUT, "a.npz: ", NULL);
            assert_null(npz);
            free(exact);
        }
        memory_free(&ctx, bytes);
    }
}

static void test_every_damage_is_refused_or_harmless(void **state)
{
    (void)state;
    struct context ctx = quiet();
    for (int k = 0; k < FIXTURES; k++) {
        size_t count = 0, refused = 0;
        unsigned char *bytes = fixture_bytes(&ctx, fixtures[k], &count);
        for (size_t at = 0; at < count; at++) {
            static const unsigned char changes[] = {0x01, 0x55, 0xff};
            for (size_t c = 0; c < sizeof changes; c++) {
                struct npz *npz = NULL;
                bytes[at] ^= changes[c];
                if (npz_parse(&ctx, "a.npz", bytes, count, &npz) == STATUS_OK)
                    read_all(&ctx, npz);
                refused += npz == NULL;
                error_clear(&ctx);
                npz_free(npz);
                bytes[at] ^= changes[c];
            }
        }
        assert_true(refused > 100);
        memory_free(&ctx, bytes);
    }
}

/* find: where the n-th occurrence of a signature begins. */
static size_t find(const unsigned char *bytes, size_t count, const char *signature, int n)
{
    for (size_t i = 0; i + 4 <= count; i++)
        if (memcmp(bytes + i, signature, 4) == 0 && n-- == 0)
            return i;
    fail_msg("no signature %d", n);
    return 0;
}

/* The first member of several.npz with one number of its directory's entry changed. */
static void test_a_directory_that_lies(void **state)
{
    (void)state;
    enum { FLAGS = 8, METHOD = 10, CRC = 16, PACKED = 20, SIZE = 24, NAME = 28, EXTRA = 30, OFFSET = 42, FIRST = 46 };
    static const struct {
        const char *fixture;
        int place, width;
        uint32_t value;
        enum status status;
        const char *message;
    } cases[] = {
        {"several", CRC, 4, 12345, STATUS_BAD_INPUT, "a.npz: logits: damaged: the CRC-32"},
        {"packed", CRC, 4, 12345, STATUS_BAD_INPUT, "a.npz: logits: damaged: the CRC-32"},
        {"several", SIZE, 4, 100, STATUS_BAD_INPUT, "100 bytes cannot be 188"},
        {"several", PACKED, 4, 100, STATUS_BAD_INPUT, "188 bytes cannot be 100"},
        {"packed", SIZE, 4, 0x7fffffff, STATUS_BAD_INPUT, "bytes cannot be"},
        {"several", PACKED, 4, 0x7fffffff, STATUS_BAD_INPUT, "outside of the file"},
        {"several", OFFSET, 4, 0x7fffffff, STATUS_BAD_INPUT, "outside of the file"},
        {"several", OFFSET, 4, 1, STATUS_BAD_INPUT, "no local header where"},
        {"several", METHOD, 2, 14, STATUS_UNSUPPORTED, "packed with method 14"},
        {"several", METHOD, 2, 8, STATUS_BAD_INPUT, "its local header differs"},
        {"several", FLAGS, 2, 1, STATUS_UNSUPPORTED, "is encrypted"},
        {"several", NAME, 2, 0, STATUS_BAD_INPUT, "a member's name has 0 bytes"},
        {"several", NAME, 2, 300, STATUS_BAD_INPUT, "a member's name has 300 bytes"},
        {"several", NAME, 2, 0xffff, STATUS_BAD_INPUT, "goes beyond its directory"},
        {"several", NAME, 2, 9, STATUS_BAD_INPUT, "something else than members"},
        {"several", FIRST, 1, 'x', STATUS_BAD_INPUT, "its local header differs"},
        {"several", FIRST, 1, '\n', STATUS_BAD_INPUT, "a control character"},
        {"several", SIZE, 4, 0xffffffff, STATUS_BAD_INPUT, "zip64 field is too short"},
        {"zip64", EXTRA + FIRST - 30 + 10 + 2, 2, 4, STATUS_BAD_INPUT, "zip64 field is too short"},
        {"zip64", EXTRA + FIRST - 30 + 10 + 2, 2, 400, STATUS_BAD_INPUT, "zip64 field is too long"},
    };
    struct context ctx = quiet();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = 0;
        struct npz *npz = NULL;
        struct npy npy = {0};
        unsigned char *bytes = fixture_bytes(&ctx, cases[i].fixture, &count);
        /* packed.npz has another member first. */
        const size_t entry = find(bytes, count, "PK\1\2", strcmp(cases[i].fixture, "packed") == 0);
        for (int b = 0; b < cases[i].width; b++)
            bytes[entry + (size_t)(cases[i].place + b)] = (unsigned char)(cases[i].value >> 8 * b);
        enum status status = npz_parse(&ctx, "a.npz", bytes, count, &npz);
        if (status == STATUS_OK) {
            int at = npz_find(npz, "logits");
            status = npz_read(npz, at >= 0 ? at : npz_find(npz, "xogits"), &npy);
        }
        expect_failure(&ctx, status, cases[i].status, "a.npz: ", cases[i].message, NULL);
        npy_free(&ctx, &npy);
        npz_free(npz);
        memory_free(&ctx, bytes);
    }
}

static void test_an_end_that_lies(void **state)
{
    (void)state;
    static const struct {
        const char *fixture, *signature;
        int place, width;
        uint32_t value;
        const char *message;
    } cases[] = {
        {"several", "PK\5\6", 10, 2, 6, "more members than its end record says"},
        {"several", "PK\5\6", 10, 2, 60, "too short for its members"},
        {"several", "PK\5\6", 10, 2, 8, "something else than members"},
        {"several", "PK\5\6", 12, 4, 1, "does not end where the end record begins"},
        {"several", "PK\5\6", 16, 4, 0xfffffff0, "does not end where the end record begins"},
        {"several", "PK\5\6", 20, 2, 1, "cut short: an NPZ file's directory is missing"},
        {"zip64", "PK\6\7", 8, 4, 0xfffffff0, "zip64 end record lies outside of it"},
        {"zip64", "PK\6\7", 8, 4, 0, "zip64 end record is not where it should be"},
        {"zip64", "PK\6\6", 48, 4, 0xfffffff0, "does not end where the end record begins"},
    };
    struct context ctx = quiet();
    struct npz *npz = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char *bytes = fixture_bytes(&ctx, cases[i].fixture, &count);
        const size_t at = find(bytes, count, cases[i].signature, 0);
        for (int b = 0; b < cases[i].width; b++)
            bytes[at + (size_t)(cases[i].place + b)] = (unsigned char)(cases[i].value >> 8 * b);
        expect_failure(&ctx, npz_parse(&ctx, "a.npz", bytes, count, &npz), STATUS_BAD_INPUT,
                       "a.npz: ", cases[i].message, NULL);
        memory_free(&ctx, bytes);
    }
    unsigned char none[40] = "this is no ZIP file at all, but is long";
    expect_failure(&ctx, npz_parse(&ctx, "a.npz", none, sizeof none, &npz), STATUS_BAD_INPUT, "not an NPZ file", NULL);
    expect_failure(&ctx, npz_parse(&ctx, "a.npz", none, 0, &npz), STATUS_BAD_INPUT, "found an empty file", NULL);
    expect_failure(&ctx, npz_open(&ctx, "nowhere.npz", &npz), STATUS_IO, "nowhere.npz", "No such file", NULL);
    expect_failure(&ctx, npz_open(&ctx, ".", &npz), STATUS_IO, "expected a regular file", NULL);
    /* a comment behind the end, as zip tools may write it */
    unsigned char *bytes = fixture_bytes(&ctx, "several", &count);
    unsigned char *longer = malloc(count + 5);
    memcpy(longer, bytes, count);
    memcpy(longer + count, "hello", 5);
    longer[count - 2] = 5;
    assert_int_equal(npz_parse(&ctx, "a.npz", longer, count + 5, &npz), STATUS_OK);
    assert_int_equal(npz_count(npz), 7);
    npz_free(npz);
    free(longer);
    memory_free(&ctx, bytes);
}

/* zip_put: stored members of these bytes, whatever they are. */
static void zip_put(struct context *ctx, const char *path, int count, const char *const *names,
                    const unsigned char *const *bytes, const size_t *sizes)
{
    struct zip_writer *writer = zip_writer_new(ctx, path, ZIP_LIMIT);
    assert_non_null(writer);
    for (int i = 0; i < count; i++) {
        assert_int_equal(zip_writer_begin(writer, names[i], sizes[i]), STATUS_OK);
        assert_int_equal(zip_writer_put(writer, bytes[i], sizes[i]), STATUS_OK);
        assert_int_equal(zip_writer_end(writer), STATUS_OK);
    }
    assert_int_equal(zip_writer_finish(writer), STATUS_OK);
}

static void test_members_that_are_no_arrays(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct npz *npz = NULL;
    struct npy npy;
    struct tensor_spec spec;
    char path[TEST_PATH_SIZE];
    unsigned char *array = NULL;
    size_t count = 0;
    assert_int_equal(file_read(&ctx, test_source("format/fixtures/f32_3x4.npy", path), 0, &array, &count), STATUS_OK);
    const char *twice[] = {"a.npy", "b.npy", "a.npy"};
    const unsigned char *bytes[] = {array, array, array};
    const size_t sizes[] = {count, count, count};
    zip_put(&ctx, "twice.npz", 3, twice, bytes, sizes);
    expect_failure(&ctx, npz_open(&ctx, "twice.npz", &npz), STATUS_BAD_INPUT, "twice.npz: a.npy is there twice", NULL);

    const char *odd[] = {"note.txt", "../../etc/b.npy", ".npy", "folder/"};
    const unsigned char *odd_bytes[] = {array, array, array, array};
    const size_t odd_sizes[] = {5, count, count, 0};
    zip_put(&ctx, "odd.npz", 4, odd, odd_bytes, odd_sizes);
    assert_int_equal(npz_open(&ctx, "odd.npz", &npz), STATUS_OK);
    assert_int_equal(npz_count(npz), 2); /* a name is a name, not a path; what is no array is left out */
    assert_string_equal(npz_name(npz, 0), "../../etc/b");
    assert_string_equal(npz_name(npz, 1), "");
    assert_int_equal(npz_read(npz, 0, &npy), STATUS_OK);
    npy_free(&ctx, &npy);
    npz_free(npz);

    const char *broken[] = {"cut.npy", "short.npy", "none.npy", "text.npy", "long.npy"};
    unsigned char *long_array = malloc(count + 4);
    memcpy(long_array, array, count);
    memset(long_array + count, 0, 4);
    const unsigned char *broken_bytes[] = {array, array, array, (const unsigned char *)"no array at all", long_array};
    const size_t broken_sizes[] = {count - 4, 60, 0, 15, count + 4};
    static const char *const messages[] = {"cut short: f32[3,4] needs 48 bytes behind the header, found 44",
                                           "cut short: the header alone needs 128 bytes, the file has 60",
                                           "an empty file", "not an NPY file", "bytes behind its end"};
    zip_put(&ctx, "broken.npz", 5, broken, broken_bytes, broken_sizes);
    assert_int_equal(npz_open(&ctx, "broken.npz", &npz), STATUS_OK);
    for (int i = 0; i < 5; i++) {
        struct npz_rows *rows = NULL;
        expect_failure(&ctx, npz_read(npz, i, &npy), STATUS_BAD_INPUT, npz_label(npz, i), messages[i], NULL);
        expect_failure(&ctx, npz_rows_new(npz, i, 0, &rows), STATUS_BAD_INPUT, messages[i], NULL);
        assert_null(rows);
    }
    assert_int_equal(npz_describe(npz, 0, &spec), STATUS_OK); /* the header alone is sound */
    npz_free(npz);
    free(long_array);
    memory_free(&ctx, array);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64, ELEMENT_I64,
                                            ELEMENT_I32, ELEMENT_U32, ELEMENT_U8};
    struct context ctx = quiet();
    struct npz *npz = NULL;
    struct npy npy;
    char name[16];
    unsigned char numbers[5 * 3 * 8];
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (unsigned char)(7 * i + 1);
    struct npz_writer *writer = npz_writer_new(&ctx, "back.npz");
    assert_non_null(writer);
    const struct shape shape = SHAPE(5, 3), none = SHAPE(0, 3);
    for (int e = 0; e < 6; e++) {
        snprintf(name, sizeof name, "of %s", element_text(elements[e]));
        assert_int_equal(npz_writer_array(writer, name, elements[e], &shape), STATUS_OK);
        for (int row = 0; row < 5; row += 2)
            assert_int_equal(
                npz_writer_rows(writer, numbers + (size_t)row * 3 * element_size(elements[e]), row == 4 ? 1 : 2),
                STATUS_OK);
    }
    assert_int_equal(npz_writer_array(writer, "none", ELEMENT_F32, &none), STATUS_OK);
    assert_int_equal(npz_writer_finish(writer), STATUS_OK);
    assert_int_equal(npz_open(&ctx, "back.npz", &npz), STATUS_OK);
    assert_int_equal(npz_count(npz), 7);
    for (int e = 0; e < 6; e++) {
        assert_int_equal(npz_read(npz, e, &npy), STATUS_OK);
        assert_int_equal(npy.element, elements[e]);
        assert_true(shape_equal(&npy.shape, &shape));
        assert_memory_equal(npy.data, numbers, 15 * element_size(elements[e]));
        npy_free(&ctx, &npy);
    }
    npz_free(npz);
}

static void test_what_is_not_written(void **state)
{
    (void)state;
    struct context ctx = quiet();
    const struct shape shape = SHAPE(5, 3);
    const float rows[15] = {0};
    struct npz_writer *writer = npz_writer_new(&ctx, "short.npz");
    assert_int_equal(npz_writer_array(writer, "a", ELEMENT_F32, &shape), STATUS_OK);
    assert_int_equal(npz_writer_rows(writer, rows, 4), STATUS_OK);
    expect_failure(&ctx, npz_writer_array(writer, "b", ELEMENT_F32, &shape), STATUS_BAD_SHAPE,
                   "short.npz: a: expected 5 rows, got 4", NULL);
    expect_failure(&ctx, npz_writer_finish(writer), STATUS_BAD_SHAPE, "short.npz: a: expected 5 rows, got 4", NULL);
    writer = npz_writer_new(&ctx, "short.npz");
    npz_writer_discard(writer);
    npz_writer_discard(NULL);
    assert_false(file_exists("short.npz"));
    assert_null(npz_writer_new(&ctx, "no/folder.npz"));
    expect_failure(&ctx, ctx.error.status, STATUS_IO, "no/folder.npz", NULL);
    writer = npz_writer_new(&ctx, "/dev/full");
    assert_int_equal(npz_writer_array(writer, "a", ELEMENT_F32, &shape), STATUS_OK);
    assert_int_equal(npz_writer_rows(writer, rows, 5), STATUS_OK);
    expect_failure(&ctx, npz_writer_finish(writer), STATUS_IO, "cannot write /dev/full", "No space", NULL);
}

/* What is written over 4 GiB, with the limit at 100 bytes instead, and more members than the end record can count. */
static void test_zip64_is_written(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct zip zip;
    enum { MANY = 0x10002 };
    struct zip_writer *writer = zip_writer_new(&ctx, "many.zip", 100);
    unsigned char bytes[150];
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zip_writer_begin(writer, name, i == 7 ? 150 : 3), STATUS_OK);
        assert_int_equal(zip_writer_put(writer, bytes, i == 7 ? 150 : 3), STATUS_OK);
        assert_int_equal(zip_writer_end(writer), STATUS_OK);
    }
    assert_int_equal(zip_writer_finish(writer), STATUS_OK);
    if (zip_open(&ctx, "many.zip", &zip) != STATUS_OK)
        fail_msg("%s", ctx.error.message);
    assert_int_equal(zip.count, MANY);
    for (int i = 0; i < MANY; i += i < 10 ? 1 : 997) {
        struct zip_stream *stream = NULL;
        unsigned char read[150];
        const size_t size = i == 7 ? 150 : 3;
        assert_int_equal(zip.members[i].size, size);
        assert_int_equal(zip_stream_new(&zip, &zip.members[i], "member", &stream), STATUS_OK);
        assert_int_equal(zip_stream_read(stream, read, size), STATUS_OK);
        assert_memory_equal(read, bytes, size);
        expect_failure(&ctx, zip_stream_read(stream, read, 1), STATUS_BAD_INPUT, "member: cut short", NULL);
        expect_failure(&ctx, zip_stream_skip(stream, 1), STATUS_BAD_INPUT, "member: cut short", NULL);
        zip_stream_free(stream);
    }
    zip_free(&zip);
}

static void put_at(int descriptor, uint64_t at, const void *bytes, size_t count)
{
    assert_int_equal(pwrite(descriptor, bytes, count, (off_t)at), count);
}

/* An array of 2^33 bytes and more elements than fit into memory's limit: a hole of the file, with one row at its end. */
static void test_rows_beyond_four_gigabytes(void **state)
{
    (void)state;
    struct context ctx = quiet();
    const char *name = "big.npy", *text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1073741824, 4)}";
    const uint64_t numbers = (uint64_t)1 << 34, size = numbers + 128, start = 30 + 7, directory = start + size;
    unsigned char local[30 + 7] = "PK\3\4", head[128] = "\x93NUMPY\1\0\x76", entry[46 + 7 + 20] = "PK\1\2";
    unsigned char end64[56] = "PK\6\6", locator[20] = "PK\6\7", end[22] = "PK\5\6";
    const float row[4] = {1, 2, 3, 4};
    local[26] = 7;
    memcpy(local + 30, name, 7);
    memset(head + 10, ' ', 118);
    memcpy(head + 10, text, strlen(text));
    memset(entry + 20, 0xff, 8);
    entry[28] = 7;
    entry[30] = 20;
    memcpy(entry + 46, name, 7);
    entry[53] = 1;
    entry[55] = 16;
    const uint64_t one = 1, length = sizeof entry, end_at = directory + sizeof entry;
    memcpy(entry + 57, &size, 8);
    memcpy(entry + 65, &size, 8);
    memcpy(end64 + 24, &one, 8);
    memcpy(end64 + 32, &one, 8);
    memcpy(end64 + 40, &length, 8);
    memcpy(end64 + 48, &directory, 8);
    memcpy(locator + 8, &end_at, 8);
    int descriptor = open("big.npz", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(descriptor >= 0);
    put_at(descriptor, 0, local, sizeof local);
    put_at(descriptor, start, head, sizeof head);
    put_at(descriptor, directory - sizeof row, row, sizeof row);
    put_at(descriptor, directory, entry, sizeof entry);
    put_at(descriptor, end_at, end64, sizeof end64);
    put_at(descriptor, end_at + 56, locator, sizeof locator);
    put_at(descriptor, end_at + 76, end, sizeof end);
    close(descriptor);

    struct npz *npz = NULL;
    struct npz_rows *rows = NULL;
    struct tensor_spec spec;
    struct npy npy;
    float values[8];
    assert_int_equal(npz_open(&ctx, "big.npz", &npz), STATUS_OK);
    assert_int_equal(npz_describe(npz, 0, &spec), STATUS_OK);
    assert_shape(&spec.shape, "[1073741824,4]");
    assert_int_equal(npz_rows_new(npz, 0, 1073741822, &rows), STATUS_OK);
    assert_int_equal(npz_rows_next(rows, values, 2), STATUS_OK);
    assert_true(values[3] == 0 && values[4] == 1 && values[7] == 4);
    npz_rows_free(rows);
    expect_failure(&ctx, npz_read(npz, 0, &npy), STATUS_BAD_SHAPE, "big: too large", "[1073741824,4]", NULL);
    npz_free(npz);
    unlink("big.npz");
}

static enum status work(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    char path[TEST_PATH_SIZE];
    const struct shape shape = SHAPE(2, 2);
    const float numbers[] = {1, 2, 3, 4};
    struct npz *npz = NULL;
    struct npz_rows *rows = NULL;
    struct npy npy = {0};
    struct npz_writer *writer = npz_writer_new(ctx, "fault.npz");
    (void)user;
    if (writer == NULL)
        return ctx->error.status;
    TRY(npz_writer_array(writer, "a", ELEMENT_F32, &shape));
    TRY(npz_writer_rows(writer, numbers, 2));
    status = npz_writer_finish(writer);
    writer = NULL;
    if (status != STATUS_OK)
        goto cleanup;
    TRY(npz_open(ctx, fixture("packed", path), &npz));
    TRY(npz_rows_new(npz, npz_find(npz, "turned"), 1, &rows));
    TRY(npz_read(npz, npz_find(npz, "logits"), &npy));
cleanup:
    npy_free(ctx, &npy);
    npz_rows_free(rows);
    npz_free(npz);
    npz_writer_discard(writer);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_numpy_wrote),     cmocka_unit_test(test_rows_of_an_array),
        cmocka_unit_test(test_every_cut_is_refused),       cmocka_unit_test(test_every_damage_is_refused_or_harmless),
        cmocka_unit_test(test_a_directory_that_lies),      cmocka_unit_test(test_an_end_that_lies),
        cmocka_unit_test(test_members_that_are_no_arrays), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_what_is_not_written),        cmocka_unit_test(test_zip64_is_written),
        cmocka_unit_test(test_rows_beyond_four_gigabytes), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
