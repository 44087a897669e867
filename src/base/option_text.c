/* option_text.c: ranges and types in words. */
#include "base/option_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool has_range(const struct option_spec *spec)
{
    return spec->min < spec->max;
}

bool option_has_min(const struct option_spec *spec)
{
    return has_range(spec) && isfinite(spec->min);
}

bool option_has_max(const struct option_spec *spec)
{
    return has_range(spec) && isfinite(spec->max);
}

bool option_in_range(const struct option_spec *spec, double number)
{
    if (!has_range(spec))
        return true;
    bool above = spec->flags & OPTION_ABOVE_MIN ? number > spec->min : number >= spec->min;
    bool below = spec->flags & OPTION_BELOW_MAX ? number < spec->max : number <= spec->max;
    return above && below;
}

__attribute__((format(printf, 2, 3))) static void expected_add(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, OPTION_EXPECTED_SIZE - used, format, arguments);
    va_end(arguments);
}

static void range_add(const struct option_spec *spec, char *out)
{
    bool low = option_has_min(spec), high = option_has_max(spec);
    bool above = (spec->flags & OPTION_ABOVE_MIN) != 0, below = (spec->flags & OPTION_BELOW_MAX) != 0;
    if (low && high)
        expected_add(out, " in %c%.15g, %.15g%c", above ? '(' : '[', spec->min, spec->max, below ? ')' : ']');
    else if (low)
        expected_add(out, " %s %.15g", above ? "above" : "of at least", spec->min);
    else if (high)
        expected_add(out, " %s %.15g", below ? "below" : "of at most", spec->max);
}

const char *option_expected(const struct option_spec *spec, char out[OPTION_EXPECTED_SIZE])
{
    static const char *const words[] = {
        [OPTION_REAL] = "a number",           [OPTION_SCHEDULED] = "a number",
        [OPTION_INTEGER] = "an integer",      [OPTION_BOOLEAN] = "true or false",
        [OPTION_CHOICE] = "one of",           [OPTION_TEXT] = "a text",
        [OPTION_PAIR] = "an integer",         [OPTION_INTEGERS] = "a list of integers",
        [OPTION_REALS] = "a list of numbers", [OPTION_TEXTS] = "a list of texts",
        [OPTION_VALUE] = "a value",
    };
    out[0] = '\0';
    expected_add(out, "%s", words[spec->type]);
    switch (spec->type) {
    case OPTION_REAL:
    case OPTION_INTEGER:
    case OPTION_INTEGERS:
    case OPTION_REALS:
        range_add(spec, out);
        break;
    case OPTION_SCHEDULED:
        range_add(spec, out);
        expected_add(out, " or a map {from, to, over or epochs, course, whole}");
        break;
    case OPTION_PAIR:
        range_add(spec, out);
        expected_add(out, " or [height, width]");
        break;
    case OPTION_CHOICE:
        for (size_t i = 0; spec->choices[i] != NULL; i++)
            expected_add(out, "%s \"%s\"", i > 0 ? "," : "", spec->choices[i]);
        break;
    case OPTION_BOOLEAN:
    case OPTION_TEXT:
    case OPTION_TEXTS:
    case OPTION_VALUE:
        break;
    }
    return out;
}
