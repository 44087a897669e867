/* cut.h: a smaller network out of a larger one: some of its channels, and without some of its layers, with the values that it has.
 *
 * Channels that meet in a sum or a product are chosen together. Those are kept whose filters, as inference sees them (with the scale of a
 * batch norm behind them), have the largest L1 norm (Li et al., ICLR 2017, arXiv 1608.08710); the network's input and its logits keep all. */
#ifndef NN_CUT_H
#define NN_CUT_H

#include "nn/network.h"

struct network_cut {
    double width; /* the part of the channels that stay, in (0,1]; at least one of each layer */
    const char *const *
        drop; /* [n_drop] names or patterns (as a shell's) of layers that go, which must not change a shape; borrowed */
    int n_drop;
};

/* network_cut_make: *cut is the caller's (network_free). The shape depends on the layers alone, the values on those of `from`. What cannot be
 * cut is reported at `at` (NULL: nowhere), by the layer's name. */
enum status network_cut_make(struct context *ctx, const struct network *from, const struct network_cut *how,
                             const struct value *at, const char *name, struct network **cut);

#endif
