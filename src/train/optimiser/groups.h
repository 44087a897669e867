/* groups.h: layers that learn at a rate, or with a weight decay, of their own. */
#ifndef TRAIN_OPTIMISER_GROUPS_H
#define TRAIN_OPTIMISER_GROUPS_H

#include "base/option.h"
#include "nn/network.h"

/* The layers whose name fits one of the patterns (as a shell's: * ? [ ]), and what is done to optimiser's rate and weight decay there. */
struct layer_group {
    struct option_texts layers;
    double rate, decay;     /* factors */
    const struct value *at; /* where the recipe says it; borrowed; may be NULL */
};

struct layer_groups {
    size_t count;
    const struct layer_group *items;
    bool spare_norm_bias; /* no weight decay for biases and norms (parameters of one axis) */
};

/* layer_groups_options: the keys of a group. */
struct option_set layer_groups_options(void);
/* layer_groups_bind: from a list of groups (NULL: none); sets count and items. *resolved: as it applied; NULL where there is no list. */
enum status layer_groups_bind(struct context *ctx, struct arena *arena, const struct value *list,
                              struct layer_groups *out, struct value **resolved);
/* layer_groups_check: each pattern fits a layer of the network that has parameters; else fails naming the nearest one. */
enum status layer_groups_check(struct context *ctx, const struct layer_groups *groups, const struct network *network);

struct layer_factors {
    double rate, decay;
};
/* layer_groups_factors: of a parameter LAYER.what: those of the first group that its layer fits; `named`: it is one of a network (a term's own
 * parts are in no group). */
struct layer_factors layer_groups_factors(const struct layer_groups *groups, const struct parameter *entry, bool named);

#endif
