/* sweep_set.c: see sweep_set.h. */
#include "run/sweep_set.h"

#include <string.h>

/* value_length: up to the comma that ends the first value. Whether brackets and quotes are closed is for YAML to say. */
static size_t value_length(const char *text)
{
    int depth = 0;
    char quote = '\0';
    size_t at = 0;
    for (; text[at] != '\0'; at++) {
        if (quote == '"' && text[at] == '\\' && text[at + 1] != '\0')
            at++;
        else if (quote != '\0')
            quote = text[at] == quote ? '\0' : quote;
        else if (text[at] == '"' || text[at] == '\'')
            quote = text[at];
        else if (text[at] == '[' || text[at] == '{')
            depth++;
        else if (text[at] == ']' || text[at] == '}')
            depth--;
        else if (text[at] == ',' && depth <= 0)
            break;
    }
    return at;
}

/* value_cut: the value without blanks around it; NULL: no memory. */
static const char *value_cut(struct arena *arena, const char *text, size_t length)
{
    size_t start = strspn(text, " \t");
    if (start > length)
        start = length;
    while (length > start && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return arena_format(arena, "%.*s", (int)(length - start), text + start);
}

static enum status value_check(struct context *ctx, const struct sweep_set *set, const char *value)
{
    if (value[0] == '\0')
        return fail(ctx, STATUS_BAD_INPUT,
                    "--set %.64s: expected values with commas between, found an empty one; write null for no value",
                    set->key);
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->values[i], value) == 0)
            return fail(ctx, STATUS_BAD_INPUT, "--set %.64s: %.64s stands twice; each value is a run", set->key, value);
    return STATUS_OK;
}

enum status sweep_set_read(struct context *ctx, struct arena *arena, const char *assignment, struct sweep_set *set)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return fail(ctx, STATUS_BAD_INPUT,
                    "--set: expected KEY=VALUE,VALUE, such as student.train.epochs=3,10, found \"%.64s\"", assignment);
    const char *text = equals + 1;
    *set = (struct sweep_set){.key = arena_format(arena, "%.*s", (int)(equals - assignment), assignment),
                              .values = arena_take(arena, strlen(text) + 1, sizeof *set->values)};
    if (set->key == NULL || set->values == NULL)
        return ctx->error.status;
    for (;;) {
        size_t length = value_length(text);
        const char *value = value_cut(arena, text, length);
        if (value == NULL)
            return ctx->error.status;
        RETURN_IF(value_check(ctx, set, value));
        set->values[set->count++] = value;
        if (text[length] == '\0')
            return STATUS_OK;
        text += length + 1;
    }
}

/* ends_with: whole parts. */
static bool ends_with(const char *key, const char *label)
{
    size_t length = strlen(key), end = strlen(label);
    return length >= end && strcmp(key + length - end, label) == 0 && (length == end || key[length - end - 1] == '.');
}

const char *sweep_set_label(const struct sweep_set *sets, size_t count, size_t at)
{
    const char *key = sets[at].key, *label = key + strlen(key);
    while (label > key) {
        bool alone = true;
        for (label--; label > key && label[-1] != '.';)
            label--;
        for (size_t i = 0; i < count; i++)
            alone = alone && (i == at || !ends_with(sets[i].key, label));
        if (alone)
            break;
    }
    return label;
}
