/* cache_case.h: users of a cache that lies in the test's own folder, and entries for it. */
#ifndef TESTS_RUN_CACHE_CASE_H
#define TESTS_RUN_CACHE_CASE_H

#include "base/file.h"
#include "run/cache.h"
#include "support/expect.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

enum { ROWS = 20, WIDTH = 3, DAY = 86400 };

/* What one user of the cache has. */
struct user {
    struct context ctx;
    struct arena *arena;
    struct cache cache;
};

static char working[3000], place[3100]; /* of the program, and of the test that runs: an XDG_CACHE_HOME */

static inline void user_new(struct user *user)
{
    counted_context(&user->ctx);
    user->arena = arena_new(&user->ctx);
    assert_non_null(user->arena);
    cache_open(&user->ctx, user->arena, NULL, &user->cache);
    assert_string_equal(user->ctx.error.message, "");
}

static inline void user_free(struct user *user)
{
    assert_string_equal(user->ctx.error.message, "");
    arena_free(user->arena);
}

/* set_up: each test has a cache of its own. tear_down: and gives all memory back. */
static inline int set_up(void **state)
{
    static int number;
    (void)state;
    snprintf(place, sizeof place, "%s/home-%d", working, number++);
    return setenv("XDG_CACHE_HOME", place, 1);
}

static inline int tear_down(void **state)
{
    (void)state;
    return counted_blocks();
}

/* entry_of: outputs of a layer; of another layer another entry. */
static inline struct cache_entry entry_of(struct user *user, const char *layer)
{
    struct arena *arena = user->arena;
    struct value *on = value_set(arena, value_map(arena), "layer", value_text(arena, layer));
    on = value_set(arena, on, "batch", value_integer(arena, 8));
    assert_non_null(on);
    return (struct cache_entry){
        .teacher = "t", .layer = layer, .on = on, .rows = ROWS, .row = SHAPE(WIDTH), .element = ELEMENT_F32};
}

static inline float number(int64_t i)
{
    return (float)i / 4 - 3; /* a float16 holds it */
}

/* rows_write: the numbers of these rows. */
static inline enum status rows_write(struct cache_writer *writer, int64_t first, int64_t count)
{
    float values[ROWS * WIDTH];
    for (int64_t i = 0; i < count * WIDTH; i++)
        values[i] = number(first * WIDTH + i);
    return cache_writer_rows(writer, first, count, values);
}

/* store_check: the store has the numbers. Frees it. */
static inline void store_check(struct store *store)
{
    assert_non_null(store);
    for (int32_t b = 0; b < ROWS; b++) {
        float row[WIDTH];
        store_rows(store, &b, 1, ELEMENT_F32, row);
        for (int i = 0; i < WIDTH; i++)
            assert_true(row[i] == number(b * WIDTH + i));
    }
    store_free(store);
}

static inline struct cache_writer *writer_of(struct user *user, const struct cache_entry *entry, int64_t multiple,
                                             int64_t expected)
{
    int64_t done = -1;
    struct cache_writer *writer = cache_writer_new(&user->cache, entry, multiple, &done);
    assert_string_equal(user->ctx.error.message, "");
    assert_non_null(writer);
    assert_int_equal(done, expected);
    return writer;
}

static inline void entry_make(struct user *user, const struct cache_entry *entry)
{
    struct cache_writer *writer = writer_of(user, entry, 1, 0);
    assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK);
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
}

static inline void absent(struct user *user, const struct cache_entry *entry)
{
    assert_null(cache_store(&user->cache, entry));
    assert_int_equal(user->ctx.error.status, STATUS_OK);
}

static inline const struct value *listed(struct user *user, size_t count)
{
    struct value *list = NULL;
    assert_int_equal(cache_list(&user->cache, &list), STATUS_OK);
    assert_int_equal(list->count, count);
    return list;
}

/* file_of: the file with that ending of the only entry; of the arena. */
static inline const char *file_of(struct user *user, const char *ending)
{
    const struct value *list = listed(user, 1);
    const char *path =
        arena_format(user->arena, "%s/retort/%s.%s", place, value_get(list->items[0], "key")->text, ending);
    assert_non_null(path);
    return path;
}

static inline bool whole(struct user *user)
{
    return value_get(listed(user, 1)->items[0], "whole")->boolean;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
