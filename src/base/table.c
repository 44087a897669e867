/* table.c: aligned text and CSV. */
#include "base/table.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct table_row {
    struct table_row *next;
    const char **cells; /* [columns]; NULL: empty */
};

struct table {
    struct context *ctx;
    struct arena *arena;
    const char **names;
    enum table_align *aligns;
    size_t columns, capacity;
    struct table_row *first, *last;
    size_t filled; /* cells of the last row */
    bool failed;
};

static const char gap[] = "  ";

struct table *table_new(struct context *ctx)
{
    struct table *table = memory_new(ctx, 1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->ctx = ctx;
    table->arena = arena_new(ctx);
    if (table->arena == NULL) {
        memory_free(ctx, table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    memory_free(table->ctx, table->names);
    memory_free(table->ctx, table->aligns);
    arena_free(table->arena);
    memory_free(table->ctx, table);
}

static bool table_usable(const struct table *table)
{
    return table != NULL && !table->failed;
}

/* table_grow: room for one more column. */
static bool table_grow(struct table *table)
{
    if (table->columns < table->capacity)
        return true;
    size_t capacity = table->capacity == 0 ? 8 : table->capacity * 2;
    const char **names = memory_grow(table->ctx, table->names, table->columns, capacity, sizeof *names);
    if (names == NULL)
        return false;
    table->names = names;
    enum table_align *aligns = memory_grow(table->ctx, table->aligns, table->columns, capacity, sizeof *aligns);
    if (aligns == NULL)
        return false;
    table->aligns = aligns;
    table->capacity = capacity;
    return true;
}

void table_column(struct table *table, const char *name, enum table_align align)
{
    if (!table_usable(table))
        return;
    assert(table->first == NULL);
    char *copy = table_grow(table) ? arena_text(table->arena, name) : NULL;
    if (copy == NULL) {
        table->failed = true;
        return;
    }
    table->names[table->columns] = copy;
    table->aligns[table->columns++] = align;
}

void table_row(struct table *table)
{
    if (!table_usable(table))
        return;
    struct table_row *row = arena_take(table->arena, 1, sizeof *row);
    if (row != NULL)
        row->cells = arena_take(table->arena, table->columns, sizeof *row->cells);
    if (row == NULL || row->cells == NULL) {
        table->failed = true;
        return;
    }
    if (table->last != NULL)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
    table->filled = 0;
}

void table_cell(struct table *table, const char *text)
{
    if (!table_usable(table))
        return;
    assert(table->last != NULL && table->filled < table->columns);
    if (text != NULL) {
        text = arena_text(table->arena, text);
        table->failed = text == NULL;
    }
    table->last->cells[table->filled++] = text;
}

void table_cell_format(struct table *table, const char *format, ...)
{
    if (!table_usable(table))
        return;
    char cell[512]; /* figures and names; what is longer goes through table_cell */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cell, sizeof cell, format, arguments);
    va_end(arguments);
    table_cell(table, cell);
}

/* code_point_length: bytes of the UTF-8 sequence that starts at text; a stray byte counts as one. */
static size_t code_point_length(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return i;
    return length;
}

/* code_point_combines: U+0300 to U+036F, which are drawn over the character before them. */
static bool code_point_combines(const char *text)
{
    unsigned char lead = (unsigned char)text[0], next = (unsigned char)text[1];
    return lead == 0xcc || (lead == 0xcd && next < 0xb0);
}

static size_t text_width(const char *text)
{
    size_t width = 0;
    if (text == NULL)
        return 0;
    for (; *text != '\0'; text += code_point_length(text))
        width += code_point_combines(text) ? 0 : 1;
    return width;
}

static void add_repeated(struct text *out, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_add(out, what);
}

/* add_line: one line; blanks are held back until something follows them. */
static void add_line(const struct table *table, const char *const *cells, const size_t *widths, struct text *out)
{
    size_t blanks = 0;
    for (size_t c = 0; c < table->columns; c++) {
        const char *cell = cells[c] != NULL ? cells[c] : "";
        size_t padding = widths[c] - text_width(cell);
        if (c > 0)
            blanks += sizeof gap - 1;
        if (table->aligns[c] == TABLE_RIGHT)
            blanks += padding;
        if (cell[0] != '\0') {
            add_repeated(out, " ", blanks);
            for (const char *at = cell; *at != '\0'; at++)
                text_add_bytes(out, (unsigned char)*at < ' ' ? " " : at, 1);
            blanks = 0;
        }
        if (table->aligns[c] == TABLE_LEFT)
            blanks += padding;
    }
    text_add(out, "\n");
}

void table_write(const struct table *table, struct text *out)
{
    if (!table_usable(table)) {
        out->failed = true;
        return;
    }
    size_t *widths = memory_new(table->ctx, table->columns, sizeof *widths);
    if (widths == NULL) {
        out->failed = true;
        return;
    }
    for (size_t c = 0; c < table->columns; c++)
        widths[c] = text_width(table->names[c]);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        for (size_t c = 0; c < table->columns; c++) {
            size_t width = text_width(row->cells[c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    add_line(table, table->names, widths, out);
    for (size_t c = 0; c < table->columns; c++) {
        text_add(out, c > 0 ? gap : "");
        add_repeated(out, "─", widths[c]);
    }
    text_add(out, "\n");
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        add_line(table, row->cells, widths, out);
    memory_free(table->ctx, widths);
}

static void add_csv_line(const struct table *table, const char *const *cells, struct text *out)
{
    for (size_t c = 0; c < table->columns; c++) {
        const char *cell = cells[c] != NULL ? cells[c] : "";
        text_add(out, c > 0 ? "," : "");
        if (strpbrk(cell, ",\"\r\n") == NULL) {
            text_add(out, cell);
            continue;
        }
        text_add(out, "\"");
        for (; *cell != '\0'; cell++)
            text_add_bytes(out, *cell == '"' ? "\"\"" : cell, *cell == '"' ? 2 : 1);
        text_add(out, "\"");
    }
    text_add(out, "\n");
}

void table_write_csv(const struct table *table, struct text *out)
{
    if (!table_usable(table)) {
        out->failed = true;
        return;
    }
    add_csv_line(table, table->names, out);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        add_csv_line(table, row->cells, out);
}
