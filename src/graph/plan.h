/* plan.h: what compiling makes of a graph, shared by the files that make it: collect.c (calls in order), slice.c (samples
 * at a time), fuse.c and squares.c (patterns), views.c (copies that need not be made), lanes.c (networks side by side),
 * sequence.c (forward, recompute and backward steps), plan.c (lifetimes and offsets), program.c (the run), profile.c (what it took). */
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H

#include "graph/program.h"

/* Steps of one stretch and different lanes run side by side; all else runs in the order of the steps. */
enum stretch {
    STRETCH_FIRST,
    STRETCH_FORWARD,
    STRETCH_FORWARD_JOINED,
    STRETCH_BACKWARD_JOINED,
    STRETCH_BACKWARD,
    STRETCH_END
};
enum { LANES_MOST = 16 };
struct place {
    enum stretch stretch;
    int lane;
};

struct planned_call {
    struct op_call call;                  /* specs bound to batch and precision */
    struct node **inputs;                 /* as fused */
    struct node *outputs[OP_MAX_OUTPUTS]; /* NULL: nobody reads it */
    struct op_needs needs;
    bool wants[OP_MAX_INPUTS]; /* the gradient of this input is asked for */
    bool backward;             /* takes part in the backward pass */
    bool recompute;            /* its output 0 is dropped after the forward pass and made again */
    int owner;                 /* lanes.c: the network that it computes with */
    struct place forward, back;
    int saved; /* buffer, -1: none */
    void *derived;
    uint64_t derived_stamp; /* sum of the versions of its parameters when derived was made */
    bool derived_made;
};

/* A piece of the arena: alive from step `first` to step `last`, both included. */
struct buffer {
    size_t bytes, offset, slice_bytes; /* slice_bytes: as an operand's */
    int first, last;
    struct place begins; /* where step `first` stands */
    enum stretch ends;   /* that of step `last` */
    unsigned lanes;      /* a bit for each lane of that stretch with a step that takes it */
    int root;            /* the buffer whose memory it takes over, or itself */
};

enum operand_kind { OPERAND_NONE, OPERAND_BUFFER, OPERAND_INPUT, OPERAND_VALUE, OPERAND_GRADIENT, OPERAND_FIXED };
struct operand {
    enum operand_kind kind;
    int index;                     /* of the buffer, the input, or the parameters entry */
    size_t slice_bytes;            /* from one slice's values to the next's, where the whole batch is there; else 0 */
    struct parameters *parameters; /* VALUE, GRADIENT */
    void *fixed;                   /* FIXED */
};

enum step_kind { STEP_FORWARD, STEP_RECOMPUTE, STEP_BACKWARD };
struct step {
    enum step_kind kind;
    struct place place;
    int call;
    struct operand *in, *out, *d_out, *d_in; /* n_inputs, n_outputs; the d_ only in backward */
    bool *add;
    int scratch; /* buffer, -1: none */
    double seconds;
};

struct reached { /* a parameters set with entries that learn */
    struct parameters *parameters;
    bool *written; /* per entry: the backward pass gives it a gradient */
    int count;
};

struct planned_update {
    struct parameters *parameters; /* of a state */
    int entry;
    struct store *store;
    bool by_row;
    struct operand rows, value;
    int64_t elements, batch;
};

struct program_memory {
    struct context *ctx;
    void *base;
    size_t capacity, wanted;
};

struct program {
    struct context *ctx;
    struct arena *arena;
    struct graph *graph;
    struct kernel_context *kernels;
    struct program_memory *memory;
    const struct kernels *table;
    int64_t batch; /* that the steps are planned for: of a slice */
    int64_t slices, slice;
    enum element precision;
    unsigned flags;
    bool has_backward, updates;
    struct op_random random;

    struct node *loss;
    int n_outputs;
    struct node **outputs;

    struct planned_call *calls;
    int n_calls;
    int n_nodes;  /* of the graph when compiled */
    int *readers; /* per node: how many calls read it */
    bool *kept;   /* per node: an output, the loss, or an update's value */
    bool *learns; /* per node: its gradient is asked for */
    void **fixed; /* per node: constants and knobs in the program's precision */
    void *one;    /* the gradient of the loss */

    int lanes[STRETCH_END]; /* per stretch; above 1: side by side */
    struct place now;       /* while sequencing: of the next step */
    struct step *steps;
    int n_steps, steps_capacity, n_forward;
    struct buffer *buffers;
    int n_buffers, buffers_capacity;
    int *value;    /* per node: the buffer that holds its value now (while sequencing), -1: none */
    int *gradient; /* per node: the buffer of its gradient, -1: none yet */

    struct operand *output_operands;
    struct operand loss_operand;
    struct reached *reached;
    int n_reached;
    struct planned_update *planned_updates;
    int n_planned_updates;

    size_t arena_bytes, persistent_bytes;
    bool profile;
};

struct tensor_spec plan_bound(const struct program *program, const struct tensor_spec *spec);
bool plan_by_sample(const struct node *node); /* are its values those of one sample after the other? */
size_t plan_bytes(const struct program *program, const struct tensor_spec *spec);

enum status plan_collect(struct program *program);  /* calls, readers, kept, learns */
void plan_slice(struct program *program);           /* batch and slices */
void plan_squares(struct program *program);         /* mean of squares, of a difference */
enum status plan_fuse(struct program *program);     /* batch norm + activation, convolution + batch norm + activation */
enum status plan_prepare(struct program *program);  /* needs, constants, derived memory */
void plan_views(struct program *program);           /* readers of a view read what it is of */
enum status plan_lanes(struct program *program);    /* order and places of calls */
enum status plan_sequence(struct program *program); /* steps with operands and lifetimes */
enum status plan_place(struct program *program);    /* overwriting and offsets */

#endif
