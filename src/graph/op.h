/* graph: nodes, one file an op, differentiation, memory plan, program. Sees base, tensor, kernel.
 *
 * op.h: what an op is. An op is one file graph/op/NAME.c with a constant struct op and its builder, and one line in
 * graph/ops.def. An op knows tensors only by their specs and pointers; the graph and the plan are not its business.
 *
 * Real values are ELEMENT_REAL while a graph is built and ELEMENT_F32 or ELEMENT_F64 from `prepare` on; an op works in both. */
#ifndef GRAPH_OP_H
#define GRAPH_OP_H

#include "kernel/kernel.h"
#include "tensor/shape.h"

enum { OP_MAX_INPUTS = 16, OP_MAX_OUTPUTS = 4 };

/* Does an output row (index of axis 0) depend only on the same row of the inputs (ROWS), on other rows too (MIXED), or has the
 * op nothing to do with the batch (NONE: inputs without a batch axis)? */
enum batch_kind { BATCH_NONE, BATCH_ROWS, BATCH_MIXED };

/* One application of an op, described without data. */
struct op_call {
    struct context *ctx; /* for errors; borrowed */
    const struct op *op;
    const void *attributes; /* of op->attributes_size bytes */
    const char *name;       /* for messages: the layer's or the op's name */
    int n_inputs, n_outputs;
    struct tensor_spec in[OP_MAX_INPUTS];
    struct tensor_spec out[OP_MAX_OUTPUTS];
    struct kernel_context *kernels; /* from prepare on; NULL in shape */
    const struct op_random *random; /* in reference, forward and backward of an op that draws; else may be NULL */
};

/* Where an op that draws gets its numbers: random_key{seed, stream, step} (base/random.h), `stream` from its attributes. */
struct op_random {
    uint64_t seed, step;
};

/* What prepare says. Zeroed before the call. Bits of masks are indices of inputs or outputs. */
struct op_needs {
    const char *kernel; /* name of the implementation that was chosen, e.g. "dnnl:jit:avx2", "direct", "reference" */
    size_t saved_bytes; /* written by forward (if op_run.keep), read by backward and recompute */
    size_t forward_scratch, backward_scratch; /* no lifetime beyond the call */
    size_t
        derived_bytes; /* kept between runs: made from parameters (packed, folded weights); see op_run.derived_stale */
    unsigned reads_inputs;       /* which inputs' values backward reads */
    unsigned reads_outputs;      /* which outputs' values backward reads */
    unsigned overwrite;          /* out[0] may lie in the memory of this input when that is dead afterwards */
    unsigned gradient_overwrite; /* d_in[i] may lie in the memory of d_out[0] */
    bool recomputes;             /* op->recompute can make the outputs again from inputs, saved and derived: not kept */
    void *plan;                  /* the op's own prepared object (library primitives); op->release frees it */
};

/* One run. in, out: data. Backward: d_out[i] NULL means zero (never all of them); d_in[i] NULL: not wanted; add[i]: add to
 * what is in d_in[i], else overwrite. All memory is 64-byte aligned and nothing is allocated. */
struct op_run {
    const struct op_call *call;
    const struct kernels *table; /* the level kernels of the program's precision */
    void *plan;
    const void *const *in;
    void *const *out; /* in backward: const unless needs.reads_outputs, then the values */
    const void *const *d_out;
    void *const *d_in;
    const bool *add;
    void *saved, *scratch, *derived;
    bool derived_stale; /* derived must be made (again): first run, or a parameter changed */
    bool keep;          /* a backward follows: fill saved */
    int threads;
};

/* What the tests that walk the table run: inputs of these shapes (the batch is a plain number here), filled as said. */
enum op_fill {
    OP_FILL_NORMAL,        /* mean 0, deviation 1 */
    OP_FILL_POSITIVE,      /* uniform in [0.5, 2] */
    OP_FILL_APART,         /* normal, but no two values and no value and 0 closer than 0.01 (kinks: relu, max, abs) */
    OP_FILL_BIT,           /* real: 0 or 1 (conditions, ties) */
    OP_FILL_CLASS,         /* I32 in [0, limit) */
    OP_FILL_CLASS_OR_NONE, /* I32 in [-1, limit) */
    OP_FILL_BYTE,          /* U8 */
    OP_FILL_PROBABILITY,   /* rows of the last axis are positive and sum to 1 */
};
struct op_example_input {
    enum op_fill fill;
    int rank;
    int64_t dim[SHAPE_MAX_RANK];
    int64_t limit;
    bool constant; /* no gradient is asked for */
};
struct op_example {
    const char *name;
    const void *attributes;
    int n_inputs;
    struct op_example_input in[OP_MAX_INPUTS];
    double tolerance; /* relative to the largest magnitude, f32 forward and backward; 0: 1e-5 */
    double bounded;   /* where backward bounds the gradient on purpose: the tolerance in f64 too; 0: it is exact */
};

struct op {
    const char *name, *summary;
    int inputs_min, inputs_max, outputs;
    bool view;              /* out[0] is in[0], number by number: programs leave the call out where they can */
    size_t attributes_size; /* 0: none; attributes is then NULL */
    /* shape: fills out[0 … n_outputs-1] from in (dimensions may be symbolic); on shapes that do not fit fails with a message that names
     * call->name, what was expected and found. */
    enum status (*shape)(struct op_call *call);
    enum batch_kind (*batch)(
        const struct op_call
            *call); /* NULL: ROWS (as for all element-wise ops); never asked where no input has a batch */
    enum status (*prepare)(const struct op_call *call, bool backward,
                           struct op_needs *needs); /* NULL: no needs, kernel "loop" */
    void (*release)(void *plan);                    /* NULL when prepare makes no plan */
    void (*forward)(const struct op_run *run);
    void (*backward)(const struct op_run *run);  /* NULL: no gradient flows through (stop-gradient, argmax) */
    void (*recompute)(const struct op_run *run); /* the same bits as forward's outputs */
    /* reference: plain loops in double, independent of the kernels; integers come as doubles. */
    void (*reference)(const struct op_call *call, const double *const *in, double *const *out);
    const struct op_example *examples;
    size_t n_examples;
    /* macs: multiply-accumulates of one forward pass of a bound call, for profiles; each gradient of inputs 0 and 1 takes as many.
     * NULL: none worth counting. */
    double (*macs)(const struct op_call *call);
};

/* Every op of ops.def. */
extern const struct op *const op_table[];
extern const size_t op_table_count;
const struct op *op_find(const char *name); /* NULL: none */

#endif
