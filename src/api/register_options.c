/* register_options.c: the options of what comes from outside. */
#include "api/register.h"

#include "base/arena.h"
#include "base/real.h"

#include <ctype.h>
#include <stdalign.h>
#include <string.h>

bool outside_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return false;
    return true;
}

const char *text_copy(struct arena *arena, const char *text)
{
    return text != NULL ? arena_text(arena, text) : NULL;
}

/* The fields behind enum retort_option_type. */
static const struct field {
    enum option_type type;
    size_t size, alignment;
} fields[] = {
    [RETORT_OPTION_NUMBER] = {OPTION_REAL, sizeof(double), alignof(double)},
    [RETORT_OPTION_SCHEDULED] = {OPTION_SCHEDULED, sizeof(struct real), alignof(struct real)},
    [RETORT_OPTION_INTEGER] = {OPTION_INTEGER, sizeof(int64_t), alignof(int64_t)},
    [RETORT_OPTION_BOOLEAN] = {OPTION_BOOLEAN, sizeof(bool), alignof(bool)},
    [RETORT_OPTION_CHOICE] = {OPTION_CHOICE, sizeof(int), alignof(int)},
    [RETORT_OPTION_TEXT] = {OPTION_TEXT, sizeof(const char *), alignof(const char *)},
    [RETORT_OPTION_PAIR] = {OPTION_PAIR, sizeof(struct option_pair), alignof(struct option_pair)},
};

static enum status option_check(struct context *ctx, const char *what, const struct retort_option *given, size_t size)
{
    if (!outside_name(given->name))
        return fail(ctx, STATUS_BAD_INPUT, "%s: an option's name consists of letters, digits, _ and -; found \"%s\"",
                    what, given->name != NULL ? given->name : "");
    if ((size_t)given->type >= sizeof fields / sizeof fields[0])
        return fail(ctx, STATUS_BAD_INPUT, "%s, \"%s\": there is no type of options %d", what, given->name,
                    (int)given->type);
    const struct field *field = &fields[given->type];
    if (given->offset % field->alignment != 0 || size < field->size || given->offset > size - field->size)
        return fail(ctx, STATUS_BAD_INPUT,
                    "%s, \"%s\": expected a field of %zu bytes inside of the %zu of options_size, found offset %zu",
                    what, given->name, field->size, size, given->offset);
    if (given->type == RETORT_OPTION_CHOICE && (given->choices == NULL || given->choices[0] == NULL))
        return fail(ctx, STATUS_BAD_INPUT, "%s, \"%s\": a choice without choices", what, given->name);
    return given->help != NULL
               ? STATUS_OK
               : fail(ctx, STATUS_BAD_INPUT, "%s, \"%s\": expected a help text, found none", what, given->name);
}

static const char *const *choices_copy(struct arena *arena, const char *const *choices)
{
    size_t count = 0;
    while (choices[count] != NULL)
        count++;
    const char **copy = arena_take(arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = arena_text(arena, choices[i]);
        if (copy[i] == NULL)
            return NULL;
    }
    return copy;
}

static enum status option_copy(struct context *ctx, struct arena *arena, const struct retort_option *given,
                               struct option_spec *spec)
{
    *spec = (struct option_spec){.name = arena_text(arena, given->name),
                                 .type = fields[given->type].type,
                                 .offset = given->offset,
                                 .initial = text_copy(arena, given->initial),
                                 .help = arena_text(arena, given->help),
                                 .min = given->min,
                                 .max = given->max,
                                 .flags = given->initial == NULL ? OPTION_REQUIRED : 0};
    if (given->type == RETORT_OPTION_CHOICE)
        spec->choices = choices_copy(arena, given->choices);
    return ctx->error.status;
}

enum status outside_options(struct context *ctx, struct arena *arena, const char *what,
                            const struct retort_option *given, size_t count, size_t size,
                            const struct option_spec **out)
{
    struct option_spec *specs = arena_take(arena, count, sizeof *specs);
    void *defaults = arena_take(arena, size, 1);
    *out = specs;
    if (specs == NULL || defaults == NULL)
        return ctx->error.status;
    for (size_t i = 0; i < count; i++) {
        RETURN_IF(option_check(ctx, what, &given[i], size));
        for (size_t j = 0; j < i; j++)
            if (strcmp(given[i].name, given[j].name) == 0)
                return fail(ctx, STATUS_BAD_INPUT, "%s: two options are called \"%s\"", what, given[i].name);
        RETURN_IF(option_copy(ctx, arena, &given[i], &specs[i]));
        if (given[i].initial != NULL)
            RETURN_IF(options_bind(ctx, arena, (struct option_set){&specs[i], 1}, NULL, what, defaults));
    }
    return STATUS_OK;
}
