/* option.h: options are declared (type, default, range, help) and bound to a struct, never parsed by hand.
 *
 * From one declaration come the check of a recipe, `retort list`, `retort help` and the docs. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/value.h"

#include <stddef.h>

enum option_type {
    OPTION_REAL,      /* double */
    OPTION_SCHEDULED, /* struct real: a number or a map (base/real.h) */
    OPTION_INTEGER,   /* int64_t */
    OPTION_BOOLEAN,   /* bool */
    OPTION_CHOICE,    /* int: index into choices */
    OPTION_TEXT,      /* const char *: NULL when absent and without default */
    OPTION_PAIR,      /* struct option_pair: a number or [height, width] */
    OPTION_INTEGERS,  /* struct option_integers */
    OPTION_REALS,     /* struct option_reals: a list, or one number */
    OPTION_TEXTS,     /* struct option_texts: a list, or one text */
    OPTION_VALUE,     /* const struct value *: any subtree, bound by whoever owns it; NULL when absent */
};

struct option_pair {
    int64_t height, width;
};
struct option_integers {
    size_t count;
    const int64_t *values;
};
struct option_reals {
    size_t count;
    const double *values;
};
struct option_texts {
    size_t count;
    const char *const *values;
};

enum {
    OPTION_REQUIRED = 1,
    OPTION_ABOVE_MIN = 2 /* min itself is out */,
    OPTION_BELOW_MAX = 4 /* max itself is out */
};

/* A range holds where min < max; it applies to every number of a pair or a list. */
struct option_spec {
    const char *name;
    enum option_type type;
    size_t offset;
    const char *initial; /* the default as a recipe would write it; NULL: zero, NULL or an empty list */
    const char *help;
    double min, max;
    const char *const *choices; /* NULL-terminated; OPTION_CHOICE only */
    unsigned flags;
};

struct option_set {
    const struct option_spec *specs;
    size_t count;
};
#define OPTION_SET(array) ((struct option_set){(array), sizeof(array) / sizeof((array)[0])})

/* options_bind: fills *out (a struct that the offsets describe) from defaults and `map` (a VALUE_MAP,
 * or NULL or VALUE_NULL for all defaults). An unknown key, a wrong type and a number out of range fail with
 * the position and the nearest key; `what` names the thing ("method kd"). Lists and texts are copied
 * into the arena. */
enum status options_bind(struct context *ctx, struct arena *arena, struct option_set set, const struct value *map,
                         const char *what, void *out);

/* options_known: fails at the first key of a map (NULL: none) that is not among `keys`, where two sets of options stand in one map: "WHAT has no
 * option …", with the nearest key, or else `hint`. */
enum status options_known(struct context *ctx, const struct value *map, const char *what, const char *const *keys,
                          size_t count, const char *hint);

/* options_value: the struct as a map that options_bind would read back, defaults included (a resolved recipe). */
struct value *options_value(struct arena *arena, struct option_set set, const void *options);

/* options_describe: [{"name","type","default","min"?,"max"?,"values"?,"help"}], as `retort list --json` prints it. */
struct value *options_describe(struct arena *arena, struct option_set set);

#endif
