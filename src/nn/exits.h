/* exits.h: the outputs at which a sample may leave a network early: those called exit… that give a logit for each class. */
#ifndef NN_EXITS_H
#define NN_EXITS_H

#include "nn/network.h"

struct network_exit {
    const char *name; /* of the output */
    int64_t macs; /* of a sample that leaves here: of all layers that this exit and those before it need, each once */
};

struct network_exits {
    int count; /* 1: only the logits; there are no exits */
    const struct network_exit *items;
    const int *layers;  /* [count] */
    int64_t plain_macs; /* of the layers that the logits need: of a sample in the network without its exits */
};

/* network_exits_find: in the order in which a sample meets them: by the MACs of the layers that each needs (equal ones as the outputs
 * are listed), the logits last. Of the arena, names as well. */
enum status network_exits_find(const struct network *network, struct arena *arena, struct network_exits *out);

#endif
