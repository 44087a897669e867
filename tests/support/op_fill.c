#include "support/op_fill.h"

#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void *op_take(int64_t count, size_t size)
{
    void *memory = calloc((size_t)(count > 0 ? count : 1), size);
    if (!memory) {
        fprintf(stderr, "no memory for a test's %lld numbers\n", (long long)count);
        exit(1);
    }
    return memory;
}

enum element op_fill_element(enum op_fill fill)
{
    switch (fill) {
    case OP_FILL_CLASS:
    case OP_FILL_CLASS_OR_NONE:
        return ELEMENT_I32;
    case OP_FILL_BYTE:
        return ELEMENT_U8;
    default:
        return ELEMENT_REAL;
    }
}

/* fill_apart: points of a grid that leaves 0 out, in random order. */
static void fill_apart(const struct random_key *key, int64_t n, double *values)
{
    double step = 4.0 / (double)n > 0.025 ? 4.0 / (double)n : 0.025;
    int32_t *order = op_take(n, sizeof(*order));
    random_permutation(key, n, order);
    for (int64_t i = 0; i < n; i++) {
        values[i] = ((double)order[i] - (double)(n / 2) + 0.5) * step;
    }
    free(order);
}

static void fill_probability(const struct random_key *key, int64_t n, int64_t columns, double *values)
{
    for (int64_t row = 0; row < n; row += columns) {
        double sum = 0;
        for (int64_t i = row; i < row + columns; i++) {
            values[i] = exp(random_normal(key, (uint64_t)i));
            sum += values[i];
        }
        for (int64_t i = row; i < row + columns; i++) {
            values[i] /= sum;
        }
    }
}

void op_fill_input(const struct op_example_input *input, int number, uint64_t seed, int64_t n, double *values)
{
    struct random_key key = {seed, (uint32_t)number, 0};
    if (input->fill == OP_FILL_APART) {
        fill_apart(&key, n, values);
    } else if (input->fill == OP_FILL_PROBABILITY) {
        fill_probability(&key, n, input->rank > 0 ? input->dim[input->rank - 1] : 1, values);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t index = (uint64_t)i;
        switch (input->fill) {
        case OP_FILL_NORMAL:
            values[i] = random_normal(&key, index);
            break;
        case OP_FILL_POSITIVE:
            values[i] = 0.5 + 1.5 * random_uniform(&key, index);
            break;
        case OP_FILL_BIT:
            values[i] = (double)(random_u32(&key, index) & 1);
            break;
        case OP_FILL_CLASS:
            values[i] = (double)((int64_t)random_u32(&key, index) % input->limit);
            break;
        case OP_FILL_CLASS_OR_NONE:
            values[i] = (double)((int64_t)random_u32(&key, index) % (input->limit + 1) - 1);
            break;
        case OP_FILL_BYTE:
            values[i] = (double)(random_u32(&key, index) & 255);
            break;
        case OP_FILL_APART:
        case OP_FILL_PROBABILITY:
            break;
        }
        values[i] = (double)(float)values[i];
    }
}
