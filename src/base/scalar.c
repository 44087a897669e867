/* scalar.c: YAML 1.2, section 10.3.2 (core schema). */
#include "base/scalar.h"

#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *number_text(double number, char out[NUMBER_TEXT_SIZE])
{
    assert(isfinite(number));
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, NUMBER_TEXT_SIZE, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            break;
    }
    bool integral = true;
    size_t kept = 0;
    for (size_t i = 0; out[i] != '\0'; i++) {
        bool known = (out[i] >= '0' && out[i] <= '9') || out[i] == '-' || out[i] == '+' || out[i] == 'e';
        if (!known || out[i] == 'e')
            integral = false;
        if (known)
            out[kept++] = out[i];
        else if (kept > 0 && out[kept - 1] != '.')
            out[kept++] = '.'; /* the locale's decimal point, which may have several bytes */
    }
    out[kept] = '\0';
    if (integral)
        memcpy(out + kept, ".0", sizeof ".0");
    return out;
}

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

static bool is_integer(const char *text)
{
    text += *text == '-' || *text == '+';
    return digits_at(text) > 0 && text[digits_at(text)] == '\0';
}

/* is_real: [-+]? ( . digits | digits ( . digits* )? ) ( [eE] [-+]? digits )? */
static bool is_real(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = digits_at(text);
    text += whole;
    if (*text == '.') {
        text++;
        size_t part = digits_at(text);
        if (whole == 0 && part == 0)
            return false;
        text += part;
    } else if (whole == 0) {
        return false;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        if (digits_at(text) == 0)
            return false;
        text += digits_at(text);
    }
    return *text == '\0';
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

/* is_prefixed: 0x1F, 0o17; *base says which. */
static bool is_prefixed(const char *text, int *base)
{
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'o') || text[2] == '\0')
        return false;
    *base = text[1] == 'x' ? 16 : 8;
    const char *digits = *base == 16 ? "0123456789abcdefABCDEF" : "01234567";
    return text[2 + strspn(text + 2, digits)] == '\0';
}

/* parse_real: strtod reads the locale's decimal point, a recipe always has '.'. false: no memory. */
static bool parse_real(struct arena *arena, const char *text, double *out)
{
    const char *point = localeconv()->decimal_point;
    const char *at = strchr(text, '.');
    if (at != NULL && strcmp(point, ".") != 0) {
        text = arena_format(arena, "%.*s%s%s", (int)(at - text), text, point, at + 1);
        if (text == NULL)
            return false;
    }
    *out = strtod(text, NULL);
    return true;
}

static struct value *plain_text(struct arena *arena, struct value *value, const char *text)
{
    if (value != NULL)
        value->text = arena_text(arena, text);
    return value == NULL || value->text == NULL ? NULL : value;
}

static struct value *plain_real(struct arena *arena, const char *text, double real)
{
    struct value *value = value_real(arena, 0.0);
    if (value != NULL)
        value->real = real; /* also what is not finite */
    return plain_text(arena, value, text);
}

struct value *value_plain(struct arena *arena, const char *text)
{
    if (text[0] == '\0' || strcmp(text, "~") == 0 || is_one_of(text, "null", "Null", "NULL"))
        return plain_text(arena, value_null(arena), text);
    if (is_one_of(text, "true", "True", "TRUE"))
        return plain_text(arena, value_boolean(arena, true), text);
    if (is_one_of(text, "false", "False", "FALSE"))
        return plain_text(arena, value_boolean(arena, false), text);
    const char *unsigned_text = text + (*text == '-' || *text == '+');
    if (is_one_of(unsigned_text, ".inf", ".Inf", ".INF"))
        return plain_real(arena, text, *text == '-' ? -INFINITY : INFINITY);
    if (is_one_of(text, ".nan", ".NaN", ".NAN"))
        return plain_real(arena, text, NAN);
    int base = 10;
    bool prefixed = is_prefixed(text, &base);
    if (prefixed || is_integer(text)) {
        errno = 0;
        long long integer = strtoll(prefixed ? text + 2 : text, NULL, base);
        if (errno == 0)
            return plain_text(arena, value_integer(arena, integer), text);
        return plain_real(arena, text, base == 8 ? INFINITY : strtod(text, NULL)); /* strtod knows 0x */
    }
    if (is_real(text)) {
        double real = 0.0;
        return parse_real(arena, text, &real) ? plain_real(arena, text, real) : NULL;
    }
    return value_text(arena, text);
}

/* part_take: the trimmed piece up to `end` as a text of the arena. */
static const char *part_take(struct arena *arena, const char *start, const char *end)
{
    while (start < end && *start == ' ')
        start++;
    while (end > start && end[-1] == ' ')
        end--;
    return arena_format(arena, "%.*s", (int)(end - start), start);
}

/* flow_add: one item of a list, or `key: item` of a map; NULL: no memory. */
static struct value *flow_add(struct arena *arena, struct value *into, const char *start, const char *end)
{
    const char *colon = into->kind == VALUE_MAP ? memchr(start, ':', (size_t)(end - start)) : NULL;
    const char *key = colon == NULL ? "" : part_take(arena, start, colon);
    const char *item = part_take(arena, colon == NULL ? start : colon + 1, end);
    if (key == NULL || item == NULL)
        return NULL;
    struct value *value = value_plain(arena, item);
    return into->kind == VALUE_MAP ? value_set(arena, into, key, value) : value_append(arena, into, value);
}

struct value *value_flow(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    bool list = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    bool map = length >= 2 && text[0] == '{' && text[length - 1] == '}';
    if (!list && !map)
        return value_plain(arena, text);
    struct value *into = list ? value_list(arena) : value_map(arena);
    const char *at = text + 1, *last = text + length - 1;
    if (strspn(at, " ") == (size_t)(last - at))
        return into;
    while (into != NULL && at <= last) {
        const char *comma = memchr(at, ',', (size_t)(last - at));
        const char *end = comma == NULL ? last : comma;
        into = flow_add(arena, into, at, end);
        at = end + 1;
    }
    return into;
}
