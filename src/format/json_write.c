/* json_write.c: a value tree to JSON text. Our own writer, since numbers must round-trip in as few digits as will
 * do, and texts may hold bytes that are not UTF-8 (a file's name). */
#include "format/json.h"

#include "base/scalar.h"

#include <inttypes.h>
#include <math.h>

void json_write_real(double real, struct text *out)
{
    char digits[NUMBER_TEXT_SIZE];
    text_add(out, isfinite(real) ? number_text(real, digits) : "null");
}

/* utf8_length: bytes of the well-formed UTF-8 sequence at `at`, 0 if there is none. */
static size_t utf8_length(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] >= 0xf0 && at[0] <= 0xf4  ? 4
                    : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                    : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                                                    : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) /* also stops at the text's end */
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] >= 0x90))
        return 0; /* overlong, a surrogate, or past U+10FFFF */
    return length;
}

static void write_text(const char *text, struct text *out)
{
    text_add(out, "\"");
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t plain = 0; /* a stretch that can be copied */
        while (at[plain] != '\0' && at[plain] >= 0x20 && at[plain] != '"' && at[plain] != '\\') {
            size_t length = utf8_length(at + plain);
            if (length == 0)
                break;
            plain += length;
        }
        text_add_bytes(out, (const char *)at, plain);
        at += plain;
        if (*at == '\0')
            break;
        if (*at == '"' || *at == '\\')
            text_format(out, "\\%c", *at);
        else if (*at == '\n')
            text_add(out, "\\n");
        else if (*at == '\t')
            text_add(out, "\\t");
        else if (*at < 0x20)
            text_format(out, "\\u%04x", *at);
        else
            text_add(out, "\xef\xbf\xbd");
        at++;
    }
    text_add(out, "\"");
}

static void new_line(struct text *out, int columns)
{
    text_add(out, "\n");
    for (int i = 0; i < columns; i++)
        text_add(out, " ");
}

static bool only_scalars(const struct value *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->kind == VALUE_LIST || list->items[i]->kind == VALUE_MAP)
            return false;
    return true;
}

static void write_value(const struct value *value, struct text *out, int indent, int depth);

static void write_list(const struct value *list, struct text *out, int indent, int depth)
{
    bool one_line = indent == 0 || only_scalars(list);
    text_add(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            text_add(out, one_line && indent > 0 ? ", " : ",");
        if (!one_line)
            new_line(out, indent * (depth + 1));
        write_value(list->items[i], out, indent, depth + 1);
    }
    if (!one_line)
        new_line(out, indent * depth);
    text_add(out, "]");
}

static void write_map(const struct value *map, struct text *out, int indent, int depth)
{
    text_add(out, "{");
    for (size_t i = 0; i < map->count; i++) {
        if (i > 0)
            text_add(out, ",");
        if (indent > 0)
            new_line(out, indent * (depth + 1));
        write_text(map->entries[i].key, out);
        text_add(out, indent > 0 ? ": " : ":");
        write_value(map->entries[i].value, out, indent, depth + 1);
    }
    if (indent > 0 && map->count > 0)
        new_line(out, indent * depth);
    text_add(out, "}");
}

static void write_value(const struct value *value, struct text *out, int indent, int depth)
{
    switch (value == NULL ? VALUE_NULL : value->kind) {
    case VALUE_NULL:
        text_add(out, "null");
        break;
    case VALUE_BOOLEAN:
        text_add(out, value->boolean ? "true" : "false");
        break;
    case VALUE_INTEGER:
        text_format(out, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        json_write_real(value->real, out);
        break;
    case VALUE_TEXT:
        write_text(value->text, out);
        break;
    case VALUE_LIST:
        write_list(value, out, indent, depth);
        break;
    case VALUE_MAP:
        write_map(value, out, indent, depth);
        break;
    }
}

void json_write(const struct value *value, struct text *out, int indent)
{
    write_value(value, out, indent, 0);
}
