/* staging.h: a recipe's `losses:`, or its `stages:` one after another, as what a scheme is asked for. */
#ifndef RUN_STAGING_H
#define RUN_STAGING_H

#include "run/losses.h"

struct staging {
    int count;
    struct phase *phases; /* the last is the one that counts: "distilled" */
};

/* What the terms are bound against. */
struct staging_site {
    const struct losses_site *networks;
    int64_t epochs;         /* of the student's training, which the stages share */
    const struct value *at; /* where what is missing is reported */
};

/* staging_bind: `stages`: a list of {name, losses, epochs, learners}; NULL: one phase of the losses. Only one of both may be given.
 * *resolved_losses, *resolved_stages: what applied, one of them NULL. Everything lies in the arena. */
enum status staging_bind(struct context *ctx, struct arena *arena, const struct value *losses,
                         const struct value *stages, const struct staging_site *site, struct staging *out,
                         struct value **resolved_losses, struct value **resolved_stages);
/* staging_options: the keys of a stage, for `retort help`. */
struct option_set staging_options(void);

#endif
