/* graph.h: building a graph. Everything (teacher, student, connectors, losses) is a node of one graph.
 *
 * Builders are sticky: a NULL input gives NULL and records nothing; the first builder that fails records why in the context.
 * So a formula is written as a formula and checked once, at its end. The graph owns its nodes; they die with it. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/real.h"
#include "graph/op.h"
#include "graph/parameters.h"

enum node_kind {
    NODE_CALL,      /* output `output` of a call of an op */
    NODE_INPUT,     /* bound at each run */
    NODE_PARAMETER, /* values of a parameters entry; learns unless frozen */
    NODE_STATE,     /* state of a parameters entry */
    NODE_CONSTANT,  /* fixed when built */
    NODE_KNOB,      /* a scalar that changes between steps without recompiling */
};

struct graph;
struct store;

struct call {
    const struct op *op;
    const void *attributes;
    const char *name;
    int n_inputs, n_outputs;
    struct node **inputs;
    struct node *outputs[OP_MAX_OUTPUTS];
};

struct node {
    struct graph *graph;
    enum node_kind kind;
    int id; /* in the order of making: inputs come before */
    const char *name;
    struct tensor_spec spec;
    struct call *call; /* NODE_CALL */
    int output;
    struct parameters *parameters; /* NODE_PARAMETER, NODE_STATE */
    int entry;
    bool frozen;
    double *constant;  /* NODE_CONSTANT: elements as doubles (integers too) */
    struct real knob;  /* NODE_KNOB: its course over a stage */
    double knob_value; /* NODE_KNOB: the value of the next run */
    int input;         /* NODE_INPUT: index among the graph's inputs */
};

struct update { /* at commit: target (a state node, or a store) takes the value */
    struct node *state;
    struct store *store;
    struct node *rows; /* of the store, or those of the state that change: I32 [B]; NULL: the whole state */
    struct node *value;
};

struct graph {
    struct context *ctx; /* borrowed */
    struct arena *arena;
    struct node **nodes;
    int n_nodes, nodes_capacity;
    struct node **inputs;
    int n_inputs, inputs_capacity;
    struct update *updates;
    int n_updates, updates_capacity;
    const char *prefix; /* borrowed: put before the names of new calls ("teacher.conv1"); NULL: none */
    const char *label;  /* borrowed: the name of the next calls (the layer being built); NULL: the op's name */
};

/* graph_new: NULL with the error recorded. */
struct graph *graph_new(struct context *ctx);
void graph_free(struct graph *graph);

/* --- sources --- */
struct node *graph_input(struct graph *graph, const char *name, enum element element, struct shape shape);
/* graph_parameter, graph_state: found by name in `own`, or added with `init`. frozen: no gradient is asked for. */
struct node *graph_parameter(struct graph *graph, struct parameters *own, const char *name, struct shape shape,
                             struct init init, bool frozen);
struct node *graph_state(struct graph *graph, struct parameters *own, const char *name, struct shape shape,
                         struct init init);
struct node *graph_constant(struct graph *graph, struct shape shape, const double *values); /* REAL; copied */
struct node *graph_constant_integers(struct graph *graph, struct shape shape, const int32_t *values);
struct node *graph_scalar(struct graph *graph, double value); /* a constant of rank 0 */
/* graph_real: a constant, or a knob when the number changes over the stage. */
struct node *graph_real(struct graph *graph, const struct real *real);
/* graph_knob: always a knob; set it with graph_knob_set, or let the loop follow its course. */
struct node *graph_knob(struct graph *graph, const char *name, const struct real *course);
void graph_knob_set(struct node *knob, double value);
/* graph_knobs_follow: every knob whose course changes takes its value of that moment. */
void graph_knobs_follow(struct graph *graph, struct moment at);

/* --- calls --- */
/* graph_call: the first output of a new call; the others by graph_output. attributes are copied. */
struct node *graph_call(struct graph *graph, const struct op *op, const void *attributes, int n_inputs,
                        struct node *const *inputs);
struct node *graph_output(struct node *node, int output);
/* graph_update: at commit only, the state takes the value (same shape). */
enum status graph_update(struct graph *graph, struct node *state, struct node *value);
/* graph_update_rows: at commit only, the rows (I32 [B]) of the state [N, …] take the value [B, …]. */
enum status graph_update_rows(struct graph *graph, struct node *state, struct node *rows, struct node *value);
/* graph_store_read: rows of a per-sample store, [B, row…] of REAL; a constant to the loss. rows: I32 [B].
 * graph_store_valid: 1 where the row was ever written, else 0: REAL [B].
 * graph_store_update: at commit, value [B, row…] is written to the rows. */
struct node *graph_store_read(struct graph *graph, struct store *store, struct node *rows);
struct node *graph_store_valid(struct graph *graph, struct store *store, struct node *rows);
enum status graph_store_update(struct graph *graph, struct store *store, struct node *rows, struct node *value);
/* graph_replace: every later use of `from` in the graph (inputs of calls, updates) reads `to` instead. */
enum status graph_replace(struct graph *graph, struct node *from, struct node *to);

/* graph_reaches: does a gradient of `from` go to a parameter of this set that learns? False, with the error recorded, where memory is
 * lacking. */
bool graph_reaches(const struct graph *graph, const struct node *from, const struct parameters *parameters);

/* graph_label: what the next calls belong to, for messages and the plan; borrowed until the next graph_label. */
void graph_label(struct graph *graph, const char *label);

#endif
