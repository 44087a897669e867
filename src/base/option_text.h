/* option_text.h: what messages and help say about an option. For option*.c only. */
#ifndef BASE_OPTION_TEXT_H
#define BASE_OPTION_TEXT_H

#include "base/option.h"

enum { OPTION_EXPECTED_SIZE = 512 };

/* option_expected: "a number in [0, 1)", "one of \"a\", \"b\""; into out, returns out. */
const char *option_expected(const struct option_spec *spec, char out[OPTION_EXPECTED_SIZE]);
bool option_in_range(const struct option_spec *spec, double number);
/* option_has_min, option_has_max: the bound exists and is finite. */
bool option_has_min(const struct option_spec *spec);
bool option_has_max(const struct option_spec *spec);

/* The map of a scheduled number, bound like any other. */
struct option_set option_real_set(void);
extern const char *const option_real_courses[];

#endif
