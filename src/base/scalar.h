/* scalar.h: numbers as text and text as typed scalars, as YAML 1.2's core schema has them.
 *
 * One place says what `1e-4`, `true` and `~` mean: recipes, --set and the defaults of options all use it. */
#ifndef BASE_SCALAR_H
#define BASE_SCALAR_H

#include "base/value.h"

enum { NUMBER_TEXT_SIZE = 32 };

/* number_text: the number with as few of 15 to 17 digits as round-trip, always with a point or an exponent ("1.0",
 * "1e-05"), whatever the locale; into out, returns out. The number is finite. */
const char *number_text(double number, char out[NUMBER_TEXT_SIZE]);

/* value_plain: an unquoted scalar with its type: null, boolean, integer (also 0x and 0o), real, else text. An integer
 * beyond 64 bits is a real. `.inf`, `.nan` and a real beyond the largest double become VALUE_REAL with a value that is not
 * finite, which the caller refuses. NULL with the error recorded when there is no memory. */
struct value *value_plain(struct arena *arena, const char *text);

/* value_flow: a scalar, `[a, b]` or `{k: a, m: b}` without quotes and nesting, as the default of an option is written. */
struct value *value_flow(struct arena *arena, const char *text);

#endif
