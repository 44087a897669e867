/* option_value.c: options as values: what applied, and what there is. */
#include "base/option.h"
#include "base/option_text.h"
#include "base/real.h"
#include "base/scalar.h"

#include <string.h>

static struct value *field_add(struct arena *arena, struct value *map, const struct option_spec *spec,
                               const void *options);

/* real_says: whether the map says this; of over and epochs one, and no more than there was before epochs and whole. */
static bool real_says(const struct real *real, size_t offset)
{
    switch (offset) {
    case offsetof(struct real, over):
        return real->epochs <= 0;
    case offsetof(struct real, epochs):
        return real->epochs > 0;
    case offsetof(struct real, whole):
        return real->whole;
    default:
        return true;
    }
}

static struct value *scheduled_value(struct arena *arena, const struct real *real)
{
    if (real->course == REAL_CONSTANT)
        return value_real(arena, real->value);
    const struct option_set set = option_real_set();
    struct value *map = value_map(arena);
    for (size_t i = 0; i < set.count; i++)
        if (real_says(real, set.specs[i].offset))
            map = field_add(arena, map, &set.specs[i], real);
    return map;
}

static struct value *pair_value(struct arena *arena, const struct option_pair *pair)
{
    if (pair->height == pair->width)
        return value_integer(arena, pair->height);
    struct value *list = value_list(arena);
    list = value_append(arena, list, value_integer(arena, pair->height));
    return value_append(arena, list, value_integer(arena, pair->width));
}

static struct value *list_value(struct arena *arena, enum option_type type, const void *field)
{
    const struct option_integers *integers = field;
    const struct option_reals *reals = field;
    const struct option_texts *texts = field;
    struct value *list = value_list(arena);
    if (type == OPTION_INTEGERS)
        for (size_t i = 0; i < integers->count; i++)
            list = value_append(arena, list, value_integer(arena, integers->values[i]));
    else if (type == OPTION_REALS)
        for (size_t i = 0; i < reals->count; i++)
            list = value_append(arena, list, value_real(arena, reals->values[i]));
    else
        for (size_t i = 0; i < texts->count; i++)
            list = value_append(arena, list, value_text(arena, texts->values[i]));
    return list;
}

/* field_value: NULL when there is no memory; *absent: there is nothing to write. */
static struct value *field_value(struct arena *arena, const struct option_spec *spec, const void *field, bool *absent)
{
    *absent = false;
    switch (spec->type) {
    case OPTION_REAL:
        return value_real(arena, *(const double *)field);
    case OPTION_SCHEDULED:
        return scheduled_value(arena, field);
    case OPTION_INTEGER:
        return value_integer(arena, *(const int64_t *)field);
    case OPTION_BOOLEAN:
        return value_boolean(arena, *(const bool *)field);
    case OPTION_CHOICE:
        return value_text(arena, spec->choices[*(const int *)field]);
    case OPTION_TEXT:
        *absent = *(const char *const *)field == NULL;
        return *absent ? NULL : value_text(arena, *(const char *const *)field);
    case OPTION_PAIR:
        return pair_value(arena, field);
    case OPTION_INTEGERS:
    case OPTION_REALS:
    case OPTION_TEXTS:
        return list_value(arena, spec->type, field);
    case OPTION_VALUE:
        *absent = *(const struct value *const *)field == NULL;
        return *absent ? NULL : value_copy(arena, *(const struct value *const *)field);
    }
    return NULL;
}

/* field_add: the map, with what the options say of `spec`. */
static struct value *field_add(struct arena *arena, struct value *map, const struct option_spec *spec,
                               const void *options)
{
    bool absent = false;
    struct value *value = field_value(arena, spec, (const unsigned char *)options + spec->offset, &absent);
    return absent ? map : value_set(arena, map, spec->name, value);
}

struct value *options_value(struct arena *arena, struct option_set set, const void *options)
{
    struct value *map = value_map(arena);
    for (size_t i = 0; i < set.count; i++)
        map = field_add(arena, map, &set.specs[i], options);
    return map;
}

/* type_value: the words of `retort list --json`; what is more than one plain scalar says so in "form". */
static struct value *type_value(struct arena *arena, struct value *map, enum option_type type)
{
    static const struct {
        const char *type, *form;
    } words[] = {
        [OPTION_REAL] = {"number", NULL},     [OPTION_SCHEDULED] = {"number", "scheduled"},
        [OPTION_INTEGER] = {"integer", NULL}, [OPTION_BOOLEAN] = {"boolean", NULL},
        [OPTION_CHOICE] = {"choice", NULL},   [OPTION_TEXT] = {"text", NULL},
        [OPTION_PAIR] = {"integer", "pair"},  [OPTION_INTEGERS] = {"integer", "list"},
        [OPTION_REALS] = {"number", "list"},  [OPTION_TEXTS] = {"text", "list"},
        [OPTION_VALUE] = {"text", "tree"},
    };
    map = value_set(arena, map, "type", value_text(arena, words[type].type));
    if (words[type].form != NULL)
        map = value_set(arena, map, "form", value_text(arena, words[type].form));
    return map;
}

static struct value *initial_value(struct arena *arena, const struct option_spec *spec)
{
    if (spec->flags & OPTION_REQUIRED)
        return value_null(arena);
    if (spec->initial != NULL)
        return spec->type == OPTION_TEXT || spec->type == OPTION_CHOICE ? value_text(arena, spec->initial)
                                                                        : value_flow(arena, spec->initial);
    switch (spec->type) {
    case OPTION_REAL:
    case OPTION_SCHEDULED:
    case OPTION_INTEGER:
    case OPTION_PAIR:
        return value_integer(arena, 0);
    case OPTION_BOOLEAN:
        return value_boolean(arena, false);
    case OPTION_CHOICE:
        return value_text(arena, spec->choices[0]);
    case OPTION_INTEGERS:
    case OPTION_REALS:
    case OPTION_TEXTS:
        return value_list(arena);
    case OPTION_TEXT:
    case OPTION_VALUE:
        break;
    }
    return value_null(arena);
}

static struct value *option_describe(struct arena *arena, const struct option_spec *spec)
{
    struct value *map = value_map(arena);
    map = value_set(arena, map, "name", value_text(arena, spec->name));
    map = type_value(arena, map, spec->type);
    map = value_set(arena, map, "default", initial_value(arena, spec));
    if (spec->flags & OPTION_REQUIRED)
        map = value_set(arena, map, "required", value_boolean(arena, true));
    if (option_has_min(spec)) {
        map = value_set(arena, map, "min", value_real(arena, spec->min));
        if (spec->flags & OPTION_ABOVE_MIN)
            map = value_set(arena, map, "min_excluded", value_boolean(arena, true));
    }
    if (option_has_max(spec)) {
        map = value_set(arena, map, "max", value_real(arena, spec->max));
        if (spec->flags & OPTION_BELOW_MAX)
            map = value_set(arena, map, "max_excluded", value_boolean(arena, true));
    }
    if (spec->type == OPTION_CHOICE) {
        struct value *choices = value_list(arena);
        for (size_t i = 0; spec->choices[i] != NULL; i++)
            choices = value_append(arena, choices, value_text(arena, spec->choices[i]));
        map = value_set(arena, map, "values", choices);
    }
    return value_set(arena, map, "help", value_text(arena, spec->help == NULL ? "" : spec->help));
}

struct value *options_describe(struct arena *arena, struct option_set set)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < set.count; i++)
        list = value_append(arena, list, option_describe(arena, &set.specs[i]));
    return list;
}
