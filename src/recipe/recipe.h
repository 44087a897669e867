/* recipe: YAML to a tree of values that knows line and column, and back. Sees base, and alone libyaml.
 *
 * recipe.h: the part of YAML that a recipe needs: maps, lists and scalars of YAML 1.2's core schema (a quoted scalar is
 * a text). Anchors, aliases, tags, a second document, a key that stands twice, .inf and .nan are refused, and so is what
 * is deeper, larger or longer than the bounds below. A message starts with FILE:LINE:COLUMN: and counts from 1. */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include "base/text.h"
#include "base/value.h"

enum {
    RECIPE_MAX_DEPTH = 64,     /* maps and lists within each other */
    RECIPE_MAX_NODES = 100000, /* maps, lists and scalars without keys */
    RECIPE_MAX_KEYS = 1000,    /* of one map */
    RECIPE_MAX_BYTES = 4 * 1024 * 1024,
};

/* recipe_read: the tree of a file; `path` is what messages call it. STATUS_IO when it cannot be read, STATUS_BAD_INPUT
 * when it is no recipe. The tree belongs to the arena; *out is NULL on failure. */
enum status recipe_read(struct context *ctx, struct arena *arena, const char *path, struct value **out);

/* recipe_parse: the tree of YAML text (count bytes, UTF-8, borrowed for the call); `name` stands for the file in messages. */
enum status recipe_parse(struct context *ctx, struct arena *arena, const char *name, const char *bytes, size_t count,
                         struct value **out);

/* recipe_set: "a.b.1.c=VALUE" (VALUE is YAML; nothing behind the '=': null) puts VALUE into the tree of the map `root`.
 * A number indexes a list and must be one of its items; a map that is missing, or null, is made. The new values have
 * "--set a.b.1.c" for a file and no line. */
enum status recipe_set(struct context *ctx, struct arena *arena, struct value *root, const char *assignment);

/* recipe_write: adds YAML to `out` that recipe_parse reads back to an equal tree. STATUS_BAD_INPUT for a text that is
 * not UTF-8. */
enum status recipe_write(struct context *ctx, const struct value *value, struct text *out);

#endif
