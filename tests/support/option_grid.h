/* option_grid.h: combinations of a thing's option values: every choice with every other, and with each such combination one
 * number after the other at other values than its default. */
#ifndef SUPPORT_OPTION_GRID_H
#define SUPPORT_OPTION_GRID_H

#include "base/option.h"

enum { GRID_OPTIONS = 12, GRID_VALUES = 12 };

struct option_grid {
    struct option_set set;
    int n_values[GRID_OPTIONS];
    struct value *values[GRID_OPTIONS][GRID_VALUES]; /* NULL: the default */
    int64_t n_numbers;                               /* combinations of the same choices */
    int64_t count;                                   /* of combinations */
};

/* option_grid_new: of each option the default first, then other values: all choices, both booleans, up to two numbers
 * within the range. Options of other types keep their default. */
struct option_grid option_grid_new(struct arena *arena, struct option_set set);
/* option_grid_map: combination i as a recipe's map. */
struct value *option_grid_map(const struct option_grid *grid, struct arena *arena, int64_t i);
/* option_grid_value: which of its values `option` has in combination i. */
int option_grid_value(const struct option_grid *grid, int64_t i, size_t option);
/* option_grid_neighbour: the combination that differs from i only in `option`, whose value becomes the next one; i itself where
 * another number is already at another value. */
int64_t option_grid_neighbour(const struct option_grid *grid, int64_t i, size_t option);

#endif
