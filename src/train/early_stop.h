/* early_stop.h: when a stage ends before its time, and the best epoch's values that it then keeps.
 *
 * Prechelt 1998, "Early stopping - but when?": the accuracy on the validation split decides, equal is not better. */
#ifndef TRAIN_EARLY_STOP_H
#define TRAIN_EARLY_STOP_H

#include "graph/parameters.h"

enum { EARLY_STOP_ACCURACY, EARLY_STOP_EPOCH, EARLY_STOP_WAITED, EARLY_STOP_FIGURES };

struct early_stop {
    struct context *ctx;
    struct parameters *subject; /* borrowed */
    int64_t patience;
    double
        figures[EARLY_STOP_FIGURES]; /* best accuracy (-1: none yet), its epoch (from 1; 0: none), epochs since then */
    void *values, *state;            /* the subject's at that epoch */
};

/* early_stop_new: NULL: error recorded. */
struct early_stop *early_stop_new(struct context *ctx, struct parameters *subject, int64_t patience);
void early_stop_free(struct early_stop *best);
/* early_stop_look: after each epoch; keeps the subject's values when the accuracy is the best so far. */
void early_stop_look(struct early_stop *best, int64_t epoch, double accuracy);
/* early_stop_over: has the patience run out? NULL: no. */
bool early_stop_over(const struct early_stop *best);
/* early_stop_restore: the subject takes the best epoch's values; returns the epoch (0: there was none, nothing is changed). */
int64_t early_stop_restore(const struct early_stop *best);

#endif
