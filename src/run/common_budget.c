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

/* absent: of values as a recipe may say them; null stands for none. */
static bool absent(const struct value *value)
{
    return !value || value->kind == VALUE_NULL;
}

static bool same(const struct value *a, const struct value *b)
{
    return absent(a) || absent(b) ? absent(a) && absent(b) : value_equal(a, b);
}

enum status common_budget_take(struct context *ctx, struct arena *arena, const struct value *section,
                               struct value *teacher, const struct value *student)
{
    struct value *taken = value_get(only(teacher), "train");
    const struct value *said = value_get(only(section), "train"), *given = value_get(student, "train");
    for (size_t i = 0; said && said->kind == VALUE_MAP && i < said->count; i++) {
        const char *key = said->entries[i].key;
        const struct value *value = said->entries[i].value;
        if (!shapes_optimiser(key) && !absent(value) && !same(value_get(taken, key), value_get(given, key)))
            value_warn(
                ctx, value,
                "teacher.train.%s has no effect: teacher and student learn in the same steps, as student.train says",
                key);
    }
    for (size_t i = 0; taken && i < taken->count; i++)
        if (!shapes_optimiser(taken->entries[i].key) && !value_get(given, taken->entries[i].key))
            taken->entries[i].value = value_null(arena);
    for (size_t i = 0; given && i < given->count; i++) {
        const struct value_entry *entry = &given->entries[i];
        if (!shapes_optimiser(entry->key))
            value_set(arena, taken, entry->key, value_copy(arena, entry->value));
    }
    return ctx->error.status;
}
