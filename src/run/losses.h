/* losses.h: a recipe's `losses:` as terms. */
#ifndef RUN_LOSSES_H
#define RUN_LOSSES_H

#include "knowledge/pairing.h"
#include "scheme/scheme.h"

/* losses_bind: `losses` is a list of {method: NAME, weight: W, name: …, student: [layers], teacher: [layers], and the method's own options}; NULL:
 * labels 0.1 and kd 0.9 (temperature 4). `at`: where a wrong list is reported. Everything lies in the arena. */
enum status losses_bind(struct context *ctx, struct arena *arena, const struct value *losses, const struct value *at,
                        struct term **terms, int *count, struct value **resolved);
/* losses_pair: names the layers of terms that read some and name none (pairing.h), in the terms and in what losses_bind resolved.
 * teacher NULL: there is none. */
enum status losses_pair(struct context *ctx, struct arena *arena, const struct network *student,
                        const struct network *teacher, struct term *terms, int count, const struct value *resolved);
/* losses_options: the keys of a term, for `retort help`. */
struct option_set losses_options(void);
/* labels_term: what a network learns alone from: the `labels` term among the given ones (its options: smoothing) or, without one, that method's
 * defaults; weight 1. */
enum status labels_term(struct context *ctx, struct arena *arena, const struct term *terms, int count,
                        struct term *labels);

/* loss_key: a key that every term has, so that no method's option can be called so. */
bool loss_key(const char *name);

#endif
