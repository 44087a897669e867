/* parts.h: the learnable pieces of methods. They lie in the site's own parameters, are trained with the student and never
 * exported. Weights start normal with deviation sqrt(2 / fan-out), biases 0, norms 1 and 0. `name` is prefixed with the number of
 * the pair where a method is applied to several ("1.connector"). All are sticky. */
#ifndef KNOWLEDGE_PARTS_H
#define KNOWLEDGE_PARTS_H

#include "knowledge/method.h"

enum {
    PART_BIAS = 1,
    PART_FROZEN = 2, /* no gradient is asked for; a norm goes by its running statistics */
    PART_RUNNING = 4 /* a norm keeps running statistics, for a later stage or for export */
};

/* part_at: the site as tap i of n sees it: where a method with several taps has a part for each. */
struct method_site part_at(const struct method_site *site, int i, int n);
/* part_name: NAME and suffix with the pair's number in front; in the graph's arena. NULL: error recorded. */
const char *part_name(struct graph *graph, const struct method_site *site, const char *name, const char *suffix);

struct node *part_parameter(struct graph *, const struct method_site *, const char *name, struct shape, struct init,
                            unsigned flags);
/* part_convolution: x [B,H,W,C] -> [B,H,W,out]; `kernel` odd, padded to keep the size; NAME.weight [out,C,kernel,kernel]. */
struct node *part_convolution(struct graph *, const struct method_site *, struct node *x, const char *name, int64_t out,
                              int kernel, unsigned flags);
/* part_linear: x [B,D] -> [B,out]; NAME.weight [out,D]. */
struct node *part_linear(struct graph *, const struct method_site *, struct node *x, const char *name, int64_t out,
                         unsigned flags);
/* part_batch_norm: over the last axis, by the statistics of the batch; NAME.bn.weight, NAME.bn.bias (frozen or
 * running: also NAME.bn.running_mean, NAME.bn.running_var). */
struct node *part_batch_norm(struct graph *, const struct method_site *, struct node *x, const char *name,
                             unsigned flags);
/* part_given: an own array that is given, or NULL without an error. part_random: numbers of the term's own stream. */
struct node *part_given(struct graph *, const struct method_site *, const char *name, enum element element,
                        struct shape shape);
struct node *part_random(struct graph *, const struct method_site *, const char *name, enum distribution distribution,
                         struct shape shape);

#endif
