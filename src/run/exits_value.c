/* exits_value.c: see exits_value.h. */
#include "run/exits_value.h"

#include "train/evaluate.h"

struct value *exits_value(struct arena *arena, const struct exit_logits *of)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < of->exits->count; i++) {
        const struct metrics metrics =
            metrics_of(of->logits + i * of->samples * of->classes, of->labels, of->samples, of->classes);
        struct value *map = value_set(arena, value_map(arena), "name", value_text(arena, of->exits->items[i].name));
        map = value_set(arena, map, "macs", value_integer(arena, of->exits->items[i].macs));
        map = value_set(arena, map, "accuracy", value_real(arena, metrics.accuracy));
        map = value_set(arena, map, "loss", value_real(arena, metrics.loss));
        list = value_append(arena, list, map);
    }
    return list;
}

struct value *exit_point_figures(struct arena *arena, struct value *map, const struct exit_point *point)
{
    map = value_set(arena, map, "accuracy", value_real(arena, point->accuracy));
    map = value_set(arena, map, "macs", value_real(arena, point->macs));
    return value_set(arena, map, "saved", value_real(arena, point->saved));
}

struct value *exit_points_value(struct arena *arena, const struct exit_point *points, int count, int exits)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < count; i++) {
        struct value *left = value_list(arena);
        struct value *map = value_set(arena, value_map(arena), "threshold", value_real(arena, points[i].threshold));
        for (int exit = 0; exit < exits; exit++)
            left = value_append(arena, left, value_real(arena, points[i].left[exit]));
        map = value_set(arena, exit_point_figures(arena, map, &points[i]), "left", left);
        list = value_append(arena, list, map);
    }
    return list;
}
