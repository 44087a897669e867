/* parameters.h: the learnable and running values of one network, or of one term's helper.
 *
 * Three contiguous blocks: values, gradients, state (running statistics, memories). Entries are found by name and only ever
 * added, so an offset stays valid for good while a block may move when it grows: programs look up the block's address at
 * each run. `version` is raised at every change of values or state. */
#ifndef GRAPH_PARAMETERS_H
#define GRAPH_PARAMETERS_H

#include "tensor/shape.h"

struct kernels; /* kernel/kernel.h */

enum init_kind { INIT_ZERO, INIT_CONSTANT, INIT_NORMAL, INIT_UNIFORM };
/* normal: deviation `scale`; uniform: in [-scale, scale]; constant: `scale`. */
struct init {
    enum init_kind kind;
    double scale;
};

struct parameter {
    const char *name;
    struct shape shape;
    struct init init;
    int64_t offset, elements; /* in its block */
    bool state;               /* lies in the state block: no gradient */
    bool decay;               /* a weight (not a bias or a norm's scale) */
};

struct parameters {
    struct context *ctx;  /* borrowed */
    struct arena *arena;  /* names */
    enum element element; /* F32 or F64 */
    uint64_t seed;        /* of the initial values: each is a function of (seed, name, element) */
    int count, capacity;
    struct parameter *entries;
    int64_t n_values, n_state, value_capacity, state_capacity;
    void *values, *gradients, *state; /* of `element` */
    uint64_t version;
};

/* parameters_new: empty. NULL: error recorded. ctx is borrowed until parameters_free. */
struct parameters *parameters_new(struct context *ctx, enum element element, uint64_t seed);
void parameters_free(struct parameters *parameters);
/* parameters_find: index or -1. */
int parameters_find(const struct parameters *parameters, const char *name);
/* parameters_add: adds the entry with its initial values, or finds it (its shape must then be equal). */
enum status parameters_add(struct parameters *parameters, const char *name, const struct shape *shape, struct init init,
                           bool state, int *index);
void *parameters_value(const struct parameters *parameters, int index);    /* address of its values or state */
void *parameters_gradient(const struct parameters *parameters, int index); /* NULL for state */
void parameters_touch(struct parameters *parameters);                      /* raises the version */
/* parameters_alike: fails when the two do not have the same entries. */
enum status parameters_alike(const struct parameters *to, const struct parameters *from);
/* parameters_copy: values and state of `from` (alike) into `to`. */
enum status parameters_copy(struct parameters *to, const struct parameters *from);
/* parameters_average: to = rate * to + (1 - rate) * from, values and state, by the kernels of their element. */
enum status parameters_average(struct parameters *to, const struct parameters *from, double rate,
                               const struct kernels *table);
/* parameters_get, parameters_set: one entry's values as doubles. */
void parameters_get(const struct parameters *parameters, int index, double *out);
void parameters_set(struct parameters *parameters, int index, const double *in);

#endif
