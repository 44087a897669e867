/* value_message.c: what a message says about a value: where it stands, what it is, and what may have been meant. */
#include "base/value.h"

#include <stdio.h>
#include <string.h>

enum { FOUND_CUT = 60, NEAREST_LONGEST = 64, PLACE_SIZE = 1024 };

const char *value_kind_text(enum value_kind kind)
{
    switch (kind) {
    case VALUE_NULL:
        return "nothing";
    case VALUE_BOOLEAN:
        return "a boolean";
    case VALUE_INTEGER:
        return "an integer";
    case VALUE_REAL:
        return "a number";
    case VALUE_TEXT:
        return "a text";
    case VALUE_LIST:
        return "a list";
    case VALUE_MAP:
        return "a map";
    }
    return "an unknown kind";
}

const char *value_found(const struct value *value, char out[VALUE_FOUND_SIZE])
{
    if (value == NULL || value->text == NULL || value->kind == VALUE_NULL || value->kind == VALUE_LIST ||
        value->kind == VALUE_MAP) {
        snprintf(out, VALUE_FOUND_SIZE, "%s", value_kind_text(value == NULL ? VALUE_NULL : value->kind));
        return out;
    }
    size_t length = strlen(value->text);
    size_t cut = length;
    if (length > FOUND_CUT)
        for (cut = FOUND_CUT; cut > 0 && ((unsigned char)value->text[cut] & 0xC0) == 0x80;)
            cut--; /* not inside a character of several bytes */
    const char *quote = value->kind == VALUE_TEXT ? "\"" : "";
    snprintf(out, VALUE_FOUND_SIZE, "%s%.*s%s%s", quote, (int)cut, value->text, length > cut ? "..." : "", quote);
    return out;
}

/* place_text: "FILE:LINE:COLUMN: ", as much of it as is known. */
static const char *place_text(const char *file, int line, int column, char *out, size_t size)
{
    if (file != NULL && line > 0)
        snprintf(out, size, "%s:%d:%d: ", file, line, column);
    else
        snprintf(out, size, "%s%s", file ? file : "", file ? ": " : "");
    return out;
}

static enum status value_vfail(struct context *ctx, const char *file, int line, int column, enum status status,
                               const char *format, va_list arguments)
{
    char message[sizeof ctx->error.message], place[PLACE_SIZE];
    vsnprintf(message, sizeof message, format, arguments);
    return fail(ctx, status, "%s%s", place_text(file, line, column, place, sizeof place), message);
}

enum status value_fail(struct context *ctx, const struct value *at, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status = value_vfail(ctx, at == NULL ? NULL : at->file, at == NULL ? 0 : at->line, at == NULL ? 0 : at->column,
                         status, format, arguments);
    va_end(arguments);
    return status;
}

void value_warn(struct context *ctx, const struct value *at, const char *format, ...)
{
    char message[sizeof ctx->error.message], place[PLACE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    place_text(at ? at->file : NULL, at ? at->line : 0, at ? at->column : 0, place, sizeof place);
    log_line(ctx, LOG_WARNING, "%s%s", place, message);
}

enum status value_fail_at(struct context *ctx, const char *file, int line, int column, enum status status,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status = value_vfail(ctx, file, line, column, status, format, arguments);
    va_end(arguments);
    return status;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* edit_distance: insertions, deletions, replacements and swaps of neighbours; both at most NEAREST_LONGEST bytes. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_LONGEST + 1]; /* the row before last, the last, this one; by turns */
    size_t n = strlen(a), m = strlen(b);
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *nearest_name(const char *name, const char *const *candidates, size_t count)
{
    size_t length = strlen(name);
    if (length > NEAREST_LONGEST)
        return NULL;
    size_t best = length / 3 < 1 ? 1 : length / 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(candidates[i]) > NEAREST_LONGEST)
            continue;
        size_t distance = edit_distance(name, candidates[i]);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
