/* text.h: a text that grows. Sticky: after an allocation failed, further calls do nothing and text_take returns NULL. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/context.h"

struct text {
    struct context *ctx;
    char *bytes; /* zero-terminated; NULL when empty */
    size_t length, capacity;
    bool failed;
};

void text_init(struct text *text, struct context *ctx);
void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t count);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *text_take(struct text *text); /* the caller's (memory_free); empty text: "" */
void text_free(struct text *text);

#endif
