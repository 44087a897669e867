/* json.h: JSON to a value tree and back.
 *
 * Integers stay integers, reals stay reals and round-trip; keys keep the order in which they were written, so the same
 * tree gives the same bytes. Text is UTF-8. */
#ifndef FORMAT_JSON_H
#define FORMAT_JSON_H

#include "base/text.h"
#include "base/value.h"

/* json_parse: one document (any JSON value). A text that is not JSON, duplicate keys, integers over 64 bits, reals out
 * of range, invalid UTF-8 and \u0000 are STATUS_BAD_INPUT: "NAME:LINE:COLUMN: …". `name` is borrowed for the call; the
 * nodes carry no position. */
enum status json_parse(struct context *ctx, struct arena *arena, const char *name, const char *bytes, size_t count,
                       struct value **out);
enum status json_read(struct context *ctx, struct arena *arena, const char *path, struct value **out);

/* json_write: indent 0: one line without spaces; otherwise that many spaces a level, where lists of scalars stay on one
 * line. Reals that are not finite become null; bytes that are not UTF-8 become U+FFFD. NULL value: null. No newline at
 * the end. Sticky as struct text is. */
void json_write(const struct value *value, struct text *out, int indent);

/* json_write_real: the shortest digits that read back as the same number, always with a point or an exponent. */
void json_write_real(double real, struct text *out);

#endif
