/* rows.h: formulas over rows [B,K] that several methods share. All are sticky. */
#ifndef KNOWLEDGE_ROWS_H
#define KNOWLEDGE_ROWS_H

#include "knowledge/method.h"

/* rows_kl: KL(p,q) of each row, from the logarithms: [B]. */
struct node *rows_kl(struct graph *graph, struct node *log_p, struct node *log_q);
/* rows_centred: x minus its mean over the last axis; a row whose deviation is below 1e-6 of its largest magnitude becomes 0 with
 * zero gradient. */
struct node *rows_centred(struct graph *graph, struct node *x);
/* rows_of_channels: a map [B,H,W,C] as a row a channel: [B,C,H*W]. */
struct node *rows_of_channels(struct graph *graph, struct node *map);
/* rows_labelled_mean: the mean of rows [B] over those with a label; 0 where there are none. */
struct node *rows_labelled_mean(struct graph *graph, struct node *rows, struct node *labels);

/* Logits [B,K] as a choice between the label's class and the rest, and one among the rest. Rows without a label: some finite
 * numbers. */
struct rows_split {
    struct node *label;      /* [B,K]: one-hot of the label */
    struct node *log_target; /* [B,1]: log of the label's probability */
    struct node *log_rest;   /* [B,1]: log of all others' together */
    struct node *log_among;  /* [B,K]: log of each one's probability among the others; -1e30 at the label */
};
struct rows_split rows_split(struct graph *graph, struct node *logits, struct node *labels, int classes);

#endif
