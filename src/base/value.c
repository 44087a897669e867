/* value.c: making trees, and finding one's way in them. */
#include "base/value.h"

#include "base/scalar.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_FIRST_CAPACITY = 4 };

static struct value *value_new(struct arena *arena, enum value_kind kind)
{
    struct value *value = arena_take(arena, 1, sizeof *value);
    if (value != NULL)
        value->kind = kind;
    return value;
}

struct value *value_null(struct arena *arena)
{
    struct value *value = value_new(arena, VALUE_NULL);
    if (value != NULL)
        value->text = "null";
    return value;
}

struct value *value_boolean(struct arena *arena, bool boolean)
{
    struct value *value = value_new(arena, VALUE_BOOLEAN);
    if (value == NULL)
        return NULL;
    value->boolean = boolean;
    value->text = boolean ? "true" : "false";
    return value;
}

struct value *value_integer(struct arena *arena, int64_t integer)
{
    struct value *value = value_new(arena, VALUE_INTEGER);
    if (value == NULL)
        return NULL;
    value->integer = integer;
    value->real = (double)integer;
    value->text = arena_format(arena, "%" PRId64, integer);
    return value->text == NULL ? NULL : value;
}

struct value *value_real(struct arena *arena, double real)
{
    if (!isfinite(real))
        return value_null(arena);
    struct value *value = value_new(arena, VALUE_REAL);
    if (value == NULL)
        return NULL;
    char text[NUMBER_TEXT_SIZE];
    value->real = real;
    value->text = arena_text(arena, number_text(real, text));
    return value->text == NULL ? NULL : value;
}

struct value *value_text(struct arena *arena, const char *text)
{
    struct value *value = value_new(arena, VALUE_TEXT);
    if (value == NULL)
        return NULL;
    value->text = arena_text(arena, text);
    return value->text == NULL ? NULL : value;
}

struct value *value_list(struct arena *arena)
{
    return value_new(arena, VALUE_LIST);
}

struct value *value_map(struct arena *arena)
{
    return value_new(arena, VALUE_MAP);
}

/* value_room: memory for one more of `size` bytes; what `from` held is copied when it moves. NULL: no memory. */
static void *value_room(struct arena *arena, struct value *value, void *from, size_t size)
{
    if (value->count < value->capacity)
        return from;
    size_t capacity = value->capacity == 0 ? VALUE_FIRST_CAPACITY : 2 * value->capacity;
    void *room = arena_take(arena, capacity, size);
    if (room == NULL)
        return NULL;
    if (value->count > 0)
        memcpy(room, from, value->count * size);
    value->capacity = capacity;
    return room;
}

struct value *value_append(struct arena *arena, struct value *list, struct value *item)
{
    if (list == NULL || item == NULL)
        return NULL;
    assert(list->kind == VALUE_LIST);
    struct value **items = value_room(arena, list, list->items, sizeof *items);
    if (items == NULL)
        return NULL;
    list->items = items;
    items[list->count++] = item;
    return list;
}

static struct value_entry *entry_find(const struct value *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->entries[i].key, key) == 0)
            return &map->entries[i];
    return NULL;
}

struct value *value_set(struct arena *arena, struct value *map, const char *key, struct value *value)
{
    if (map == NULL || value == NULL)
        return NULL;
    assert(map->kind == VALUE_MAP);
    struct value_entry *entry = entry_find(map, key);
    if (entry != NULL) {
        entry->value = value;
        return map;
    }
    struct value_entry *entries = value_room(arena, map, map->entries, sizeof *entries);
    if (entries == NULL)
        return NULL;
    map->entries = entries;
    const char *copy = arena_text(arena, key);
    if (copy == NULL)
        return NULL;
    entries[map->count++] = (struct value_entry){.key = copy, .value = value};
    return map;
}

struct value *value_copy(struct arena *arena, const struct value *value)
{
    if (value == NULL)
        return NULL;
    struct value *copy = arena_copy(arena, value, sizeof *value);
    if (copy == NULL)
        return NULL;
    copy->count = copy->capacity = 0;
    copy->items = NULL;
    copy->entries = NULL;
    if (value->file != NULL)
        copy->file = arena_text(arena, value->file);
    if (value->text != NULL)
        copy->text = arena_text(arena, value->text);
    if ((value->file != NULL && copy->file == NULL) || (value->text != NULL && copy->text == NULL))
        return NULL;
    for (size_t i = 0; i < value->count; i++) {
        if (value->kind == VALUE_LIST) {
            if (value_append(arena, copy, value_copy(arena, value->items[i])) == NULL)
                return NULL;
            continue;
        }
        const struct value_entry *entry = &value->entries[i];
        if (value_set(arena, copy, entry->key, value_copy(arena, entry->value)) == NULL)
            return NULL;
        copy->entries[copy->count - 1].line = entry->line;
        copy->entries[copy->count - 1].column = entry->column;
    }
    return copy;
}

struct value *value_get(const struct value *map, const char *key)
{
    if (map == NULL || map->kind != VALUE_MAP)
        return NULL;
    struct value_entry *entry = entry_find(map, key);
    return entry == NULL ? NULL : entry->value;
}

/* path_step: one part of a path, [start, start + length). */
static struct value *path_step(const struct value *value, const char *start, size_t length)
{
    if (value->kind == VALUE_MAP) {
        for (size_t i = 0; i < value->count; i++)
            if (strlen(value->entries[i].key) == length && memcmp(value->entries[i].key, start, length) == 0)
                return value->entries[i].value;
        return NULL;
    }
    if (value->kind != VALUE_LIST || length == 0 || length > 9 || strspn(start, "0123456789") < length)
        return NULL;
    size_t index = strtoul(start, NULL, 10); /* stops at the '.' */
    return index < value->count ? value->items[index] : NULL;
}

struct value *value_path(const struct value *value, const char *path)
{
    struct value *found = NULL;
    while (value != NULL) {
        size_t length = strcspn(path, ".");
        found = path_step(value, path, length);
        if (found == NULL || path[length] == '\0')
            return found;
        value = found;
        path += length + 1;
    }
    return NULL;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOLEAN:
        return a->boolean == b->boolean;
    case VALUE_INTEGER:
        return a->integer == b->integer;
    case VALUE_REAL:
        return a->real == b->real;
    case VALUE_TEXT:
        return strcmp(a->text, b->text) == 0;
    case VALUE_LIST:
        for (size_t i = 0; i < a->count; i++)
            if (!value_equal(a->items[i], b->items[i]))
                return false;
        return true;
    case VALUE_MAP:
        for (size_t i = 0; i < a->count; i++)
            if (strcmp(a->entries[i].key, b->entries[i].key) != 0 ||
                !value_equal(a->entries[i].value, b->entries[i].value))
                return false;
        return true;
    }
    return false;
}

static bool key_listed(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

struct value *value_without(struct arena *arena, const struct value *map, const char *const *keys, size_t count)
{
    struct value *rest = value_map(arena);
    if (!rest || !map)
        return rest;
    rest->file = map->file;
    rest->line = map->line;
    rest->column = map->column;
    for (size_t i = 0; i < map->count; i++) {
        const struct value_entry *entry = &map->entries[i];
        if (key_listed(entry->key, keys, count))
            continue;
        if (!value_set(arena, rest, entry->key, entry->value))
            return NULL;
        rest->entries[rest->count - 1].line = entry->line;
        rest->entries[rest->count - 1].column = entry->column;
    }
    return rest;
}

struct value *value_merge(struct arena *arena, struct value *map, const struct value *from)
{
    for (size_t i = 0; map && from && i < from->count; i++)
        map = value_set(arena, map, from->entries[i].key, from->entries[i].value);
    return map;
}
