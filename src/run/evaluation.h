/* evaluation.h: logits of a model, or of an ensemble, over a split; what eval and predict share. */
#ifndef RUN_EVALUATION_H
#define RUN_EVALUATION_H

#include "run/run.h"

#include "data/data.h"
#include "train/exits.h"

struct evaluation {
    struct data *data;
    const struct split *split;
    struct split training; /* where the evaluation names no split */
    int64_t classes;
    double *logits;             /* [N,K]; of early exit those of the exit at which the sample left */
    struct network_exits exits; /* of the one model; count 0 where they were not asked for */
    double *exit_logits;        /* [M,N,K] of the exits; NULL: likewise */
};

/* What an evaluation is for, added up. */
enum {
    EVALUATION_LABELS = 1, /* the split must have some */
    EVALUATION_EXITS = 2   /* of one model also what its exits say, where it has some */
};
/* evaluation_make: everything that the evaluation asks for. In any case evaluation_free. */
enum status evaluation_make(struct context *ctx, struct arena *arena, const struct run_evaluation *asked, unsigned what,
                            struct evaluation *out);
/* evaluation_exits: of an evaluation with exits, for the functions of train/exits.h. */
struct exit_logits evaluation_exits(const struct evaluation *evaluation);
void evaluation_free(struct context *ctx, struct evaluation *evaluation);

/* evaluation_value: {"model","data"} of what was asked, and the "split" where one was, for the document. NULL: error recorded. */
struct value *evaluation_value(struct arena *arena, const struct run_evaluation *asked);

#endif
