/* heads.h: what mhgd is made of: how the samples of a batch attend to each other, a graph a head, from vectors of one map to
 * those of the next.
 *
 *     G_h = a_h b_h^T,  a = BN(sender v_current),  b = BN(receiver v_previous);  learnt on the teacher alone by
 *     mean_b (1 - u . v_current),  u = unit(estimator.1 [A_1 x, A_2 x...]),  A_h = mask_h softmax(G_h),
 *     x = ReLU(BN(estimator.0 v_previous))
 *
 * sender, receiver: linear layers to heads of D = (C_previous + C_current) / 2 rows each. */
#ifndef KNOWLEDGE_RELATION_HEADS_H
#define KNOWLEDGE_RELATION_HEADS_H

#include "knowledge/reference.h"

/* Vectors of two consecutive taps, [B,C] each; not NULL. */
struct step {
    struct node *previous, *current;
};

/* heads_graphs: G [heads,B,B]: rows are samples of current, columns of previous. flags: of the parts. */
struct node *heads_graphs(struct graph *graph, const struct method_site *site, struct step v, int64_t heads,
                          unsigned flags);
/* heads_attention: the loss above. mask [heads,B] is given, or drawn: 1 where a row's noise exceeds its mean over the heads. */
struct node *heads_attention(struct graph *graph, const struct method_site *site, struct step v, int64_t heads);

/* Both in plain loops, of maps [B,C,1,1]; G [heads,B,B]; learn: the norms go by the batch. */
double *reference_graphs(const struct method_case *c, struct map previous, struct map current, int heads, bool learn);
double reference_heads_attention(const struct method_case *c, struct map previous, struct map current, int heads);

#endif
