/* terms.h: terms that are not a recipe's: of a method by its name. */
#ifndef SCHEME_TERMS_H
#define SCHEME_TERMS_H

#include "scheme/scheme.h"

/* method_bound: a method's options, with their defaults, of a map (NULL: none). NULL: error recorded. */
const void *method_bound(struct context *ctx, struct arena *arena, const struct method *method,
                         const struct value *options);
/* method_term: a term of that method with these options (NULL: the defaults), weight 1, student 0 and no teacher, named as the method. */
enum status method_term(struct context *ctx, struct arena *arena, const char *method, const struct value *options,
                        struct term *term);
/* labels_smoothed: the labels with that smoothing (0: plain), weight 1. */
enum status labels_smoothed(struct context *ctx, struct arena *arena, double smoothing, struct term *labels);
/* labels_term: what a network learns alone from: the `labels` term among the given ones (its options: smoothing) or, without one, that method's
 * defaults; weight 1. */
enum status labels_term(struct context *ctx, struct arena *arena, const struct term *terms, int count,
                        struct term *labels);

/* losses_add: {method: NAME, weight: W} at the end of a list of losses, and OPTION: NUMBER where an option is named (NULL: none). */
struct value *losses_add(struct arena *arena, struct value *list, const char *method, double weight, const char *option,
                         double number);
/* losses_mixture: labels and kd at that temperature, with these weights. */
struct value *losses_mixture(struct arena *arena, double labels, double kd, double temperature);

#endif
