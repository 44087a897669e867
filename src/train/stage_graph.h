/* stage_graph.h: a stage as one graph: its networks, terms and loss. */
#ifndef TRAIN_STAGE_GRAPH_H
#define TRAIN_STAGE_GRAPH_H

#include "data/data.h"
#include "graph/program.h"
#include "scheme/scheme.h"
#include "train/recording.h"

/* TARGETS is there only where samples are mixed. */
enum {
    STAGE_INPUT_IMAGES,
    STAGE_INPUT_LABELS,
    STAGE_INPUT_SAMPLES,
    STAGE_INPUT_ROWS,
    STAGE_INPUT_TARGETS,
    STAGE_INPUTS
};

/* A term's learnable parts and stores. */
struct term_own {
    struct parameters *parameters;
    struct store *stores[8];
    const char *store_names[8];
    int n_stores;
};

/* What a term reads. */
struct term_taps {
    struct tap taps[2][METHOD_TAPS]; /* by side */
    int count[2];
};

struct stage_graph {
    struct context *ctx;
    const struct stage *stage; /* borrowed */
    enum element precision;
    struct graph *graph;
    struct instance *instances; /* per learner; network NULL where it has none or every tap is recorded */
    struct node **term_values;  /* per term: unweighted scalars */
    struct node *loss;
    struct term_own *own;    /* per term */
    struct term_taps *taps;  /* per term */
    struct store **memories; /* per learner: its logits of each sample, where it is a memory; else NULL */
    struct parameters *
        *weights; /* per learner: its members' weights, where it is an ensemble that is weighed; else NULL */
};

struct stage_graph_spec {
    const struct stage *stage;
    const struct split *split; /* trained on */
    enum element images;       /* of the input: U8 or REAL */
    enum element precision;
    bool mixed;                         /* samples are mixed with others: terms get soft targets instead of labels */
    const struct recording *recordings; /* taps that are read back instead of computed */
    int n_recordings;
};

/* stage_graph_new: NULL with the error recorded. Everything in the spec is borrowed until stage_graph_free. */
struct stage_graph *stage_graph_new(struct context *ctx, const struct stage_graph_spec *spec);
void stage_graph_free(struct stage_graph *built);

/* stage_reaches: does the gradient of term `term` go to what learner `learner` learns? term_learns: to the term's own parts? */
bool stage_reaches(const struct stage_graph *built, int term, int learner);
bool stage_term_learns(const struct stage_graph *built, int term);

/* stage_weight: the weight of a term at a moment: as the recipe and the scheme say. */
double stage_weight(const struct term *term, struct moment at);
/* stage_weight_found, stage_weight_set: the weight of a term whose share is stated; 1 until it is set, and part of a checkpoint. */
double stage_weight_found(const struct stage_graph *built, int term);
void stage_weight_set(const struct stage_graph *built, int term, double weight);

/* stage_weights_set: of the members of an ensemble that is weighed. */
void stage_weights_set(const struct stage_graph *built, int learner, const double *weights);

/* stage_teacher_layers: the layers of learner `learner` that terms read of it as a teacher, also of its logits as an ensemble's member, each
 * once; returns how many (at most `limit`), -1: error recorded. None where it is no network. */
int stage_teacher_layers(struct context *ctx, const struct stage *stage, int learner, int *layers, int limit);

#endif
