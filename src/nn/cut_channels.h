/* cut_channels.h: which channels of which layer stay. Private to cut.c. */
#ifndef NN_CUT_CHANNELS_H
#define NN_CUT_CHANNELS_H

#include "nn/cut.h"

/* The last axis of a layer's output, inside: [B,H,W,C] or [B,D]. */
struct cut_channels {
    int count;
    int32_t *kept; /* [count] ascending numbers of the channels of the whole network */
};

/* How a layer treats channels. */
enum cut_kind {
    CUT_MAKES,  /* new ones: convolution, linear */
    CUT_PASSES, /* those of its input, one by one: norms, activations, pools, depthwise convolutions */
    CUT_JOINS,  /* those of all its inputs, which must be the same: sums and products */
    CUT_FLATTENS,
    CUT_CONCATENATES,
    CUT_OTHER /* mixes them in a way that is not known here: it must see all */
};
enum cut_kind cut_kind_of(const struct network *network, int layer);

/* cut_channels_choose: channels [n_layers]; dropped [n_layers]: layers that go; inputs[layer][j]: what a layer reads then (-1: the
 * network's input). All lies in the arena. */
enum status cut_channels_choose(struct context *ctx, struct arena *arena, const struct network *network,
                                const bool *dropped, int *const *inputs, double width, const struct value *at,
                                struct cut_channels *channels);

#endif
