/* Entries of the cache: written in pieces and gone on with, damaged, told apart by what they depend on. */
#include "cache_case.h"

#include <sys/resource.h>

/* --- writing --- */

static void test_written_in_pieces_and_gone_on_with(void **state)
{
    (void)state;
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    absent(&user, &entry);
    struct cache_writer *writer = writer_of(&user, &entry, 8, 0);
    assert_int_equal(rows_write(writer, 0, 8), STATUS_OK);
    assert_int_equal(rows_write(writer, 8, 5), STATUS_OK);
    absent(&user, &entry); /* while it is written */
    assert_false(whole(&user));
    cache_writer_leave(writer);
    absent(&user, &entry);
    assert_true(file_exists(file_of(&user, "progress")));
    writer = writer_of(&user, &entry, 8, 8);               /* 13 were there */
    assert_int_equal(rows_write(writer, 0, 8), STATUS_OK); /* of another layer's pass: there already */
    assert_int_equal(rows_write(writer, 6, 4), STATUS_OK); /* half of it is */
    cache_writer_leave(writer);
    writer = writer_of(&user, &entry, 5, 10);
    assert_int_equal(rows_write(writer, 10, 10), STATUS_OK);
    cache_writer_leave(writer);
    absent(&user, &entry);
    writer = writer_of(&user, &entry, 8, ROWS); /* all of them are there, and it only has to be said */
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
    assert_true(whole(&user) && !file_exists(file_of(&user, "progress")));
    store_check(cache_store(&user.cache, &entry));
    writer = writer_of(&user, &entry, 8, ROWS);
    assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK);
    assert_int_equal(cache_writer_finish(writer), STATUS_OK);
    writer = writer_of(&user, &entry, 8, ROWS);
    cache_writer_leave(writer);
    store_check(cache_store(&user.cache, &entry));
    assert_int_equal(cache_writer_finish(NULL), STATUS_OK);
    cache_writer_leave(NULL);
    user_free(&user);
}

/* What was not noted as being on disk counts for nothing; nor does a note of more than there is. */
static void test_only_what_is_noted_is_there(void **state)
{
    (void)state;
    static const char *const notes[] = {"", "rubbish", "-8\n", "21\n", "16\n"};
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    struct cache_writer *writer = writer_of(&user, &entry, 4, 0);
    assert_int_equal(rows_write(writer, 0, 12), STATUS_OK);
    cache_writer_leave(writer);
    const char *progress = file_of(&user, "progress"), *rows = file_of(&user, "rows");
    for (int i = 0; i < 5; i++) {
        test_file_put(progress, notes[i], strlen(notes[i]));
        writer = writer_of(&user, &entry, 4, 0);
        assert_int_equal(rows_write(writer, 0, 12), STATUS_OK);
        cache_writer_leave(writer);
    }
    test_file_put(progress, "7\n", 2);
    writer = writer_of(&user, &entry, 4, 4); /* a row of the next four may be cut */
    cache_writer_leave(writer);
    assert_int_equal(truncate(rows, 4 * WIDTH * 4 - 1), 0);
    writer = writer_of(&user, &entry, 4, 0);
    cache_writer_leave(writer); /* nothing of it is left */
    assert_false(file_exists(rows) || file_exists(progress));
    listed(&user, 0);
    user_free(&user);
}

static void test_halves_and_doubles(void **state)
{
    (void)state;
    struct user user;
    double values[ROWS * WIDTH], found[ROWS * WIDTH];
    int32_t order[ROWS];
    user_new(&user);
    struct cache_entry entry = entry_of(&user, "a");
    entry.half = true;
    entry_make(&user, &entry);
    assert_int_equal(cache_entry_bytes(&entry), ROWS * WIDTH * 2);
    store_check(cache_store(&user.cache, &entry));
    for (int i = 0; i < ROWS * WIDTH; i++) {
        order[i / WIDTH] = i / WIDTH;
        values[i] = (double)number(i) + 1e-12 * i;
    }
    for (int half = 0; half < 2; half++) { /* a run in float64 */
        entry = entry_of(&user, half ? "b" : "c");
        entry.element = ELEMENT_F64;
        entry.half = half;
        assert_int_equal(cache_entry_bytes(&entry), ROWS * WIDTH * (half ? 2 : 8));
        struct cache_writer *writer = writer_of(&user, &entry, 1, 0);
        assert_int_equal(cache_writer_rows(writer, 0, ROWS, values), STATUS_OK);
        assert_int_equal(cache_writer_finish(writer), STATUS_OK);
        struct store *store = cache_store(&user.cache, &entry);
        assert_non_null(store);
        store_rows(store, order, ROWS, ELEMENT_F64, found);
        for (int i = 0; i < ROWS * WIDTH; i++)
            assert_true(found[i] == (half ? (double)number(i) : values[i]));
        store_free(store);
    }
    user_free(&user);
}

/* --- damage --- */

static void test_a_damaged_entry_is_made_again(void **state)
{
    (void)state;
    struct user user;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    entry_make(&user, &entry);
    const char *rows = file_of(&user, "rows"), *about = file_of(&user, "json"), *progress = file_of(&user, "progress");
    for (int damage = 0; damage < 4; damage++) {
        if (damage == 0)
            assert_int_equal(truncate(rows, ROWS * WIDTH * 4 - 1), 0);
        else if (damage == 1)
            assert_int_equal(truncate(rows, ROWS * WIDTH * 4 + 1), 0);
        else if (damage == 2)
            assert_int_equal(unlink(rows), 0);
        else
            assert_int_equal(unlink(about), 0);
        if (damage != 2)
            test_file_put(progress, damage == 0 ? "8\n" : "x", damage == 0 ? 2 : 1); /* of a writer that was killed */
        absent(&user, &entry);
        struct cache_writer *writer = writer_of(&user, &entry, 1, 0);
        assert_false(file_exists(about)); /* what is not whole must not look so */
        assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK);
        assert_int_equal(cache_writer_finish(writer), STATUS_OK);
        store_check(cache_store(&user.cache, &entry));
    }
    test_file_put(about, "{", 1); /* for people alone: the rows are good, and it is listed */
    store_check(cache_store(&user.cache, &entry));
    assert_true(whole(&user));
    assert_int_equal(value_get(listed(&user, 1)->items[0], "teacher")->kind, VALUE_NULL);
    user_free(&user);
}

/* What cannot be opened now may be good: it is left alone. */
static void test_what_cannot_be_opened_is_left(void **state)
{
    (void)state;
    struct user user;
    struct rlimit before, none;
    user_new(&user);
    const struct cache_entry entry = entry_of(&user, "a");
    entry_make(&user, &entry);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct store *store = cache_store(&user.cache, &entry);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_null(store);
    assert_int_equal(user.ctx.error.status, STATUS_OK);
    store_check(cache_store(&user.cache, &entry));
    user_free(&user);
}

/* --- keys --- */

static void test_the_key_is_made_of_all_it_depends_on(void **state)
{
    (void)state;
    struct user user;
    user_new(&user);
    struct arena *arena = user.arena;
    const struct cache_entry first = entry_of(&user, "a");
    struct cache_entry others[7];
    entry_make(&user, &first);
    for (int i = 0; i < 7; i++)
        others[i] = first;
    others[0].on = value_set(arena, value_copy(arena, first.on), "layer", value_text(arena, "b"));
    others[1].on = value_set(arena, value_copy(arena, first.on), "batch", value_integer(arena, 9));
    others[2].on = value_set(arena, value_copy(arena, first.on), "batch", value_text(arena, "8"));
    others[3].on = value_set(arena, value_copy(arena, first.on), "more", value_null(arena));
    others[4].on = value_set(arena, value_map(arena), "layer", value_text(arena, "a"));
    others[5].half = true;
    others[6].element = ELEMENT_F64;
    for (int i = 0; i < 7; i++) {
        double doubles[ROWS * WIDTH] = {0};
        absent(&user, &others[i]);
        struct cache_writer *writer = writer_of(&user, &others[i], 1, 0);
        if (others[i].element == ELEMENT_F64)
            assert_int_equal(cache_writer_rows(writer, 0, ROWS, doubles), STATUS_OK);
        else
            assert_int_equal(rows_write(writer, 0, ROWS), STATUS_OK);
        assert_int_equal(cache_writer_finish(writer), STATUS_OK);
        listed(&user, (size_t)i + 2);
    }
    struct cache_entry same = first; /* what is for people alone */
    same.teacher = "another";
    same.layer = "b";
    same.on = value_copy(arena, first.on);
    store_check(cache_store(&user.cache, &same));
    user_free(&user);
}

/* --- lacking memory --- */

static enum status entry_work(struct context *ctx, void *unused)
{
    (void)unused;
    enum status status = STATUS_OK;
    struct cache_writer *writer = NULL;
    struct cache cache;
    struct cache_pruned removed;
    struct value *list = NULL;
    float values[ROWS * WIDTH] = {0};
    int64_t done = 0;
    struct arena *arena = arena_new(ctx);
    struct value *on = arena ? value_set(arena, value_map(arena), "a", value_integer(arena, 1)) : NULL;
    const struct cache_entry entry = {
        .teacher = "t", .layer = "a", .on = on, .rows = ROWS, .row = SHAPE(WIDTH), .element = ELEMENT_F32};
    TRY(on ? cache_open(ctx, arena, NULL, &cache) : ctx->error.status);
    TRY(cache_prune(&cache, 0, 0, &removed));
    writer = cache_writer_new(&cache, &entry, 4, &done);
    TRY(ctx->error.status);
    assert_int_equal(done, 0);
    TRY(cache_writer_rows(writer, 0, 8, values));
    const uint64_t planned = ctx->allocator.fail_at;
    cache_writer_leave(writer);
    writer = NULL;
    if (planned > 0 && ctx->allocator.fail_at == 0) /* no note could be made: it is as if nothing had been written */
        TRY(fail(ctx, STATUS_NO_MEMORY, "leaving"));
    writer = cache_writer_new(&cache, &entry, 4, &done);
    TRY(ctx->error.status);
    TRY(cache_writer_rows(writer, done, ROWS - done, values));
    status = cache_writer_finish(writer);
    writer = NULL;
    TRY(status);
    struct store *store = cache_store(&cache, &entry);
    assert_true(store || ctx->error.status == STATUS_NO_MEMORY);
    store_free(store);
    TRY(ctx->error.status);
    TRY(cache_list(&cache, &list));
    assert_int_equal(list->count, 1);
cleanup:
    cache_writer_leave(writer);
    arena_free(arena);
    return status;
}

static void test_lacking_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(entry_work, NULL) > 20);
}

int main(void)
{
    if (!getcwd(working, sizeof working))
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(test_written_in_pieces_and_gone_on_with),
        TEST(test_only_what_is_noted_is_there),
        TEST(test_halves_and_doubles),
        TEST(test_a_damaged_entry_is_made_again),
        TEST(test_what_cannot_be_opened_is_left),
        TEST(test_the_key_is_made_of_all_it_depends_on),
        TEST(test_lacking_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
