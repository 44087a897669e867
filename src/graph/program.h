/* program.h: a graph compiled for one batch size: kernels, order and memory plan are fixed before the first run.
 *
 * All programs of a run share one program_memory: only one of them runs at a time, and what it leaves in that memory (its outputs) is
 * valid until the next run of any. A run allocates nothing. */
#ifndef GRAPH_PROGRAM_H
#define GRAPH_PROGRAM_H

#include "graph/graph.h"

struct program;
struct program_memory;

enum {
    PLAN_NO_SHARING = 1,     /* every value has memory of its own: the same bits */
    PLAN_POISON = 2,         /* freed values and fresh memory are filled with NaN: the same result */
    PLAN_WHOLE_BATCH = 4,    /* no slices (slice.c): the bits of the same calls in a program that goes backward, too */
    PLAN_LANES_BACKWARDS = 8 /* lanes (lanes.c) run one after the other, the last first: the same bits */
};

struct program_spec {
    struct node *loss;           /* a scalar whose gradients are wanted; NULL: forward only */
    struct node *const *outputs; /* values that the caller reads after a run */
    int n_outputs;
    bool updates; /* carry out the graph's updates (state, stores) on RUN_COMMIT */
    int64_t batch;
    enum element precision; /* F32 or F64 */
    unsigned flags;
};

/* What the inputs of the graph are in this run: pointers in the order of graph->inputs (those that the program does not read may be
 * NULL), and where random numbers come from. */
struct bindings {
    const void *const *inputs;
    uint64_t seed, step;
};

enum {
    RUN_BACKWARD = 1, /* gradients of the loss into the gradient blocks of the parameters that learn */
    RUN_COMMIT = 2,   /* carry out the updates */
    RUN_CHECK = 4,    /* fail with STATUS_NOT_FINITE naming the first node whose value or gradient is not finite */
};

struct program_memory *program_memory_new(struct context *ctx);
void program_memory_free(struct program_memory *memory);

/* program_compile: the kernels and the memory are borrowed until program_free. *program is the caller's. */
enum status program_compile(struct graph *graph, const struct program_spec *spec, struct kernel_context *kernels,
                            struct program_memory *memory, struct program **program);
void program_free(struct program *program);
enum status program_run(struct program *program, const struct bindings *bindings, unsigned flags);

/* program_output: the i-th output's values after a run, in the program's precision (or I32). */
const void *program_output(const struct program *program, int i);
double program_loss(const struct program *program);          /* after a run */
double program_scalar(const struct program *program, int i); /* output i, a scalar */

/* program_learners: does the loss's gradient reach a parameter of this set (without being run)? */
bool program_reaches(const struct program *program, const struct parameters *parameters);
bool program_reaches_entry(const struct program *program, const struct parameters *parameters, int entry);

/* The plan, for `inspect --plan`, profiles and tests. */
struct program_step_info {
    const char *phase; /* "forward", "recompute", "backward" */
    const char *name;  /* the layer's or the op's */
    const char *op, *kernel;
    struct shape out;
    double seconds; /* summed over the runs since program_profile(program, true) */
    double flops;   /* of one run: two a multiply-accumulate; 0 where none are worth counting */
    double bytes; /* of one run: each array that it is given read, or written, once (read and written where it adds) */
};
int program_step_count(const struct program *program);
struct program_step_info program_step(const struct program *program, int i);
void program_profile(struct program *program, bool on);
/* program_lanes: how many networks' shares of a step run side by side, each on a thread of its own (lanes.c); 1: none do. */
int program_lanes(const struct program *program);
size_t program_arena_bytes(const struct program *program);
size_t program_persistent_bytes(const struct program *program); /* constants and derived values */

#endif
