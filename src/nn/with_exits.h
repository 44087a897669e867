/* with_exits.h: a network with early exits: behind some of its layers a bottleneck, features and a classifier.
 *
 * Zhang 2019, arXiv 1905.08094 (BYOT). Exit number m, from 1 in the network's order, consists of layers called exitM_…: exitM_features
 * gives a vector [B,D], and the linear layer exitM the logits, which leave the network as its output exitM. */
#ifndef NN_WITH_EXITS_H
#define NN_WITH_EXITS_H

#include "nn/network.h"

struct exits_spec {
    const char *const *layers; /* [count] in any order; borrowed */
    int count;                 /* 0: where maps change their size, or behind each hidden activation but the last */
    int64_t width;             /* D of the features; 0: that of the deepest features */
};

/* network_deepest_features: the name of the layer whose vector [B,D] the linear layer reads that gives the logits. NULL, with the error
 * recorded at `at` (may be NULL): something else gives them. */
const char *network_deepest_features(const struct network *network, const struct value *at);

/* network_exits: the description, for network_rebuild, of the network with exits; the arena's. Its own layers and outputs stay as they
 * are, and so do their initial values. What cannot be done is reported at `at` (may be NULL). */
enum status network_exits(const struct network *network, const struct exits_spec *spec, const struct value *at,
                          struct arena *arena, struct value **description);

#endif
