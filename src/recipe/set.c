/* set.c: --set a.b.c=VALUE. */
#include "recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

/* A path within the tree, walked part by part. */
struct path {
    const char *name; /* "--set a.b.c", the file of new values */
    const char *part; /* the part that is looked at, of the arena */
    const char *rest; /* behind it; NULL: this is the last */
};

/* unplace: positions within one argument of a command line help nobody; its name does. */
static void unplace(struct value *value)
{
    value->line = value->column = 0;
    for (size_t i = 0; i < value->count; i++) {
        if (value->kind == VALUE_LIST) {
            unplace(value->items[i]);
            continue;
        }
        value->entries[i].line = value->entries[i].column = 0;
        unplace(value->entries[i].value);
    }
}

/* path_next: cuts the next part off; false: no memory. */
static bool path_next(struct arena *arena, struct path *path)
{
    size_t length = strcspn(path->rest, ".");
    path->part = arena_format(arena, "%.*s", (int)length, path->rest);
    path->rest = path->rest[length] == '.' ? path->rest + length + 1 : NULL;
    return path->part != NULL;
}

/* list_slot: where the item that the part names hangs. */
static enum status list_slot(struct context *ctx, struct value *list, const struct path *path, struct value ***slot)
{
    size_t digits = strspn(path->part, "0123456789");
    if (path->part[digits] != '\0')
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected the number of an item of the list, found \"%.64s\"",
                    path->name, path->part);
    size_t index = digits > 9 ? list->count : strtoul(path->part, NULL, 10);
    if (index >= list->count)
        return fail(ctx, STATUS_BAD_INPUT, "%s: the list has no item %s; it has %zu, counted from 0", path->name,
                    path->part, list->count);
    *slot = &list->items[index];
    return STATUS_OK;
}

/* map_slot: where the value of the part hangs; a key that is not there is made, with null. */
static enum status map_slot(struct context *ctx, struct arena *arena, struct value *map, const struct path *path,
                            struct value ***slot)
{
    size_t at = 0;
    while (at < map->count && strcmp(map->entries[at].key, path->part) != 0)
        at++;
    if (at == map->count) {
        struct value *fresh = value_null(arena);
        if (fresh != NULL)
            fresh->file = path->name;
        if (value_set(arena, map, path->part, fresh) == NULL)
            return ctx->error.status;
    }
    *slot = &map->entries[at].value;
    return STATUS_OK;
}

static enum status path_slot(struct context *ctx, struct arena *arena, struct value *root, struct path *path,
                             struct value ***slot)
{
    struct value *value = root;
    *slot = NULL;
    while (path->rest != NULL) {
        if (!path_next(arena, path))
            return ctx->error.status;
        if (path->part[0] == '\0')
            return fail(ctx, STATUS_BAD_INPUT, "%s: expected a key between the dots, found nothing", path->name);
        if (value->kind == VALUE_NULL && *slot != NULL) {
            value = value_map(arena);
            if (value == NULL)
                return ctx->error.status;
            value->file = path->name;
            **slot = value;
        }
        char found[VALUE_FOUND_SIZE];
        if (value->kind == VALUE_LIST)
            RETURN_IF(list_slot(ctx, value, path, slot));
        else if (value->kind == VALUE_MAP)
            RETURN_IF(map_slot(ctx, arena, value, path, slot));
        else
            return fail(ctx, STATUS_BAD_INPUT, "%s: expected a map or a list that holds \"%.64s\", found %s",
                        path->name, path->part, value_found(value, found));
        value = **slot;
    }
    return STATUS_OK;
}

enum status recipe_set(struct context *ctx, struct arena *arena, struct value *root, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return fail(ctx, STATUS_BAD_INPUT, "--set: expected KEY=VALUE, such as student.train.epochs=3, found \"%.64s\"",
                    assignment);
    struct path path = {.name = arena_format(arena, "--set %.*s", (int)(equals - assignment), assignment)};
    if (path.name == NULL)
        return ctx->error.status;
    path.rest = path.name + strlen("--set ");
    const char *text = equals + 1;
    struct value *value = NULL;
    /* The value is read first: a wrong one leaves the tree as it is. */
    if (text[strspn(text, " \t")] == '\0') {
        value = value_null(arena);
        if (value == NULL)
            return ctx->error.status;
        value->file = path.name;
    } else {
        RETURN_IF(recipe_parse(ctx, arena, path.name, text, strlen(text), &value));
        unplace(value);
    }
    struct value **slot = NULL;
    RETURN_IF(path_slot(ctx, arena, root, &path, &slot));
    *slot = value;
    return STATUS_OK;
}
