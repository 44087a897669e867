/* value.h: a tree of maps, lists and scalars that knows where it came from.
 *
 * Recipes (YAML), metadata and results (JSON) are values. The arena owns every node. Scalars keep
 * their text, so that what was written can be quoted in a message. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "base/arena.h"

enum value_kind { VALUE_NULL, VALUE_BOOLEAN, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

struct value;
struct value_entry {
    const char *key;
    struct value *value;
    int line, column; /* of the key */
};

struct value {
    enum value_kind kind;
    const char *file; /* NULL when made by a program; borrowed from the arena */
    int line, column; /* from 1; 0 when made by a program */
    bool boolean;
    int64_t integer;
    double real;      /* also set for VALUE_INTEGER */
    const char *text; /* of a scalar as written; of VALUE_TEXT the text itself */
    size_t count;     /* of a list or a map */
    size_t capacity;
    struct value **items;        /* VALUE_LIST */
    struct value_entry *entries; /* VALUE_MAP, in the order of writing */
};

/* Makers: NULL when the arena has no memory (the error is recorded); they pass NULL on, so that a
 * tree can be built without a check after each call (sticky). */
struct value *value_null(struct arena *arena);
struct value *value_boolean(struct arena *arena, bool boolean);
struct value *value_integer(struct arena *arena, int64_t integer);
struct value *value_real(struct arena *arena, double real); /* not finite: VALUE_NULL */
struct value *value_text(struct arena *arena, const char *text);
struct value *value_list(struct arena *arena);
struct value *value_map(struct arena *arena);
struct value *value_append(struct arena *arena, struct value *list, struct value *item); /* returns the list */
struct value *value_set(struct arena *arena, struct value *map, const char *key,
                        struct value *value);                             /* replaces; returns the map */
struct value *value_copy(struct arena *arena, const struct value *value); /* deep, positions kept */

/* value_without: the map without the named keys, its positions kept; map NULL: an empty map. NULL: error recorded. */
struct value *value_without(struct arena *arena, const struct value *map, const char *const *keys, size_t count);
/* value_merge: every entry of `from` put into `map` (replacing); NULL passes on. Returns the map. */
struct value *value_merge(struct arena *arena, struct value *map, const struct value *from);

/* value_get: the entry's value or NULL; map may be NULL. */
struct value *value_get(const struct value *map, const char *key);
/* value_path: "a.b.0.c"; a number indexes a list. NULL when it is not there. */
struct value *value_path(const struct value *value, const char *path);
const char *value_kind_text(enum value_kind kind);
/* value_equal: the same tree (kinds, values, order of keys); positions and the writing of numbers do not count. */
bool value_equal(const struct value *a, const struct value *b);
/* value_found: what a message says behind "found": a scalar as written (texts in quotes, cut when long), "a list", "a map",
 * "nothing"; into out, returns out. NULL: "nothing". */
enum { VALUE_FOUND_SIZE = 96 };
const char *value_found(const struct value *value, char out[VALUE_FOUND_SIZE]);

/* value_fail: fail() with "FILE:LINE:COLUMN: " in front where the value has a position, "FILE: " where it has only a file
 * (a value of --set). */
enum status value_fail(struct context *ctx, const struct value *at, enum status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
enum status value_fail_at(struct context *ctx, const char *file, int line, int column, enum status status,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));
/* value_warn: a line of the log, with the place in front as value_fail has it. */
void value_warn(struct context *ctx, const struct value *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* nearest_name: the candidate with the smallest edit distance to `name` when that is at most a third
 * of the name's length (at least 1), else NULL. */
const char *nearest_name(const char *name, const char *const *candidates, size_t count);

#endif
