/* text.c: a text that grows by doubling. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_FIRST_CAPACITY = 128 };

void text_init(struct text *text, struct context *ctx)
{
    *text = (struct text){.ctx = ctx};
}

/* text_reserve: room for `more` bytes and the zero behind them; false: the text has failed. */
static bool text_reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->bytes != NULL && more < text->capacity - text->length)
        return true;
    size_t capacity = text->capacity == 0 ? TEXT_FIRST_CAPACITY : text->capacity;
    while (capacity <= SIZE_MAX / 4 && capacity - text->length <= more)
        capacity *= 2;
    /* For a text too long to count the capacity stays huge and memory_grow refuses it. */
    char *grown = memory_grow(text->ctx, text->bytes, text->length, capacity, 1);
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = grown;
    text->capacity = capacity;
    return true;
}

void text_add_bytes(struct text *text, const char *more, size_t count)
{
    if (!text_reserve(text, count))
        return;
    if (count > 0)
        memcpy(text->bytes + text->length, more, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fail(text->ctx, STATUS_BAD_INPUT, "a text cannot be formatted with \"%s\"", format);
        text->failed = true;
        return;
    }
    if (!text_reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

char *text_take(struct text *text)
{
    text_add_bytes(text, "", 0); /* an empty text becomes "" */
    if (text->failed)
        return NULL;
    char *bytes = text->bytes;
    text_init(text, text->ctx);
    return bytes;
}

void text_free(struct text *text)
{
    memory_free(text->ctx, text->bytes);
    text_init(text, text->ctx);
}
