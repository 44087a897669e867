/* kinds.h: the tables that `retort list` shows, seen alike. */
#ifndef API_KINDS_H
#define API_KINDS_H

#include "base/option.h"

struct method;

/* One entry of a table; texts are NULL where its table has none. */
struct kind_entry {
    const char *name, *summary, *family, *formula, *paper, *when;
    const char *more; /* further lines, shown as they are */
    struct option_set options;
    size_t options_size;
    const struct method *method;   /* of a method: what it reads */
    const char *const *file_paths; /* of a reader: its options that are paths, NULL-terminated; may be NULL */
    const char *example;           /* of a section: "path=value" into the example's recipe */
};

enum kind_id {
    KIND_METHOD,
    KIND_SCHEME,
    KIND_TEACHER,
    KIND_LAYER,
    KIND_NETWORK,
    KIND_OPTIMISER,
    KIND_SCHEDULE,
    KIND_DATA,
    KIND_AUGMENT,
    KIND_SECTION
};

struct kind {
    const char *plural, *singular, *summary;
    size_t (*count)(const struct context *ctx);
    struct kind_entry (*entry)(const struct context *ctx, size_t index);
    enum kind_id id;
};

const struct kind *kind_table(size_t *count);

/* kind_find: by plural or singular; NULL with the error (nearest name) recorded. */
const struct kind *kind_find(struct context *ctx, const char *name);
/* kind_entry_find: its index; -1 with the error recorded. */
int kind_entry_find(struct context *ctx, struct arena *arena, const struct kind *kind, const char *name);

/* entry_value: as `retort list --json` has it. NULL: error recorded. */
struct value *entry_value(struct arena *arena, const struct kind_entry *entry);

/* example_recipe: a recipe that uses the entry and runs, as YAML of the arena. NULL: error recorded. */
const char *example_recipe(struct context *ctx, struct arena *arena, const struct kind *kind,
                           const struct kind_entry *entry);

#endif
