/* common_budget.c: see common_budget.h. */
#include "run/common_budget.h"

#include <string.h>

/* only: of a list of one teacher, that one. */
static const struct value *only(const struct value *teacher)
{
    return teacher && teacher->kind == VALUE_LIST && teacher->count == 1 ? teacher->items[0] : teacher;
}

/* shapes_optimiser: how a network learns from its gradients is its own. */
static bool shapes_optimiser(const char *key)
{
    static const char *const keys[] = {"optimiser", "schedule", "groups", "decay_norm_bias"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

enum status common_budget_take(struct context *ctx, struct arena *arena, const struct value *section,
                               struct value *teacher, const struct value *student)
{
    struct value *taken = value_get(only(teacher), "train");
    const struct value *said = value_get(only(section), "train"), *given = value_get(student, "train");
    for (size_t i = 0; given && i < given->count; i++) {
        const char *key = given->entries[i].key;
        const struct value *value = given->entries[i].value, *own = value_get(said, key);
        if (shapes_optimiser(key))
            continue;
        if (own && !value_equal(value_get(taken, key), value))
            return value_fail(
                ctx, own, STATUS_BAD_INPUT,
                "teacher.train.%s: teacher and student learn in the same steps, as student.train says; leave %s "
                "out here, or say the same in both",
                key, key);
        if (!value_set(arena, taken, key, value_copy(arena, value)))
            return ctx->error.status;
    }
    return STATUS_OK;
}
