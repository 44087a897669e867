/* html.c: escaping and the writing of numbers. */
#include "report/html.h"

#include "format/json.h"
#include "format/png.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char dash[] = "–";
static const char minus[] = "−";

void html_text(struct text *out, const char *words)
{
    if (words == NULL) {
        text_add(out, dash);
        return;
    }
    for (const char *at = words; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            text_add(out, "&amp;");
            break;
        case '<':
            text_add(out, "&lt;");
            break;
        case '>':
            text_add(out, "&gt;");
            break;
        case '"':
            text_add(out, "&quot;");
            break;
        case '\'':
            text_add(out, "&#39;");
            break;
        default:
            if ((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t')
                text_add_bytes(out, at, 1);
        }
    }
}

/* add_number: digits with the true minus sign, which is as wide as the plus. */
static void add_number(struct text *out, const char *digits)
{
    if (digits[0] == '-')
        text_add(out, minus);
    text_add(out, digits[0] == '-' ? digits + 1 : digits);
}

void html_real(struct text *out, double number, int decimals)
{
    if (!isfinite(number)) {
        text_add(out, dash);
        return;
    }
    char digits[400]; /* the largest double has 309 before the point */
    snprintf(digits, sizeof digits, "%.*f", decimals, number);
    add_number(out, digits);
}

void html_count(struct text *out, double count)
{
    char digits[400];
    if (!isfinite(count)) {
        text_add(out, dash);
        return;
    }
    snprintf(digits, sizeof digits, "%.0f", fabs(count));
    if (count < 0)
        text_add(out, minus);
    for (size_t i = 0, left = strlen(digits); left > 0; i++, left--) {
        if (i > 0 && left % 3 == 0)
            text_add(out, ",");
        text_add_bytes(out, &digits[i], 1);
    }
}

void html_percent(struct text *out, double fraction)
{
    html_real(out, fraction * 100, 2);
    if (isfinite(fraction))
        text_add(out, "%");
}

void html_points(struct text *out, double fraction)
{
    char digits[400];
    if (!isfinite(fraction)) {
        text_add(out, dash);
        return;
    }
    snprintf(digits, sizeof digits, "%+.2f", fraction * 100);
    add_number(out, strcmp(digits, "-0.00") == 0 ? "+0.00" : digits);
}

void html_spread(struct text *out, double mean, double std)
{
    html_percent(out, mean);
    if (isfinite(mean) && isfinite(std))
        text_format(out, " ± %.2f", std * 100);
}

void html_duration(struct text *out, double seconds)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e12) {
        text_add(out, dash);
        return;
    }
    long long whole = llround(seconds);
    if (seconds < 10)
        text_format(out, "%.1f s", seconds);
    else if (whole < 60)
        text_format(out, "%lld s", whole);
    else if (whole < 3600)
        text_format(out, "%lld min %lld s", whole / 60, whole % 60);
    else
        text_format(out, "%lld h %lld min", whole / 3600, whole / 60 % 60);
}

void html_bytes(struct text *out, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB"};
    size_t unit = 0;
    if (!isfinite(bytes)) {
        text_add(out, dash);
        return;
    }
    for (; bytes >= 999.5 && unit < 3; unit++)
        bytes /= 1000;
    html_real(out, bytes, unit > 0 && bytes < 100 ? 1 : 0);
    text_format(out, " %s", units[unit]);
}

void html_cell(struct text *out, enum figure figure, double number)
{
    text_add(out, "<td>");
    switch (figure) {
    case FIGURE_COUNT:
        html_count(out, number);
        break;
    case FIGURE_PERCENT:
        html_percent(out, number);
        break;
    case FIGURE_LOSS:
        html_real(out, number, 4);
        break;
    case FIGURE_DURATION:
        html_duration(out, number);
        break;
    case FIGURE_BYTES:
        html_bytes(out, number);
        break;
    }
    text_add(out, "</td>");
}

/* add_base64: RFC 4648, section 4. */
static void add_base64(struct text *out, const unsigned char *bytes, size_t count)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16 | (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (i + 2 < count ? bytes[i + 2] : 0);
        char four[4];
        for (size_t j = 0; j < 4; j++)
            four[j] = i + j <= count ? letters[group >> (18 - 6 * j) & 63] : '=';
        text_add_bytes(out, four, sizeof four);
    }
}

void html_image(struct text *out, const unsigned char *pixels, uint32_t height, uint32_t width, int channels)
{
    struct text file;
    text_init(&file, out->ctx);
    png_write(&file, pixels, height, width, channels);
    text_add(out, "data:image/png;base64,");
    if (file.failed)
        out->failed = true;
    else
        add_base64(out, (const unsigned char *)file.bytes, file.length);
    text_free(&file);
}

struct value *html_short(struct arena *arena, double number)
{
    char digits[32];
    if (!isfinite(number))
        return value_null(arena);
    if (number == floor(number) && fabs(number) < 1e15)
        return value_integer(arena, (int64_t)number);
    snprintf(digits, sizeof digits, "%.5g", number);
    return value_real(arena, strtod(digits, NULL));
}

void html_json(struct text *out, struct context *ctx, const struct value *data)
{
    struct text json;
    text_init(&json, ctx);
    json_write(data, &json, 0);
    char *bytes = text_take(&json);
    if (bytes == NULL)
        out->failed = true;
    /* In JSON "<" occurs only inside of strings, so it can be written as an escape: no </script> and no <!-- is left. */
    for (const char *at = bytes; at != NULL && *at != '\0'; at++)
        text_add_bytes(out, *at == '<' ? "\\u003c" : at, *at == '<' ? 6 : 1);
    memory_free(ctx, bytes);
    text_free(&json);
}
