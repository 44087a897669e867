/* build.h: what schemes write their stages with. Everything is the list's arena's. */
#ifndef SCHEME_BUILD_H
#define SCHEME_BUILD_H

#include "scheme/terms.h"

/* Options that many schemes have: a number of at least 0, called as its field; the temperature of kd among a scheme's own losses. */
#define SCHEME_NUMBER(owner_, field_, initial_, help_)                                                                 \
    {                                                                                                                  \
        .name = #field_, .offset = offsetof(owner_, field_), .type = OPTION_REAL, .initial = (initial_), .min = 0,     \
        .max = 1e6, .help = (help_)                                                                                    \
    }
#define SCHEME_TEMPERATURE(owner_, initial_, help_)                                                                    \
    {                                                                                                                  \
        .name = "temperature", .offset = offsetof(owner_, temperature), .type = OPTION_REAL, .initial = (initial_),    \
        .min = 0, .max = 1e6, .flags = OPTION_ABOVE_MIN, .help = (help_)                                               \
    }

/* stage_begin: a stage of that role with the request's seed and budget, called ROLE-SEED; NULL: error recorded. Valid until the next one
 * begins. */
struct stage *stage_begin(const struct request *request, struct stage_list *list, const char *role);

/* stage_learner, stage_event: added at the end; the index, -1: error recorded. */
int stage_learner(struct arena *arena, struct stage *stage, struct learner learner);
int stage_event(struct arena *arena, struct stage *stage, struct event event);

/* learner_student: one that learns, like the request's student; learner_frozen: one that only teaches, in evaluation mode. */
struct learner learner_student(const struct request *request, const char *name, struct network *network);
struct learner learner_frozen(const char *name, struct network *network);
/* seeded_name: "ROLE-SEED". NULL: error recorded. */
const char *seeded_name(const struct request *request, struct stage_list *list, const char *role);
/* fresh_network: like the student, with the initial values of the request's seed and `offset`, which is part of its name, so that its
 * random numbers are its own. */
struct network *fresh_network(const struct request *request, struct stage_list *list, int64_t offset);

/* How a learner learns from others by the recipe's losses. */
struct lesson {
    int student;
    int n_teachers; /* 0: only the losses that read no teacher */
    const int *teachers;
    double weight;                             /* of the losses that read a teacher, who share it */
    const struct real *factor;                 /* of the same; NULL: 1 */
    enum rows rows;                            /* of the same */
    const char *student_layer, *teacher_layer; /* what is read as logits; NULL: the networks' */
    const char *name;                          /* in front of the terms' names; NULL: who learns, if not the subject */
};
/* stage_teach: adds the terms of a lesson: those that read a teacher once for each of them, the others once. */
enum status stage_teach(const struct request *request, struct stage_list *list, struct stage *stage,
                        const struct lesson *lesson);
/* stage_plain: adds the labels, by which a network learns alone. */
enum status stage_plain(const struct request *request, struct stage_list *list, struct stage *stage, int student);
/* stage_term: adds a term as it is. */
enum status stage_term(struct arena *arena, struct stage *stage, struct term term);

/* stage_part: the stage becomes one about `part`, a network whose tensors are all learner 0's by the same names; it takes their values at each
 * epoch's end. */
enum status stage_part(const struct request *request, struct stage_list *list, struct stage *stage,
                       struct network *part);

/* real_burn_in: 0 for so many epochs, then 1; real_ramp: exp(-5 (1 - t/epochs)^2) in epoch t, then 1. NULL: error recorded. */
const struct real *real_burn_in(struct arena *arena, double epochs);
const struct real *real_ramp(struct arena *arena, double epochs);

#endif
