/* list.c: retort_list and retort_help. */
#include "api/call.h"
#include "api/kinds.h"

struct retort_list_params retort_list_defaults(void)
{
    return (struct retort_list_params){0};
}

static struct value *kinds_value(struct arena *arena)
{
    size_t count = 0;
    const struct kind *table = kind_table(&count);
    struct value *list = value_list(arena);
    for (size_t i = 0; i < count; i++) {
        struct value *map = value_set(arena, value_map(arena), "name", value_text(arena, table[i].plural));
        map = value_set(arena, map, "singular", value_text(arena, table[i].singular));
        list = value_append(arena, list, value_set(arena, map, "summary", value_text(arena, table[i].summary)));
    }
    return list;
}

static struct value *entries_value(const struct context *ctx, struct arena *arena, const struct kind *kind)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < kind->count(ctx); i++) {
        struct kind_entry entry = kind->entry(ctx, i);
        list = value_append(arena, list, entry_value(arena, &entry));
    }
    return list;
}

enum retort_status retort_list(struct retort_context *context, const struct retort_list_params *params,
                               struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    const struct kind *kind = params->kind != NULL ? kind_find(&result->ctx, params->kind) : NULL;
    if (kind != NULL)
        result->root = entries_value(&result->ctx, result->arena, kind);
    else if (params->kind == NULL)
        result->root = kinds_value(result->arena);
    result->view = view_list;
    return call_end(context, result, result->ctx.error.status, NULL, out);
}

struct retort_help_params retort_help_defaults(void)
{
    return (struct retort_help_params){0};
}

static struct value *help_value(struct context *ctx, struct arena *arena, const struct kind *kind,
                                const struct kind_entry *entry)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"formula", entry->formula}, {"when", entry->when}, {"more", entry->more}};
    const char *example = example_recipe(ctx, arena, kind, entry);
    struct value *map = entry_value(arena, entry);
    map = value_set(arena, map, "kind", value_text(arena, kind->singular));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text != NULL)
            map = value_set(arena, map, texts[i].key, value_text(arena, texts[i].text));
    return example != NULL ? value_set(arena, map, "example", value_text(arena, example)) : NULL;
}

enum retort_status retort_help(struct retort_context *context, const struct retort_help_params *params,
                               struct retort_result **out)
{
    struct retort_result *result = call_begin(context, out);
    if (result == NULL)
        return RETORT_NO_MEMORY;
    struct context *ctx = &result->ctx;
    struct arena *arena = result->arena;
    enum status status = needs(ctx, "a kind", params->kind);
    if (status == STATUS_OK)
        status = needs(ctx, "a name", params->name);
    const struct kind *kind = status == STATUS_OK ? kind_find(ctx, params->kind) : NULL;
    int index = kind != NULL ? kind_entry_find(ctx, arena, kind, params->name) : -1;
    if (index >= 0) {
        struct kind_entry entry = kind->entry(ctx, (size_t)index);
        result->root = help_value(ctx, arena, kind, &entry);
    }
    result->view = view_help;
    return call_end(context, result, ctx->error.status, NULL, out);
}
