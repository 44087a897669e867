/* branches.h: a network whose last part stands several times, and their gated mixture.
 *
 *     logits = ensemble = sum_m softmax(g)_m z_m,   g = relu(batch_norm(linear(pool(trunk))))   [B,M]
 *
 * z_m [B,K]: the logits of branch m. Lan 2018, arXiv 1806.04606 (ONE). Branch 1 is the network itself, so that network_extract of the
 * output branch1 gives the network back; the layers of branch m >= 2 are called branchM_NAME, those of the gate gate_…. */
#ifndef NN_BRANCHES_H
#define NN_BRANCHES_H

#include "nn/network.h"

enum { BRANCHES_MOST = OP_MAX_INPUTS - 1 /* the mixture reads them, and the gate */ };

struct branches_spec {
    const char *
        from; /* the layer behind which the network branches; borrowed. NULL: the last map of the last size but one that all
                       * paths pass; without maps the first hidden activation */
    int count; /* M, 2 to BRANCHES_MOST */
};

/* network_branches: the description, for network_rebuild, of the network with branches; the arena's. Outputs: its own, with the mixture
 * as logits, and branch1 … branchM. What cannot be done is reported at `at` (may be NULL). */
enum status network_branches(const struct network *network, const struct branches_spec *spec, const struct value *at,
                             struct arena *arena, struct value **description);

#endif
