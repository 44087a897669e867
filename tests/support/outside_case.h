/* outside_case.h: a method and a layer as a user of the library would write them, and arrays for them. */
#ifndef SUPPORT_OUTSIDE_CASE_H
#define SUPPORT_OUTSIDE_CASE_H

#include "support/small_files.h"

#include <retort.h>

enum { B = 3, K = 4 };

struct weigh_options {
    int sign;
    struct retort_scheduled scale;
};

/* The options sign and scale of weigh; logits of student and teacher. */
extern const struct retort_option weigh_specs[2];
extern const struct retort_method_input logits_inputs[2];

struct retort_method weigh_method(void);
extern const struct retort_layer mix_layer;
/* context_with_both: weigh and mix are registered. */
struct retort_context *context_with_both(void);
/* context_with_build: "built", which has weigh's inputs and options, and is what `build` makes. */
struct retort_context *context_with_build(struct retort_node *(*build)(const struct retort_method_site *site),
                                          void *user);

/* arrays_put: s.npy and t.npy [B,K], also in s and t. loss_params: of a method on them. */
void arrays_put(double *s, double *t);
struct retort_loss_params loss_params(const char *method);

#endif
