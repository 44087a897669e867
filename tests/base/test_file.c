/* test_file.c: files that are either whole or not there, paths, and SHA-256. Writes into the folder it runs in. */
#include "base/file.h"
#include "support/fault_loop.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

/* partials: how many files in the folder are half-written ones. */
static int partials(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += strstr(entry->d_name, ".partial-") != NULL;
    closedir(directory);
    return count;
}

static void assert_holds(const char *path, const char *expected)
{
    struct context ctx = quiet();
    unsigned char *bytes = NULL;
    size_t count = 0;
    assert_int_equal(file_read(&ctx, path, 0, &bytes, &count), STATUS_OK);
    assert_int_equal(count, strlen(expected));
    assert_string_equal((char *)bytes, expected); /* the zero behind the end is there */
    memory_free(&ctx, bytes);
}

static void write_whole(const char *path, const char *text)
{
    struct context ctx = quiet();
    struct file_writer *writer = file_writer_new(&ctx, path);
    assert_non_null(writer);
    assert_int_equal(file_write(writer, text, strlen(text)), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_OK);
}

static void test_write_and_read_back(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct file_writer *writer = file_writer_new(&ctx, "whole.bin");
    assert_non_null(writer);
    assert_false(file_exists("whole.bin"));
    enum { PIECES = 3000, PIECE = 101 };
    for (int i = 0; i < PIECES; i++) {
        unsigned char piece[PIECE];
        memset(piece, i, sizeof piece);
        assert_int_equal(file_write(writer, piece, sizeof piece), STATUS_OK);
    }
    static unsigned char large[200000]; /* more than the buffer */
    memset(large, 7, sizeof large);
    assert_int_equal(file_write(writer, large, sizeof large), STATUS_OK);
    assert_int_equal(file_write(writer, NULL, 0), STATUS_OK);
    assert_int_equal(file_printf(writer, "%1000d", 1), STATUS_OK);
    assert_int_equal(file_printf(writer, "%d\n", 25), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_OK);
    unsigned char *bytes = NULL;
    size_t count = 0;
    assert_int_equal(file_read(&ctx, "whole.bin", 0, &bytes, &count), STATUS_OK);
    assert_int_equal(count, PIECES * PIECE + sizeof large + 1000 + 3);
    for (size_t i = 0; i < PIECES * PIECE; i++)
        assert_int_equal(bytes[i], (unsigned char)(i / PIECE));
    assert_memory_equal(bytes + PIECES * PIECE, large, sizeof large);
    assert_string_equal((char *)bytes + count - 4, "125\n");
    memory_free(&ctx, bytes);
    assert_int_equal(partials("."), 0);
}

static void test_discard_leaves_the_old_file(void **state)
{
    (void)state;
    struct context ctx = quiet();
    write_whole("kept", "old");
    struct file_writer *writer = file_writer_new(&ctx, "kept");
    file_printf(writer, "new");
    file_discard(writer);
    file_discard(NULL);
    assert_holds("kept", "old");
    assert_int_equal(partials("."), 0);
    write_whole("kept", "new");
    assert_holds("kept", "new");
}

/* A limit on the size of files stands for the full disk: writes fail in the middle. */
static void test_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    struct context ctx = quiet();
    write_whole("good", "old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static unsigned char bytes[70000];
    struct file_writer *writer = file_writer_new(&ctx, "good");
    assert_non_null(writer);
    enum status status = STATUS_OK;
    for (int i = 0; i < 10 && status == STATUS_OK; i++)
        status = file_write(writer, bytes, sizeof bytes);
    assert_int_equal(status, STATUS_IO);
    assert_int_equal(file_write(writer, bytes, 1), STATUS_IO);
    assert_int_equal(file_commit(writer), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot write good: File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_holds("good", "old");
    assert_int_equal(partials("."), 0);
}

/* The same, found only when the buffer is flushed by file_commit. */
static void test_full_disk_at_commit(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct file_writer *writer = file_writer_new(&ctx, "late");
    assert_int_equal(file_printf(writer, "more than ten bytes"), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(file_exists("late"));
    assert_int_equal(partials("."), 0);
}

static void test_device_is_written_in_place(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct file_writer *writer = file_writer_new(&ctx, "/dev/null");
    assert_non_null(writer);
    assert_int_equal(file_printf(writer, "x"), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_OK);
    struct stat found;
    assert_int_equal(stat("/dev/null", &found), 0);
    assert_true(S_ISCHR(found.st_mode));
    if (!file_exists("/dev/full"))
        return;
    writer = file_writer_new(&ctx, "/dev/full");
    assert_int_equal(file_printf(writer, "x"), STATUS_OK);
    assert_int_equal(file_commit(writer), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot write /dev/full: No space left on device");
}

static void test_places_that_cannot_be_written(void **state)
{
    (void)state;
    struct context ctx = quiet();
    assert_null(file_writer_new(&ctx, "nowhere/a.txt"));
    assert_int_equal(ctx.error.status, STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot write nowhere/a.txt: No such file or directory");
    error_clear(&ctx);
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_null(file_writer_new(&ctx, "folder"));
    assert_string_equal(ctx.error.message, "cannot write folder: Is a directory");
    error_clear(&ctx);
    write_whole("plain", "x");
    assert_null(file_writer_new(&ctx, "plain/a.txt"));
    assert_string_equal(ctx.error.message, "cannot write plain/a.txt: Not a directory");
    error_clear(&ctx);
    if (geteuid() == 0)
        return; /* root may write everywhere */
    assert_int_equal(mkdir("locked", 0555), 0);
    assert_null(file_writer_new(&ctx, "locked/a.txt"));
    assert_string_equal(ctx.error.message, "cannot write locked/a.txt: Permission denied");
    rmdir("locked");
}

static void test_reading_what_is_not_there(void **state)
{
    (void)state;
    struct context ctx = quiet();
    unsigned char *bytes = NULL;
    size_t count = 1;
    assert_int_equal(file_read(&ctx, "missing.yaml", 0, &bytes, &count), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot read missing.yaml: No such file or directory");
    assert_null(bytes);
    assert_int_equal(count, 0);
    error_clear(&ctx);
    assert_int_equal(file_read(&ctx, ".", 0, &bytes, &count), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot read .: Is a directory");
}

static void test_reading_has_a_limit(void **state)
{
    (void)state;
    struct context ctx = quiet();
    unsigned char *bytes = NULL;
    size_t count = 0;
    write_whole("ten", "0123456789");
    assert_int_equal(file_read(&ctx, "ten", 9, &bytes, &count), STATUS_BAD_INPUT);
    assert_string_equal(ctx.error.message, "ten is too large: expected at most 9 bytes, found 10");
    error_clear(&ctx);
    assert_int_equal(file_read(&ctx, "ten", 10, &bytes, &count), STATUS_OK);
    memory_free(&ctx, bytes);
    assert_int_equal(file_read(&ctx, "/dev/zero", 300000, &bytes, &count), STATUS_BAD_INPUT);
    assert_null(bytes);
    error_clear(&ctx);
    write_whole("empty", "");
    assert_holds("empty", "");
}

static void test_folders_with_their_parents(void **state)
{
    (void)state;
    struct context ctx = quiet();
    assert_int_equal(directory_make(&ctx, "runs/a//b/"), STATUS_OK);
    assert_true(file_exists("runs/a/b"));
    assert_int_equal(directory_make(&ctx, "runs/a/b"), STATUS_OK);
    assert_int_equal(directory_make(&ctx, "/"), STATUS_OK);
    write_whole("runs/file", "x");
    assert_int_equal(directory_make(&ctx, "runs/file/c"), STATUS_IO);
    assert_string_equal(ctx.error.message, "cannot make the folder runs/file/c: Not a directory");
    error_clear(&ctx);
    assert_int_equal(directory_make(&ctx, "runs/file"), STATUS_IO);
    error_clear(&ctx);
    assert_int_equal(directory_make(&ctx, ""), STATUS_IO);
}

static void assert_path(char *found, const char *expected)
{
    struct context ctx = quiet();
    assert_string_equal(found, expected);
    memory_free(&ctx, found);
}

static void test_paths(void **state)
{
    (void)state;
    struct context ctx = quiet();
    assert_path(path_join(&ctx, "a", "b"), "a/b");
    assert_path(path_join(&ctx, "a/", "b/c"), "a/b/c");
    assert_path(path_join(&ctx, "a", "/b"), "/b");
    assert_path(path_join(&ctx, "", "b"), "b");
    assert_path(path_join(&ctx, "/", "b"), "/b");
    assert_path(path_directory(&ctx, "a/b/c"), "a/b");
    assert_path(path_directory(&ctx, "a"), ".");
    assert_path(path_directory(&ctx, "a/"), ".");
    assert_path(path_directory(&ctx, "/a"), "/");
    assert_path(path_directory(&ctx, "/"), "/");
    assert_path(path_directory(&ctx, "a//b"), "a");
    assert_path(path_directory(&ctx, ""), ".");
}

static void test_sha256_gives_the_published_answers(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"; /* its padding needs a second block */
    sha256_hex(two, strlen(two), hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    sha256_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_hex(million, 55, hex);
    assert_string_equal(hex, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    sha256_hex(million, 64, hex);
    assert_string_equal(hex, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    free(million);
}

static enum status write_faulty(struct context *ctx, void *user)
{
    (void)user;
    enum status status = STATUS_OK;
    char *path = NULL;
    unsigned char *bytes = NULL;
    size_t count = 0;
    struct file_writer *writer = NULL;
    TRY(directory_make(ctx, "faulty/folder"));
    path = path_join(ctx, "faulty", "folder/a.txt");
    writer = path == NULL ? NULL : file_writer_new(ctx, path);
    if (writer == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    file_printf(writer, "%0900d", 0); /* longer than what needs no memory; the writer remembers the failure */
    TRY(file_commit(writer));
    TRY(file_read(ctx, path, 0, &bytes, &count));
cleanup:
    memory_free(ctx, bytes);
    memory_free(ctx, path);
    return status;
}

static void test_failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_true(fault_loop(write_faulty, NULL) >= 7);
    assert_int_equal(partials("faulty/folder"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read_back),
        cmocka_unit_test(test_discard_leaves_the_old_file),
        cmocka_unit_test(test_full_disk_leaves_the_old_file),
        cmocka_unit_test(test_full_disk_at_commit),
        cmocka_unit_test(test_device_is_written_in_place),
        cmocka_unit_test(test_places_that_cannot_be_written),
        cmocka_unit_test(test_reading_what_is_not_there),
        cmocka_unit_test(test_reading_has_a_limit),
        cmocka_unit_test(test_folders_with_their_parents),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_sha256_gives_the_published_answers),
        cmocka_unit_test(test_failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
