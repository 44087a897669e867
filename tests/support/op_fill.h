/* op_fill.h: the input values of an op's examples; for tests, and for bench/op_values.c. */
#ifndef SUPPORT_OP_FILL_H
#define SUPPORT_OP_FILL_H

#include "graph/op.h"

/* op_take: zeroed memory, the caller's (free). Ends the program where there is none. */
void *op_take(int64_t count, size_t size);
/* op_fill_element: of an input that is filled so: REAL, I32 or U8. */
enum element op_fill_element(enum op_fill fill);
/* op_fill_input: n values, which float holds exactly, of input `number`: a function of the seed. */
void op_fill_input(const struct op_example_input *input, int number, uint64_t seed, int64_t n, double *values);

#endif
