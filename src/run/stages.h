/* stages.h: a plan's stages: of a teacher, of an assistant, and of each seed's student, alone or taught. */
#ifndef RUN_STAGES_H
#define RUN_STAGES_H

#include "run/asking.h"
#include "run/teaching.h"

/* The stages of one seed's student, in order, and its network. */
struct student {
    struct stage_list list;
    /* Owned; average: what follows the network, extended: what a method makes of it; NULL where none is asked for. */
    struct network *network, *average, *extended;
    struct networks_made others; /* that the scheme asked for */
};

/* student_network: a network of the plan's student, with the values that a taught one starts with. *network: the caller's. */
enum status student_network(struct context *ctx, const struct plan *plan, const struct teaching *teaching,
                            uint64_t seed, struct network **network);
/* stage_samples: a stage with a teacher sees the samples as the plan says, where its scheme does not say it. */
void stage_samples(const struct plan *plan, struct stage *stage);

/* student_stages: `student` is zeroed; everything but the networks lies in the arena. teaching: borrowed; not used alone. In any case
 * student_free. */
enum status student_stages(struct context *ctx, struct arena *arena, const struct plan *plan,
                           const struct teaching *teaching, uint64_t seed, bool alone, struct student *student);
/* assistant_stages: the same of an assistant of the plan. */
enum status assistant_stages(struct context *ctx, struct arena *arena, const struct plan *plan,
                             const struct teaching *teaching, int index, struct student *assistant);
void student_free(struct student *student);

/* wants_all_cores: is a step of the network worth all of them? Else stages run side by side, one thread of the library's each, so that
 * neither the number of jobs nor that of cores changes a bit of them. */
bool wants_all_cores(const struct network *network);
/* student_wants_all_cores: the plan's. */
enum status student_wants_all_cores(struct context *ctx, const struct plan *plan, bool *wide);

/* teacher_stage: of the network, which learns from the plain labels. *average: the caller's (network_free); NULL where none is asked
 * for. */
enum status teacher_stage(struct context *ctx, struct arena *arena, const struct plan *plan,
                          const struct teacher_plan *teacher, struct network *network, struct stage *stage,
                          struct network **average);

#endif
