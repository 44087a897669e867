/* attention.h: where a network looks: the mean over the channels of |F|^power, as a map and as a unit vector. */
#ifndef KNOWLEDGE_FEATURE_ATTENTION_H
#define KNOWLEDGE_FEATURE_ATTENTION_H

#include "knowledge/reference.h"

/* attention_power: |x|^power of each element. */
struct node *attention_power(struct graph *graph, struct node *x, double power);
/* attention_mean: x [B,H,W,C] -> [B,H,W,1], the mean over channels of |x|^power; power >= 1. Above 2 the elements of a sample whose
 * largest magnitude exceeds 1 are first divided by it, as a constant: the power would overflow, and the unit vector is the same. */
struct node *attention_mean(struct graph *graph, struct node *x, double power);
/* attention_map: that as a unit vector: [B,H*W]; 0 with zero gradient for a sample of zeros. All are sticky. */
struct node *attention_map(struct graph *graph, struct node *x, double power);

/* The same in plain loops: one channel; the mean is not scaled. */
struct map reference_attention_mean(const struct method_case *c, struct map m, double power);
struct map reference_attention(const struct method_case *c, struct map m, double power);

#endif
