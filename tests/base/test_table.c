/* test_table.c: tables as aligned text and as CSV. */
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct table *example(struct context *ctx)
{
    struct table *table = table_new(ctx);
    table_column(table, "name", TABLE_LEFT);
    table_column(table, "accuracy", TABLE_RIGHT);
    table_column(table, "note", TABLE_LEFT);
    table_row(table);
    table_cell(table, "Schüler"); /* a precomposed letter */
    table_cell_format(table, "%.1f%%", 90.5);
    table_cell(table, "a, \"b\"");
    table_row(table);
    table_cell(table, "u\xcc\x88"
                      "x"); /* u and a combining diaeresis: two columns wide */
    table_cell(table, NULL);
    table_cell(table, "two\nlines");
    table_row(table);
    table_cell(table, "short row");
    return table;
}

static char *written(struct context *ctx, const struct table *table, bool csv)
{
    struct text out;
    text_init(&out, ctx);
    if (csv)
        table_write_csv(table, &out);
    else
        table_write(table, &out);
    char *bytes = text_take(&out);
    text_free(&out);
    return bytes;
}

static void columns_are_aligned(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct table *table = example(&ctx);
    char *bytes = written(&ctx, table, false);
    assert_string_equal(bytes, "name       accuracy  note\n"
                               "─────────  ────────  ─────────\n"
                               "Schüler       90.5%  a, \"b\"\n"
                               "u\xcc\x88"
                               "x                   two lines\n"
                               "short row\n");
    memory_free(&ctx, bytes);
    table_free(table);
}

static void csv_quotes_what_needs_it(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct table *table = example(&ctx);
    char *bytes = written(&ctx, table, true);
    assert_string_equal(bytes, "name,accuracy,note\n"
                               "Schüler,90.5%,\"a, \"\"b\"\"\"\n"
                               "u\xcc\x88"
                               "x,,\"two\nlines\"\n"
                               "short row,,\n");
    memory_free(&ctx, bytes);
    table_free(table);
}

static void bytes_that_are_not_utf8_do_no_harm(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct table *table = table_new(&ctx);
    table_column(table, "\xf0\x9f", TABLE_RIGHT); /* cut off in the middle */
    table_row(table);
    table_cell(table, "\xff\x80z\xe2");
    char *bytes = written(&ctx, table, false);
    assert_non_null(bytes);
    memory_free(&ctx, bytes);
    table_free(table);
}

static void many_columns_grow(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct table *table = table_new(&ctx);
    for (int c = 0; c < 40; c++)
        table_column(table, "x", TABLE_LEFT);
    table_row(table);
    for (int c = 0; c < 40; c++)
        table_cell_format(table, "%d", c % 10);
    char *bytes = written(&ctx, table, true);
    assert_int_equal(strlen(bytes), 2 * 80);
    memory_free(&ctx, bytes);
    table_free(table);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct context ctx;
        context_init(&ctx);
        ctx.allocator.fail_at = n;
        struct table *table = example(&ctx);
        char *bytes = written(&ctx, table, false);
        bool whole = bytes != NULL;
        assert_int_equal(ctx.error.status, whole ? STATUS_OK : STATUS_NO_MEMORY);
        memory_free(&ctx, bytes);
        table_free(table);
        if (whole) {
            assert_true(n > 5);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(csv_quotes_what_needs_it),
        cmocka_unit_test(bytes_that_are_not_utf8_do_no_harm),
        cmocka_unit_test(many_columns_grow),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
