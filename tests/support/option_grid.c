/* option_grid.c: combinations of option values. */
#include "support/option_grid.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct option_grid *grid, size_t option, struct value *value)
{
    assert_true(grid->n_values[option] < GRID_VALUES);
    grid->values[option][grid->n_values[option]++] = value;
}

static double initial_number(const struct option_spec *spec)
{
    double number = 0;
    if (spec->initial)
        assert_int_equal(sscanf(spec->initial, "%lf", &number), 1);
    return number;
}

/* One number below the default and one above, well inside the range. */
static void add_numbers(struct option_grid *grid, struct arena *arena, size_t option)
{
    const struct option_spec *spec = &grid->set.specs[option];
    double initial = initial_number(spec);
    double low = spec->min < spec->max ? spec->min : initial - 2,
           high = spec->min < spec->max ? spec->max : initial + 2;
    double numbers[2] = {(fmax(low, initial - 4) + initial) / 2, (fmin(high, 2 * initial + 2) + initial) / 2};
    for (int i = 0; i < 2; i++) {
        double number = spec->type == OPTION_INTEGER ? round(numbers[i]) : numbers[i];
        if (number == initial)
            continue;
        add(grid, option,
            spec->type == OPTION_INTEGER ? value_integer(arena, (int64_t)number) : value_real(arena, number));
    }
}

struct option_grid option_grid_new(struct arena *arena, struct option_set set)
{
    struct option_grid grid = {.set = set, .count = 1};
    assert_true(set.count <= GRID_OPTIONS);
    for (size_t i = 0; i < set.count; i++) {
        const struct option_spec *spec = &set.specs[i];
        add(&grid, i, NULL);
        if (spec->type == OPTION_CHOICE) {
            for (int c = 0; spec->choices[c]; c++)
                if (!spec->initial || strcmp(spec->choices[c], spec->initial) != 0)
                    add(&grid, i, value_text(arena, spec->choices[c]));
        } else if (spec->type == OPTION_BOOLEAN) {
            add(&grid, i, value_boolean(arena, !spec->initial || strcmp(spec->initial, "true") != 0));
        } else if (spec->type == OPTION_REAL || spec->type == OPTION_SCHEDULED || spec->type == OPTION_INTEGER) {
            add_numbers(&grid, arena, i);
        }
        grid.count *= grid.n_values[i];
    }
    return grid;
}

static int64_t stride_of(const struct option_grid *grid, size_t option)
{
    int64_t stride = 1;
    for (size_t i = 0; i < option; i++)
        stride *= grid->n_values[i];
    return stride;
}

struct value *option_grid_map(const struct option_grid *grid, struct arena *arena, int64_t i)
{
    struct value *map = value_map(arena);
    for (size_t option = 0; option < grid->set.count; option++) {
        struct value *value = grid->values[option][i / stride_of(grid, option) % grid->n_values[option]];
        if (value)
            map = value_set(arena, map, grid->set.specs[option].name, value);
    }
    assert_non_null(map);
    return map;
}

int64_t option_grid_neighbour(const struct option_grid *grid, int64_t i, size_t option)
{
    int64_t stride = stride_of(grid, option), at = i / stride % grid->n_values[option];
    int64_t next = (at + 1) % grid->n_values[option];
    return i + (next - at) * stride;
}
