/* Where the cache lies, what lies in it, and what is removed. */
#include "cache_case.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

/* --- where it lies --- */

static void test_where_it_lies(void **state)
{
    (void)state;
    struct user user;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    user_new(&user);
    assert_string_equal(user.cache.folder, arena_format(user.arena, "%s/retort", place));
    setenv("HOME", working, 1);
    setenv("XDG_CACHE_HOME", "relative", 1); /* says the specification: to be ignored */
    assert_int_equal(cache_open(&user.ctx, user.arena, "given", &user.cache), STATUS_OK);
    assert_string_equal(user.cache.folder, arena_format(user.arena, "%s/.cache/retort", working));
    assert_true(file_exists(user.cache.folder) && !file_exists("relative"));
    setenv("XDG_CACHE_HOME", "", 1);
    assert_string_equal(cache_folder(user.arena), user.cache.folder);
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    assert_null(cache_folder(user.arena));
    assert_int_equal(cache_open(&user.ctx, user.arena, "given/cache", &user.cache), STATUS_OK);
    assert_string_equal(user.cache.folder, "given/cache");
    assert_true(file_exists("given/cache"));
    expect_failure(&user.ctx, cache_open(&user.ctx, user.arena, NULL, &user.cache), STATUS_IO,
                   "no place for the cache: neither XDG_CACHE_HOME nor HOME is set; set one of them", NULL);
    setenv("HOME", "here", 1); /* relative, too */
    assert_null(cache_folder(user.arena));
    test_file_put("file", "", 0);
    setenv("XDG_CACHE_HOME", arena_format(user.arena, "%s/file", working), 1);
    assert_int_equal(cache_open(&user.ctx, user.arena, "instead", &user.cache), STATUS_OK);
    assert_string_equal(user.cache.folder, "instead");
    assert_true(file_exists("instead"));
    expect_failure(&user.ctx, cache_open(&user.ctx, user.arena, "file/instead", &user.cache), STATUS_IO,
                   "cannot make the folder file/instead: Not a directory", NULL);
    expect_failure(&user.ctx, cache_open(&user.ctx, user.arena, NULL, &user.cache), STATUS_IO,
                   "cannot make the folder ", "/file/retort: Not a directory", NULL);
    if (home)
        setenv("HOME", home, 1);
    free(home);
    user_free(&user);
}

/* --- list and prune --- */

/* aged: the only file of that layer's entry that counts is so old. */
static void aged(struct user *user, const char *layer, const char *ending, int days)
{
    const struct value *list = NULL;
    struct value *all = NULL;
    assert_int_equal(cache_list(&user->cache, &all), STATUS_OK);
    list = all;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *of = value_get(list->items[i], "layer");
        if (of->kind != VALUE_TEXT ? layer != NULL : !layer || strcmp(of->text, layer) != 0)
            continue;
        const char *path =
            arena_format(user->arena, "%s/%s.%s", user->cache.folder, value_get(list->items[i], "key")->text, ending);
        const struct timespec then[2] = {{.tv_sec = time(NULL) - (time_t)days * DAY},
                                         {.tv_sec = time(NULL) - (time_t)days * DAY}};
        assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
    }
}

static void pruned(struct user *user, double days, int64_t most, int64_t entries)
{
    struct cache_pruned removed;
    assert_int_equal(cache_prune(&user->cache, days * DAY, most, &removed), STATUS_OK);
    assert_int_equal(removed.entries, entries);
    assert_int_equal(removed.bytes, entries * ROWS * WIDTH * 4);
}

static void test_pruned_by_age_and_by_size(void **state)
{
    (void)state;
    static const char *const layers[] = {"a", "b", "c", "d"};
    struct user user;
    struct cache_entry entries[4];
    user_new(&user);
    for (int i = 0; i < 4; i++) {
        entries[i] = entry_of(&user, layers[i]);
        entry_make(&user, &entries[i]);
        aged(&user, layers[i], "json", 10 * (i + 1));
    }
    const struct value *list = listed(&user, 4); /* the last used first */
    for (int i = 0; i < 4; i++) {
        assert_string_equal(value_get(list->items[i], "layer")->text, layers[i]);
        assert_true(fabs(value_get(list->items[i], "used")->real - 10.0 * (i + 1) * DAY) < 60);
        assert_int_equal(value_get(list->items[i], "bytes")->integer, ROWS * WIDTH * 4);
    }
    pruned(&user, 41, INT64_MAX, 0);
    pruned(&user, 35, INT64_MAX, 1); /* d */
    absent(&user, &entries[3]);
    store_check(cache_store(&user.cache, &entries[2])); /* used now */
    pruned(&user, 15, INT64_MAX, 1);                    /* b */
    absent(&user, &entries[1]);
    pruned(&user, 15, 2 * ROWS * WIDTH * 4, 0); /* no more than that is left */
    pruned(&user, 15, 2 * ROWS * WIDTH * 4 - 1, 1);
    absent(&user, &entries[0]); /* it was used before c */
    store_check(cache_store(&user.cache, &entries[2]));
    pruned(&user, 0, INT64_MAX, 1);
    listed(&user, 0);
    assert_int_equal(rmdir(user.cache.folder), 0); /* nothing else is left of them */
    listed(&user, 0);
    pruned(&user, 0, 0, 0);
    user_free(&user);
}

static void test_what_is_written_is_not_pruned(void **state)
{
    (void)state;
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    struct cache_writer *writer = writer_of(&user, &entry, 4, 0);
    assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK);
    aged(&user, NULL, "rows", 100);
    pruned(&user, 0, 0, 0);
    cache_writer_leave(writer);
    assert_true(value_get(listed(&user, 1)->items[0], "used")->real > 99.0 * DAY);
    pruned(&user, 99, INT64_MAX, 1);
    assert_int_equal(rmdir(user.cache.folder), 0); /* its progress is gone as well */
    user_free(&user);
}

/* A store that is open goes on reading what is pruned, and what is made anew in its place. */
static void test_a_store_outlives_its_entry(void **state)
{
    (void)state;
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    entry_make(&user, &entry);
    struct store *store = cache_store(&user.cache, &entry);
    pruned(&user, 0, 0, 1);
    struct cache_writer *writer = writer_of(&user, &entry, 4, 0);
    store_check(store);
    cache_writer_leave(writer);
    user_free(&user);
}

static void test_many_are_listed(void **state)
{
    (void)state;
    enum { MANY = 150 };
    struct user user;
    struct cache_pruned removed;
    user_new(&user);
    for (int i = 0; i < MANY; i++)
        test_file_put(arena_format(user.arena, "%s/%03d.rows", user.cache.folder, i), "abc", (size_t)i % 4);
    test_file_put(arena_format(user.arena, "%s/other", user.cache.folder), "abc", 3);
    test_file_put(arena_format(user.arena, "%s/.rows", user.cache.folder), "abc", 3);
    bool seen[MANY] = {false};
    const struct value *list = listed(&user, MANY);
    for (int i = 0; i < MANY; i++) {
        const int key = atoi(value_get(list->items[i], "key")->text);
        assert_true(key >= 0 && key < MANY && !seen[key]);
        seen[key] = true;
        assert_int_equal(value_get(list->items[i], "bytes")->integer, key % 4);
        assert_false(value_get(list->items[i], "whole")->boolean);
    }
    assert_int_equal(cache_prune(&user.cache, 0, 0, &removed), STATUS_OK);
    assert_int_equal(removed.entries, MANY);
    listed(&user, 0);
    assert_true(file_exists(arena_format(user.arena, "%s/other", user.cache.folder)));
    user_free(&user);
}

static void test_a_folder_that_cannot_be_read(void **state)
{
    (void)state;
    struct user user;
    struct value *list = NULL;
    struct cache_pruned removed;
    user_new(&user);
    test_file_put("file", "", 0);
    user.cache.folder = "file";
    expect_failure(&user.ctx, cache_list(&user.cache, &list), STATUS_IO, "file: cannot be read: Not a directory", NULL);
    expect_failure(&user.ctx, cache_prune(&user.cache, 0, 0, &removed), STATUS_IO, "file: cannot be read", NULL);
    user_free(&user);
}

int main(void)
{
    if (!getcwd(working, sizeof working))
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(test_where_it_lies),
        TEST(test_pruned_by_age_and_by_size),
        TEST(test_what_is_written_is_not_pruned),
        TEST(test_a_store_outlives_its_entry),
        TEST(test_many_are_listed),
        TEST(test_a_folder_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
