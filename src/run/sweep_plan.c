/* sweep_plan.c: from recipes and lists of values to runs. Each is bound before the first begins, so that what is wrong in one ends the
 * sweep at once. */
#include "recipe/recipe.h"
#include "run/share.h"
#include "run/sweep.h"
#include "run/sweep_set.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { RUNS_MAX = 1000, NAME_MAX_BYTES = 48 };

struct sweep_sets {
    struct sweep_set *items;
    size_t count, combinations;
};

static enum status sets_read(struct sweep *sweep, struct sweep_sets *sets)
{
    struct context *ctx = sweep->ctx;
    *sets = (struct sweep_sets){.items = arena_take(sweep->arena, (size_t)sweep->options->n_sets, sizeof *sets->items),
                                .combinations = 1};
    if (!sets->items)
        return ctx->error.status;
    for (int i = 0; i < sweep->options->n_sets; i++) {
        struct sweep_set *set = &sets->items[sets->count];
        RETURN_IF(sweep_set_read(ctx, sweep->arena, sweep->options->sets[i], set));
        for (size_t k = 0; k < sets->count; k++)
            if (strcmp(sets->items[k].key, set->key) == 0)
                return fail(ctx, STATUS_BAD_INPUT, "--set %.64s stands twice; give all its values in one list",
                            set->key);
        sets->count++;
        sets->combinations *= set->count;
        if (sets->combinations * (size_t)sweep->options->n_recipes > RUNS_MAX)
            return fail(ctx, STATUS_BAD_INPUT, "expected at most %d runs, found more; use fewer values", RUNS_MAX);
    }
    return STATUS_OK;
}

/* chosen: the value of a set in a combination; the first set varies slowest. */
static const char *chosen(const struct sweep_sets *sets, size_t set, size_t combination)
{
    for (size_t i = sets->count - 1; i > set; i--)
        combination /= sets->items[i].count;
    return sets->items[set].values[combination % sets->items[set].count];
}

/* --- names --- */

/* name_add: what a file's name can have everywhere stays, each run of other characters becomes one dash; none at the end. */
static void name_add(char name[NAME_MAX_BYTES + 1], const char *more, const char *between)
{
    size_t length = strlen(name), begin;
    for (; *between && length < NAME_MAX_BYTES; between++)
        name[length++] = *between;
    begin = length;
    for (; *more && length < NAME_MAX_BYTES; more++) {
        bool plain = isalnum((unsigned char)*more) || strchr("._+-", *more);
        if (plain || (length > begin && name[length - 1] != '-'))
            name[length++] = plain ? *more : '-';
    }
    while (length > begin && name[length - 1] == '-')
        length--;
    name[length] = '\0';
}

static bool name_taken(const struct sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->count; i++)
        if (strcasecmp(sweep->runs[i].name, name) == 0) /* there are file systems that hold them for the same */
            return true;
    return false;
}

static const char *run_name(struct sweep *sweep, const char *recipe, const struct sweep_sets *sets, size_t combination)
{
    char name[NAME_MAX_BYTES + 1] = "";
    name_add(name, recipe + strspn(recipe, "."), "");
    if (name[0] == '\0') /* no letter that every file system has */
        name_add(name, "run", "");
    for (size_t i = 0; i < sets->count; i++) {
        if (sets->items[i].count == 1)
            continue;
        name_add(name, sweep_set_label(sets->items, sets->count, i), "_");
        name_add(name, chosen(sets, i, combination), "-");
    }
    const char *unique = arena_text(sweep->arena, name);
    for (int again = 2; unique && name_taken(sweep, unique); again++)
        unique = arena_format(sweep->arena, "%.*s-%d", NAME_MAX_BYTES - 5, name, again);
    return unique;
}

/* --- a run --- */

/* shared_names: the stages of the plan that other runs might have, too. */
static struct value *shared_names(struct context *ctx, struct arena *arena, const struct plan *plan)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < plan->teachers.count; i++) {
        const struct teacher_plan *teacher = &plan->teachers.items[i];
        const char *name = share_name(ctx, arena, plan, "teacher", teacher->name, teacher->seed);
        if (name)
            list = value_append(arena, list, value_text(arena, name));
        else if (ctx->error.status != STATUS_OK)
            return NULL;
    }
    for (size_t i = 0; plan->baseline && i < plan->seeds.count; i++) {
        uint64_t seed = (uint64_t)plan->seeds.values[i];
        const char *stage = arena_format(arena, "alone-%llu", (unsigned long long)seed);
        const char *name = stage ? share_name(ctx, arena, plan, "alone", stage, seed) : NULL;
        list = value_append(arena, list, name ? value_text(arena, name) : NULL);
    }
    return list;
}

static enum status run_bind(struct sweep *sweep, struct arena *scratch, const char *path, const struct sweep_sets *sets,
                            size_t combination, struct plan *plan, struct sweep_run *run)
{
    struct context *ctx = sweep->ctx;
    struct arena *arena = sweep->arena;
    struct value *recipe = NULL, *set = value_map(arena);
    RETURN_IF(recipe_read(ctx, scratch, path, &recipe));
    for (size_t i = 0; i < sets->count; i++) {
        const char *key = sets->items[i].key, *value = chosen(sets, i, combination);
        const char *assignment = arena_format(scratch, "%s=%s", key, value);
        if (!assignment)
            return ctx->error.status;
        RETURN_IF(recipe_set(ctx, scratch, recipe, assignment));
        set = value_set(arena, set, key, value_copy(arena, value_path(recipe, key)));
    }
    RETURN_IF(plan_make(ctx, scratch, recipe, path, false, plan));
    *run = (struct sweep_run){.name = run_name(sweep, plan->name, sets, combination),
                              .recipe = arena_text(arena, path),
                              .set = set,
                              .text = arena_text(arena, plan->text),
                              .sha256 = arena_text(arena, plan->sha256),
                              .shared = shared_names(ctx, arena, plan)};
    return run->name && run->recipe && run->set && run->text && run->sha256 && run->shared ? STATUS_OK
                                                                                           : ctx->error.status;
}

static enum status run_add(struct sweep *sweep, const char *path, const struct sweep_sets *sets, size_t combination)
{
    struct context *ctx = sweep->ctx;
    struct sweep_run *run = &sweep->runs[sweep->count];
    struct plan plan = {0};
    struct arena *scratch = arena_new(ctx);
    if (!scratch)
        return ctx->error.status;
    enum status status = run_bind(sweep, scratch, path, sets, combination, &plan, run);
    plan_free(ctx, &plan);
    arena_free(scratch);
    RETURN_IF(status);
    for (size_t i = 0; i < sweep->count; i++)
        if (strcmp(sweep->runs[i].sha256, run->sha256) == 0)
            return fail(ctx, STATUS_BAD_INPUT, "%s and %s are the same run: each value applies alike; leave one out",
                        sweep->runs[i].name, run->name);
    sweep->count++;
    return context_cancelled(ctx) ? fail(ctx, STATUS_CANCELLED, "interrupted before the first run") : STATUS_OK;
}

enum status sweep_plan(struct sweep *sweep)
{
    struct sweep_sets sets;
    RETURN_IF(sets_read(sweep, &sets));
    size_t recipes = (size_t)sweep->options->n_recipes;
    if (recipes > RUNS_MAX)
        return fail(sweep->ctx, STATUS_BAD_INPUT, "expected at most %d recipes, found %zu", RUNS_MAX, recipes);
    sweep->runs = arena_take(sweep->arena, recipes * sets.combinations, sizeof *sweep->runs);
    if (!sweep->runs)
        return sweep->ctx->error.status;
    for (size_t i = 0; i < recipes; i++)
        for (size_t k = 0; k < sets.combinations; k++)
            RETURN_IF(run_add(sweep, sweep->options->recipes[i], &sets, k));
    return STATUS_OK;
}
