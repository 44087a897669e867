/* view_help.c: one entry in full. */
#include "api/view.h"

static const char *text_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && value->kind == VALUE_TEXT ? value->text : NULL;
}

static bool true_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);
    return value != NULL && value->kind == VALUE_BOOLEAN && value->boolean;
}

static void section(struct text *out, const char *title, const char *text)
{
    if (text == NULL)
        return;
    text_format(out, "\n%s\n", title);
    view_wrap(out, 4, text);
}

static void inputs_write(const struct value *inputs, struct text *out)
{
    char least[VIEW_NUMBER_SIZE], most[VIEW_NUMBER_SIZE];
    if (inputs == NULL || inputs->count == 0)
        return;
    text_add(out, "\nreads\n");
    for (size_t i = 0; i < inputs->count; i++) {
        const struct value *input = inputs->items[i], *min = value_get(input, "min"), *max = value_get(input, "max");
        text_format(out, "    %s: %s", text_of(input, "side"), text_of(input, "name"));
        if (min->integer != 1 || max->integer != 1)
            text_format(out, ", %s to %s of them", view_scalar(min, least), view_scalar(max, most));
        text_format(out, " (%s)\n", text_of(input, "role"));
    }
}

/* range_write: "above 0, at most 1". */
static void range_write(const struct value *option, struct text *out)
{
    char number[VIEW_NUMBER_SIZE];
    const struct value *min = value_get(option, "min"), *max = value_get(option, "max");
    if (min != NULL)
        text_format(out, ", %s %s", true_of(option, "min_excluded") ? "above" : "at least", view_scalar(min, number));
    if (max != NULL)
        text_format(out, ", %s %s", true_of(option, "max_excluded") ? "below" : "at most", view_scalar(max, number));
}

static void option_write(const struct value *option, struct text *out)
{
    const char *form = text_of(option, "form");
    const struct value *values = value_get(option, "values"), *initial = value_get(option, "default");
    text_format(out, "    %s: %s", text_of(option, "name"), text_of(option, "type"));
    if (form != NULL)
        text_format(out, " (%s)", form);
    if (values != NULL) {
        text_add(out, " ");
        view_one_line(values, out);
    }
    if (true_of(option, "required"))
        text_add(out, ", must be given");
    else if (initial != NULL && initial->kind != VALUE_NULL) {
        text_add(out, ", default ");
        view_one_line(initial, out);
    }
    range_write(option, out);
    text_add(out, "\n");
    if (text_of(option, "help") != NULL)
        view_wrap(out, 8, text_of(option, "help"));
}

void view_help(const struct retort_result *result, struct text *out)
{
    const struct value *root = result->root, *options = value_get(root, "options");
    text_format(out, "%s %s", text_of(root, "kind"), text_of(root, "name"));
    if (text_of(root, "family") != NULL)
        text_format(out, " (%s)", text_of(root, "family"));
    text_add(out, "\n");
    view_wrap(out, 4, text_of(root, "summary"));
    section(out, "formula", text_of(root, "formula"));
    section(out, "when to use it", text_of(root, "when"));
    inputs_write(value_get(root, "inputs"), out);
    text_add(out, "\noptions\n");
    if (options->count == 0)
        text_add(out, "    none\n");
    for (size_t i = 0; i < options->count; i++)
        option_write(options->items[i], out);
    section(out, "paper", text_of(root, "paper"));
    if (text_of(root, "more") != NULL)
        text_format(out, "\nmore\n%s\n", text_of(root, "more"));
    text_format(out, "\nexample: save as recipe.yaml, then `retort distill recipe.yaml`\n\n%s",
                text_of(root, "example"));
}
