/* option.c: binding a map to a struct. */
#include "base/option.h"

#include "base/option_text.h"
#include "base/real.h"
#include "base/scalar.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What one option is bound with; `value` is what the recipe or the default says. */
struct binding {
    struct context *ctx;
    struct arena *arena;
    const struct option_spec *spec;
    const char *what;
};

const char *const option_real_courses[] = {"constant", "linear", "cosine", "ramp", "step", NULL};

static const struct option_spec real_specs[] = {
    {.name = "from",
     .type = OPTION_REAL,
     .offset = offsetof(struct real, value),
     .flags = OPTION_REQUIRED,
     .help = "value at the stage's start"},
    {.name = "to",
     .type = OPTION_REAL,
     .offset = offsetof(struct real, to),
     .flags = OPTION_REQUIRED,
     .help = "value at the end of the course"},
    {.name = "over",
     .type = OPTION_REAL,
     .offset = offsetof(struct real, over),
     .initial = "1",
     .max = 1.0,
     .flags = OPTION_ABOVE_MIN,
     .help = "fraction of the stage's steps that the course takes"},
    {.name = "course",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct real, course),
     .initial = "linear",
     .choices = option_real_courses,
     .help = "how the value moves"},
    {.name = "epochs",
     .type = OPTION_REAL,
     .offset = offsetof(struct real, epochs),
     .max = INFINITY,
     .flags = OPTION_ABOVE_MIN,
     .help = "epochs that the course takes, in place of over"},
    {.name = "whole",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct real, whole),
     .help = "whether the value changes at the ends of epochs alone"},
};
static_assert(sizeof(enum real_course) == sizeof(int), "a choice is bound as an int");

struct option_set option_real_set(void)
{
    return OPTION_SET(real_specs);
}

/* expectation_fail: "method kd, "rate": expected a number in [0, 1), found 1.5". */
static enum status expectation_fail(const struct binding *b, const struct value *value)
{
    char expected[OPTION_EXPECTED_SIZE], found[VALUE_FOUND_SIZE];
    const char *nearest = NULL;
    if (b->spec->type == OPTION_CHOICE && value->kind == VALUE_TEXT) {
        size_t count = 0;
        while (b->spec->choices[count] != NULL)
            count++;
        nearest = nearest_name(value->text, b->spec->choices, count);
    }
    return value_fail(b->ctx, value, STATUS_BAD_INPUT, "%s, \"%s\": expected %s, found %s%s%s%s", b->what,
                      b->spec->name, option_expected(b->spec, expected), value_found(value, found),
                      nearest == NULL ? "" : "; nearest: \"", nearest == NULL ? "" : nearest,
                      nearest == NULL ? "" : "\"");
}

static enum status bind_real(const struct binding *b, const struct value *value, double *out)
{
    bool number = value->kind == VALUE_REAL || value->kind == VALUE_INTEGER;
    if (!number || !isfinite(value->real) || !option_in_range(b->spec, value->real))
        return expectation_fail(b, value);
    *out = value->real;
    return STATUS_OK;
}

static enum status bind_integer(const struct binding *b, const struct value *value, int64_t *out)
{
    /* 1e3 is a fine way to write an integer; beyond 2^53 a double no longer says which one. */
    bool whole = value->kind == VALUE_REAL && fabs(value->real) <= 0x1p53 && floor(value->real) == value->real;
    if ((value->kind != VALUE_INTEGER && !whole) || !option_in_range(b->spec, value->real))
        return expectation_fail(b, value);
    *out = whole ? (int64_t)value->real : value->integer;
    return STATUS_OK;
}

static enum status bind_choice(const struct binding *b, const struct value *value, int *out)
{
    const char *text = value->kind == VALUE_BOOLEAN ? (value->boolean ? "true" : "false") : value->text;
    for (int i = 0; text != NULL && b->spec->choices[i] != NULL; i++) {
        if (strcmp(text, b->spec->choices[i]) == 0) {
            *out = i;
            return STATUS_OK;
        }
    }
    return expectation_fail(b, value);
}

/* bind_text: also a number as it was written (a file's name may be one). */
static enum status bind_text(const struct binding *b, const struct value *value, const char **out)
{
    if (value->kind != VALUE_TEXT && value->kind != VALUE_INTEGER && value->kind != VALUE_REAL)
        return expectation_fail(b, value);
    *out = arena_text(b->arena, value->text);
    return *out == NULL ? b->ctx->error.status : STATUS_OK;
}

static enum status bind_pair(const struct binding *b, const struct value *value, struct option_pair *out)
{
    if (value->kind != VALUE_LIST) {
        RETURN_IF(bind_integer(b, value, &out->height));
        out->width = out->height;
        return STATUS_OK;
    }
    if (value->count != 2)
        return expectation_fail(b, value);
    RETURN_IF(bind_integer(b, value->items[0], &out->height));
    return bind_integer(b, value->items[1], &out->width);
}

static enum status bind_scheduled(const struct binding *b, const struct value *value, struct real *out)
{
    if (value->kind != VALUE_MAP) {
        double number = 0.0;
        RETURN_IF(bind_real(b, value, &number));
        *out = real_constant(number);
        return STATUS_OK;
    }
    const char *what = arena_format(b->arena, "%s, \"%s\"", b->what, b->spec->name);
    if (what == NULL)
        return b->ctx->error.status;
    RETURN_IF(options_bind(b->ctx, b->arena, option_real_set(), value, what, out));
    if (value_get(value, "over") != NULL && value_get(value, "epochs") != NULL)
        return value_fail(b->ctx, value_get(value, "epochs"), STATUS_BAD_INPUT,
                          "%s: expected \"over\" or \"epochs\", found both; leave one out", what);
    if (!option_in_range(b->spec, out->value))
        return expectation_fail(b, value_get(value, "from"));
    if (!option_in_range(b->spec, out->to))
        return expectation_fail(b, value_get(value, "to"));
    return STATUS_OK;
}

/* bind_list: one scalar is a list of one. The three list types have the same layout but for what they point to. */
static enum status bind_list(const struct binding *b, const struct value *value, void *out)
{
    bool one = value->kind != VALUE_LIST;
    size_t count = one ? 1 : value->count;
    enum option_type type = b->spec->type;
    int64_t *integers = NULL;
    double *reals = NULL;
    const char **texts = NULL;
    if (count > 0 && type == OPTION_INTEGERS)
        integers = arena_take(b->arena, count, sizeof *integers);
    else if (count > 0 && type == OPTION_REALS)
        reals = arena_take(b->arena, count, sizeof *reals);
    else if (count > 0)
        texts = arena_take(b->arena, count, sizeof *texts);
    if (count > 0 && integers == NULL && reals == NULL && texts == NULL)
        return b->ctx->error.status;
    for (size_t i = 0; i < count; i++) {
        const struct value *item = one ? value : value->items[i];
        if (integers != NULL)
            RETURN_IF(bind_integer(b, item, &integers[i]));
        else if (reals != NULL)
            RETURN_IF(bind_real(b, item, &reals[i]));
        else
            RETURN_IF(bind_text(b, item, &texts[i]));
    }
    if (type == OPTION_INTEGERS)
        *(struct option_integers *)out = (struct option_integers){count, integers};
    else if (type == OPTION_REALS)
        *(struct option_reals *)out = (struct option_reals){count, reals};
    else
        *(struct option_texts *)out = (struct option_texts){count, texts};
    return STATUS_OK;
}

static enum status bind_value(const struct binding *b, const struct value *value, void *out)
{
    switch (b->spec->type) {
    case OPTION_REAL:
        return bind_real(b, value, out);
    case OPTION_SCHEDULED:
        return bind_scheduled(b, value, out);
    case OPTION_INTEGER:
        return bind_integer(b, value, out);
    case OPTION_BOOLEAN:
        if (value->kind != VALUE_BOOLEAN)
            return expectation_fail(b, value);
        *(bool *)out = value->boolean;
        return STATUS_OK;
    case OPTION_CHOICE:
        return bind_choice(b, value, out);
    case OPTION_TEXT:
        return bind_text(b, value, out);
    case OPTION_PAIR:
        return bind_pair(b, value, out);
    case OPTION_INTEGERS:
    case OPTION_REALS:
    case OPTION_TEXTS:
        return bind_list(b, value, out);
    case OPTION_VALUE:
        *(const struct value **)out = value;
        return STATUS_OK;
    }
    return expectation_fail(b, value);
}

/* bind_initial: the declared default; without one zero, NULL or an empty list. */
static enum status bind_initial(const struct binding *b, void *out)
{
    static const size_t sizes[] = {
        [OPTION_REAL] = sizeof(double),
        [OPTION_SCHEDULED] = sizeof(struct real),
        [OPTION_INTEGER] = sizeof(int64_t),
        [OPTION_BOOLEAN] = sizeof(bool),
        [OPTION_CHOICE] = sizeof(int),
        [OPTION_TEXT] = sizeof(char *),
        [OPTION_PAIR] = sizeof(struct option_pair),
        [OPTION_INTEGERS] = sizeof(struct option_integers),
        [OPTION_REALS] = sizeof(struct option_reals),
        [OPTION_TEXTS] = sizeof(struct option_texts),
        [OPTION_VALUE] = sizeof(struct value *),
    };
    if (b->spec->initial == NULL) {
        memset(out, 0, sizes[b->spec->type]);
        if (b->spec->type == OPTION_SCHEDULED)
            *(struct real *)out = real_constant(0.0);
        return STATUS_OK;
    }
    struct value *value = b->spec->type == OPTION_TEXT || b->spec->type == OPTION_CHOICE
                              ? value_text(b->arena, b->spec->initial)
                              : value_flow(b->arena, b->spec->initial);
    if (value == NULL)
        return b->ctx->error.status;
    return bind_value(b, value, out);
}

/* accepts_null: `name: null` says what leaving the option out says, where that is NULL or an empty list. */
static bool accepts_null(const struct option_spec *spec)
{
    bool empty = spec->type == OPTION_TEXT || spec->type == OPTION_VALUE || spec->type == OPTION_INTEGERS ||
                 spec->type == OPTION_REALS || spec->type == OPTION_TEXTS;
    return empty && spec->initial == NULL && (spec->flags & OPTION_REQUIRED) == 0;
}

/* entry_fail: an entry that --set made has no line; its value says where it is from. */
static enum status entry_fail(struct context *ctx, const struct value *map, const struct value_entry *entry,
                              const char *what, const char *hint)
{
    const char *file = entry->line > 0 ? map->file : entry->value->file;
    return value_fail_at(ctx, file, entry->line, entry->column, STATUS_BAD_INPUT, "%s has no option \"%.64s\"; %s",
                         what, entry->key, hint);
}

static enum status unknown_fail(struct context *ctx, struct arena *arena, struct option_set set,
                                const struct value *map, const struct value_entry *entry, const char *what)
{
    const char **names = arena_take(arena, set.count, sizeof *names);
    if (names == NULL)
        return ctx->error.status;
    for (size_t i = 0; i < set.count; i++)
        names[i] = set.specs[i].name;
    const char *hint = "it has none";
    const char *nearest = nearest_name(entry->key, names, set.count);
    if (nearest != NULL) {
        hint = arena_format(arena, "nearest: \"%s\"", nearest);
    } else if (set.count > 0) {
        hint = arena_format(arena, "it has \"%s\"", names[0]);
        for (size_t i = 1; i < set.count && hint != NULL; i++)
            hint = arena_format(arena, "%s, \"%s\"", hint, names[i]);
    }
    if (hint == NULL)
        return ctx->error.status;
    return entry_fail(ctx, map, entry, what, hint);
}

enum status options_bind(struct context *ctx, struct arena *arena, struct option_set set, const struct value *map,
                         const char *what, void *out)
{
    char text[OPTION_EXPECTED_SIZE];
    if (map != NULL && map->kind == VALUE_NULL)
        map = NULL;
    if (map != NULL && map->kind != VALUE_MAP)
        return value_fail(ctx, map, STATUS_BAD_INPUT, "%s: expected a map of options, found %s", what,
                          value_found(map, text));
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        size_t known = 0;
        while (known < set.count && strcmp(map->entries[i].key, set.specs[known].name) != 0)
            known++;
        if (known == set.count)
            return unknown_fail(ctx, arena, set, map, &map->entries[i], what);
    }
    for (size_t i = 0; i < set.count; i++) {
        const struct option_spec *spec = &set.specs[i];
        const struct binding b = {ctx, arena, spec, what};
        void *field = (unsigned char *)out + spec->offset;
        const struct value *value = value_get(map, spec->name);
        if (value != NULL && value->kind == VALUE_NULL && accepts_null(spec))
            value = NULL;
        if (value != NULL)
            RETURN_IF(bind_value(&b, value, field));
        else if (spec->flags & OPTION_REQUIRED)
            return value_fail(ctx, map, STATUS_BAD_INPUT, "%s needs the option \"%s\": expected %s, found nothing",
                              what, spec->name, option_expected(spec, text));
        else
            RETURN_IF(bind_initial(&b, field));
    }
    return STATUS_OK;
}

enum status options_known(struct context *ctx, const struct value *map, const char *what, const char *const *keys,
                          size_t count, const char *hint)
{
    for (size_t i = 0; map != NULL && map->kind == VALUE_MAP && i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(keys[j], entry->key) == 0;
        if (known)
            continue;
        char near[128];
        const char *nearest = nearest_name(entry->key, keys, count);
        snprintf(near, sizeof near, "nearest: \"%.100s\"", nearest ? nearest : "");
        return entry_fail(ctx, map, entry, what, nearest ? near : hint);
    }
    return STATUS_OK;
}
