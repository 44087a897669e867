/* view.h: what the views of results share. */
#ifndef API_VIEW_H
#define API_VIEW_H

#include "api/call.h"

#include "base/table.h"

enum { VIEW_NUMBER_SIZE = 40, VIEW_WIDTH = 100 };

/* view_scalar: a scalar for people ("12,345", "0.9123", "true", "-" for null); into out, returns out. */
const char *view_scalar(const struct value *value, char out[VIEW_NUMBER_SIZE]);

/* view_fraction: an accuracy with four decimals; "-" where there is none. */
const char *view_fraction(const struct value *value, char out[VIEW_NUMBER_SIZE]);

/* view_one_line: a value on one line, texts without quotes, as a recipe would have it. */
void view_one_line(const struct value *value, struct text *out);

/* view_entries: a line for each of the first `count` entries of a map. */
void view_entries(const struct value *map, size_t count, struct text *out);

/* view_profile: where the time of a stage of result.json went, if it was profiled; longest first. */
void view_profile(const struct value *stage, struct text *out);

/* view_wrap: words in lines of at most VIEW_WIDTH characters behind `indent` blanks; newlines in the text stay. */
void view_wrap(struct text *out, int indent, const char *text);

#endif
