/* kd.h: what kd shares with methods that are kd with something fixed. */
#ifndef KNOWLEDGE_RESPONSE_KD_H
#define KNOWLEDGE_RESPONSE_KD_H

#include "knowledge/method.h"

struct kd_options {
    struct real temperature;
    int divergence, teacher_errors, standardise;
    double beta;
};
enum { KD_STANDARDISE_OFF, KD_STANDARDISE_ON };
extern const char *const kd_divergences[], *const kd_errors[];

#define KD_OPTION(field) .name = #field, .offset = offsetof(struct kd_options, field)
/* All options but standardise. */
#define KD_OPTIONS(temperature_)                                                                                       \
    {KD_OPTION(temperature),                                                                                           \
     .type = OPTION_SCHEDULED,                                                                                         \
     .initial = temperature_,                                                                                          \
     .min = 0,                                                                                                         \
     .max = 1e6,                                                                                                       \
     .flags = OPTION_ABOVE_MIN,                                                                                        \
     .help = "divides the logits of both sides: the larger, the more the small probabilities count"},                  \
        {KD_OPTION(divergence), .type = OPTION_CHOICE, .initial = "forward", .choices = kd_divergences,                \
         .help = "forward: the student covers all that the teacher holds possible; reverse: it seeks the teacher's "   \
                 "favourites; jsd: between"},                                                                          \
        {KD_OPTION(beta),                                                                                              \
         .type = OPTION_REAL,                                                                                          \
         .initial = "0.5",                                                                                             \
         .min = 0,                                                                                                     \
         .max = 1,                                                                                                     \
         .flags = OPTION_ABOVE_MIN | OPTION_BELOW_MAX,                                                                 \
         .help = "of jsd: the teacher's part in the mixture"},                                                         \
    {                                                                                                                  \
        KD_OPTION(teacher_errors),                                                                                     \
            .type = OPTION_CHOICE, .initial = "keep", .choices = kd_errors,                                            \
            .help =                                                                                                    \
                "where the teacher's largest logit is not the label's: keep it, swap those two, or skip the sample "   \
                "(wants labels)"                                                                                       \
    }

struct node *kd_build(struct graph *graph, const struct method_site *site, const void *options);
double kd_reference(const struct method_case *c, const void *options);

#endif
