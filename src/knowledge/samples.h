/* samples.h: formulas over the samples of a batch, taken two at a time, that several relations share. All are sticky. */
#ifndef KNOWLEDGE_SAMPLES_H
#define KNOWLEDGE_SAMPLES_H

#include "knowledge/method.h"

/* samples_rows: x [B,...] as a row of each sample, in the order of memory: for formulas to which the order means nothing. */
struct node *samples_rows(struct graph *graph, struct node *x);
/* samples_squares: x [B,...] -> [B,B], squared distances, at least 1e-12 (zero gradient below): also on the diagonal, which
 * the formulas want to be 0. They take its share away at the end (samples_mean), since no mask knows the batch. */
extern const double samples_least; /* 1e-12 */
struct node *samples_squares(struct graph *graph, struct node *x);
/* samples_mean: the mean of x [B,B], its diagonal taken as 0; `diagonal`: the scalar that every element there is. */
struct node *samples_mean(struct graph *graph, struct node *x, struct node *diagonal);
/* samples_products: maps a [B,H,W,C], b [B,H,W,D] -> [B,C,D], products of channels summed over the positions. */
struct node *samples_products(struct graph *graph, struct node *a, struct node *b);

#endif
