/* losses.h: a recipe's `losses:` as terms. */
#ifndef RUN_LOSSES_H
#define RUN_LOSSES_H

#include "knowledge/pairing.h"
#include "scheme/scheme.h"

/* Who the terms are between. All borrowed. */
struct losses_site {
    const struct network *student;
    const struct learner
        *teachers;  /* learners 1, 2 … of the stage: the first is the one that teaches, the others its members */
    int n_teachers; /* 0: there is none */
};

/* losses_bind: `losses` is a list of {method: NAME, weight: W, name: …, from: N, student: [layers], teacher: [layers], and the method's own
 * options}; NULL: labels 0.1 and kd 0.9 (temperature 4). `at`: where a wrong list is reported. Terms that read layers and name none get
 * them (pairing.h), also in *resolved. Everything lies in the arena. */
enum status losses_bind(struct context *ctx, struct arena *arena, const struct value *losses, const struct value *at,
                        const struct losses_site *site, struct term **terms, int *count, struct value **resolved);
/* losses_options: the keys of a term, for `retort help`. */
struct option_set losses_options(void);
/* loss_key: a key that every term has, so that no method's option can be called so. */
bool loss_key(const char *name);

#endif
