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

/* One number below the default and one above, well inside the range; of a large integer two small ones, as for the small arrays of
 * tests. */
static void add_numbers(struct option_grid *grid, struct arena *arena, size_t option)
{
    const struct option_spec *spec = &grid->set.specs[option];
    double initial = initial_number(spec);
    double low = spec->min < spec->max ? spec->min : initial - 2,
           high = spec->min < spec->max ? spec->max : initial + 2;
    double numbers[2] = {(fmax(low, initial - 4) + initial) / 2, (fmin(high, 2 * initial + 2) + initial) / 2};
    if (spec->type == OPTION_INTEGER && initial > 64) {
        numbers[0] = fmax(low, 1) + 1;
        numbers[1] = fmax(low, 1) + 3;
    }
    for (int i = 0; i < 2; i++) {
        double number = spec->type == OPTION_INTEGER ? round(numbers[i]) : numbers[i];
        if (number == initial)
            continue;
        add(grid, option,
            spec->type == OPTION_INTEGER ? value_integer(arena, (int64_t)number) : value_real(arena, number));
    }
}

static bool is_choice(const struct option_spec *spec)
{
    return spec->type == OPTION_CHOICE || spec->type == OPTION_BOOLEAN;
}

struct option_grid option_grid_new(struct arena *arena, struct option_set set)
{
    struct option_grid grid = {.set = set, .n_numbers = 1, .count = 1};
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
        if (is_choice(spec))
            grid.count *= grid.n_values[i];
        else
            grid.n_numbers += grid.n_values[i] - 1;
    }
    grid.count *= grid.n_numbers;
    return grid;
}

/* Combination i: i / n_numbers counts through the choices, i % n_numbers names the number that is not at its default. */
static int64_t stride_of(const struct option_grid *grid, size_t option)
{
    int64_t stride = grid->n_numbers;
    for (size_t i = 0; i < option; i++)
        stride *= is_choice(&grid->set.specs[i]) ? grid->n_values[i] : 1;
    return stride;
}

/* first_of: the i % n_numbers at which a number has its value 1. */
static int64_t first_of(const struct option_grid *grid, size_t option)
{
    int64_t first = 1;
    for (size_t i = 0; i < option; i++)
        first += is_choice(&grid->set.specs[i]) ? 0 : grid->n_values[i] - 1;
    return first;
}

int option_grid_value(const struct option_grid *grid, int64_t i, size_t option)
{
    if (is_choice(&grid->set.specs[option]))
        return (int)(i / stride_of(grid, option) % grid->n_values[option]);
    const int64_t value = i % grid->n_numbers - first_of(grid, option) + 1;
    return value > 0 && value < grid->n_values[option] ? (int)value : 0;
}

struct value *option_grid_map(const struct option_grid *grid, struct arena *arena, int64_t i)
{
    struct value *map = value_map(arena);
    for (size_t option = 0; option < grid->set.count; option++) {
        struct value *value = grid->values[option][option_grid_value(grid, i, option)];
        if (value)
            map = value_set(arena, map, grid->set.specs[option].name, value);
    }
    assert_non_null(map);
    return map;
}

int64_t option_grid_neighbour(const struct option_grid *grid, int64_t i, size_t option)
{
    const int at = option_grid_value(grid, i, option), next = (at + 1) % grid->n_values[option];
    if (is_choice(&grid->set.specs[option]))
        return i + (next - at) * stride_of(grid, option);
    if (at == 0 && i % grid->n_numbers != 0)
        return i;
    return i - i % grid->n_numbers + (next ? first_of(grid, option) + next - 1 : 0);
}
