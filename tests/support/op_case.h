/* op_case.h: one example of an op, with input values, and what the op's reference makes of them.
 *
 * op_check (below) is the whole examination of an op. It knows no op: everything comes from the struct. Whatever it
 * finds wrong is counted and printed with the op's and the example's name and the seed. */
#ifndef SUPPORT_OP_CASE_H
#define SUPPORT_OP_CASE_H

#include "graph/op.h"

#include <stdio.h>

/* A number that backward must get right: the slope of the loss (outputs weighted by op_case.weights and summed up)
 * along one element of an input, or along a direction of +1 and -1 (slope_sign) over all of its elements. */
struct slope {
    int64_t element; /* -1: a direction */
    int direction;
    double value;
};

enum { SLOPES_EACH = 160, SLOPES_DIRECTIONS = 3 };

struct op_case {
    FILE *out; /* where findings are printed; NULL: nowhere */
    struct context *ctx;
    const struct op *op;
    const struct op_example *example;
    uint64_t seed;
    char where[64]; /* "f32, 1 thread": what is examined now */
    int failures;
    struct op_random random;
    struct op_call call; /* elements are REAL */
    int64_t in_count[OP_MAX_INPUTS], out_count[OP_MAX_OUTPUTS];
    double *in[OP_MAX_INPUTS]; /* values that float holds exactly */
    double *out_values[OP_MAX_OUTPUTS];
    double *weights[OP_MAX_OUTPUTS]; /* NULL: the output is not of real numbers */
    bool wanted[OP_MAX_INPUTS];      /* a gradient is examined */
    int n_slopes[OP_MAX_INPUTS];
    struct slope *slopes[OP_MAX_INPUTS];
};

/* op_case_new: shapes, fills and runs the reference; slopes too if the op has a backward. false: a finding was
 * printed, and op_case_free is still due. */
bool op_case_new(struct op_case *c, FILE *out, struct context *ctx, const struct op *op,
                 const struct op_example *example, uint64_t seed);
void op_case_free(struct op_case *c);
/* op_case_fill: other input values (another seed), and the reference's outputs of them; slopes are left. */
void op_case_fill(struct op_case *c, uint64_t seed);
double slope_sign(int direction, int64_t element);
/* op_case_fail: counts and prints a finding. */
void op_case_fail(struct op_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* op_case_run (op_run.c): the kernels of one precision against the reference: inference, training, backward. */
void op_case_run(struct op_case *c, struct kernel_context *kernels, enum element element);
/* op_case_shapes (op_shapes.c): symbolic batch, rows, and shapes that do not fit. Returns whether some input could be
 * given a symbolic batch. */
bool op_case_shapes(struct op_case *c, struct kernel_context *kernels);

/* op_check: every example in both precisions with each of the kernel contexts; returns the number of findings. */
int op_check(FILE *out, struct context *ctx, const struct op *op, struct kernel_context *const *kernels, int n_kernels,
             uint64_t seed);

#endif
