/* op_bench.h: an op's kernels in one precision, in guarded and poisoned memory. Shared by op_run.c and op_backward.c.
 * */
#ifndef SUPPORT_OP_BENCH_H
#define SUPPORT_OP_BENCH_H

#include "support/guarded.h"
#include "support/op_case.h"

/* One precision's buffers of a case. */
struct bench {
    struct op_case *c;
    struct op_call call; /* with elements */
    struct op_needs needs;
    struct guarded in[OP_MAX_INPUTS], out[OP_MAX_OUTPUTS], saved, derived;
    const struct kernels *table;
    int threads;
    double tolerance;
};

/* What one run gets instead of the bench's own buffers. */
struct pointers {
    const void *in[OP_MAX_INPUTS];
    void *out[OP_MAX_OUTPUTS];
    const void *d_out[OP_MAX_OUTPUTS];
    void *d_in[OP_MAX_INPUTS];
    bool add[OP_MAX_INPUTS];
};

void bench_put(enum element element, int64_t n, const double *values, struct guarded *to);
struct guarded bench_buffer(const struct tensor_spec *spec); /* room for such a tensor */
struct pointers bench_pointers(const struct bench *b);       /* the bench's own inputs and outputs */
/* bench_call: one run of forward, recompute or backward with fresh, poisoned scratch; what must not be written is
 * compared. */
void bench_call(struct bench *b, void (*function)(const struct op_run *), const char *what, const struct pointers *p,
                bool keep, bool stale, size_t scratch_bytes);
/* bench_same_outputs: the outputs are, bit for bit, those of an earlier run. */
void bench_same_outputs(struct bench *b, const struct guarded *expected, const char *what);
/* bench_backward (op_backward.c): after a forward that kept: gradients, and all the ways to ask for them. */
void bench_backward(struct bench *b);

#endif
