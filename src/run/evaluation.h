/* evaluation.h: logits of a model, or of an ensemble, over a split; what eval and predict share. */
#ifndef RUN_EVALUATION_H
#define RUN_EVALUATION_H

#include "run/run.h"

#include "data/data.h"

struct evaluation {
    struct data *data;
    const struct split *split;
    struct split training; /* where the evaluation names no split */
    int64_t classes;
    double *logits; /* [N,K] */
};

/* evaluation_make: everything that the evaluation asks for; labels: the split must have some. In any case
 * evaluation_free. */
enum status evaluation_make(struct context *ctx, struct arena *arena, const struct run_evaluation *asked, bool labels,
                            struct evaluation *out);
void evaluation_free(struct context *ctx, struct evaluation *evaluation);

/* evaluation_value: {"model","data"} of what was asked, and the "split" where one was, for the document. NULL: error recorded. */
struct value *evaluation_value(struct arena *arena, const struct run_evaluation *asked);

#endif
