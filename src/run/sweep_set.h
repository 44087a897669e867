/* sweep_set.h: `--set a.b.c=V1,V2`: a key of the recipe and the values that it takes in turn. */
#ifndef RUN_SWEEP_SET_H
#define RUN_SWEEP_SET_H

#include "base/arena.h"

struct sweep_set {
    const char *key;
    const char **values; /* [count]: YAML, as written */
    size_t count;
};

/* sweep_set_read: splits the values at commas outside of brackets, braces and quotes. Everything lies in the arena. */
enum status sweep_set_read(struct context *ctx, struct arena *arena, const char *assignment, struct sweep_set *set);

/* sweep_set_label: the last parts of a set's key, as few as tell it from those of the other sets: "epochs", or "teacher.train.epochs"
 * beside "student.train.epochs". Not copied. */
const char *sweep_set_label(const struct sweep_set *sets, size_t count, size_t at);

#endif
