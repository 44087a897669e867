/* inputs.h: what most methods read, and the lines of their struct that follow from it. */
#ifndef KNOWLEDGE_INPUTS_H
#define KNOWLEDGE_INPUTS_H

#include "knowledge/method.h"

/* One tap of the student and one of the teacher; PAIRS: or as many of each. */
extern const struct method_input inputs_logits[2];
extern const struct method_input inputs_map_pairs[2], inputs_unactivated_pairs[2],
    inputs_embedding_pairs[2], /* a map given for an embedding is flattened */
    inputs_activation_pairs[2];
/* As map pairs, or the teacher's alone: for a stage that does not concern the student. */
extern const struct method_input inputs_map_pairs_or_teacher[2];
extern const struct method_input inputs_maps[2]; /* 2 or more taps of each, in the order of the network */
extern const struct method_input inputs_student_logits[1];

#define METHOD_INPUTS(array) .inputs = (array), .n_inputs = sizeof(array) / sizeof((array)[0])
#define METHOD_OPTIONS(array, type)                                                                                    \
    .options = (array), .n_options = sizeof(array) / sizeof((array)[0]), .options_size = sizeof(type)

/* An entry of the options of the struct `owner`: a real number of the member's name. */
#define REAL_OPTION(owner, member, default_, min_, max_, flags_, help_)                                                \
    {                                                                                                                  \
        .name = #member, .offset = offsetof(owner, member), .type = OPTION_REAL, .initial = default_, .min = (min_),   \
        .max = (max_), .flags = (flags_), .help = help_                                                                \
    }

/* An entry of the options of the struct `owner`: a number above 0, and how it may change over a stage. */
#define TEMPERATURE_OPTION(owner, default_)                                                                            \
    {                                                                                                                  \
        .name = "temperature", .offset = offsetof(owner, temperature), .type = OPTION_SCHEDULED, .initial = default_,  \
        .min = 0, .max = 1e6, .flags = OPTION_ABOVE_MIN,                                                               \
        .help = "divides the logits of both sides: the larger, the more the small probabilities count"                 \
    }

#endif
