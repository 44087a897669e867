/* block_plan.h: where the student is cut into blocks, each of which learns on the teacher's activation in front of it, and what of its
 * training they take. */
#ifndef RUN_BLOCK_PLAN_H
#define RUN_BLOCK_PLAN_H

#include "scheme/scheme.h"

struct block_plan {
    int count;                                   /* of boundaries, one less than blocks; 0: no blocks are taught */
    const char *const *student, *const *teacher; /* [count] layers in order, whose shapes are equal pair by pair */
    int learner;                                 /* of a stage: whose layers the teacher's are */
    int64_t epochs; /* of the student's training, of each block; the rest tunes the whole */
    int n_terms;
    const struct term *terms; /* what the last block learns from: those of the recipe that read logits */
    const struct value *at;   /* where the recipe says it; borrowed */
};

/* block_plan_terms: finds those of the last block among the recipe's. */
enum status block_plan_terms(struct context *ctx, struct arena *arena, const struct network *student,
                             const struct term *terms, int count, struct block_plan *plan);
/* block_plan_budget: of each block; block_plan_rest: of the whole student behind them. Both are parts of `whole`, the student's. */
struct budget block_plan_budget(const struct block_plan *plan, struct budget whole);
struct budget block_plan_rest(const struct block_plan *plan, struct budget whole);

/* block_between: marks [n_layers of the student] the layers of block `index`, from 0. */
enum status block_between(struct context *ctx, const struct block_plan *plan, const struct network *student, int index,
                          bool *marks);

#endif
