/* plan.h: a recipe, bound: every value that applied, checked before anything runs. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "data/augment.h"
#include "data/data.h"
#include "nn/network.h"
#include "run/run.h"
#include "run/staging.h"
#include "train/settings.h"

/* When the teacher's outputs are recorded: AUTO: where that takes no more work than computing them in each step; TRUE: where it can be
 * done; FALSE: never. */
enum cache { CACHE_AUTO, CACHE_TRUE, CACHE_FALSE };

struct network_plan {
    const struct value *network; /* the description */
    struct train_settings train;
};

struct plan {
    struct arena *arena; /* borrowed: holds everything */
    const char *name;    /* of the recipe: its file's name without the ending */
    enum element precision;
    struct data *data; /* owned */
    struct network_input input;
    bool has_teacher;
    struct network_plan teacher, student;
    uint64_t teacher_seed;
    const struct scheme *scheme;
    const void *scheme_options;
    enum cache cache;
    struct staging staging;     /* student 0, teacher 1 in the terms */
    struct term student_labels; /* what the student learns alone from: the recipe's `labels` options, weight 1 */
    struct term teacher_labels; /* the plain labels: a teacher of smoothed ones teaches less */
    bool baseline;
    struct option_integers seeds;
    struct value *resolved;
    char sha256[65];  /* of the resolved recipe's text */
    const char *text; /* the resolved recipe */
};

/* The keys of a recipe, of its `student` and of its `distill`, for `retort help`. */
struct option_set plan_recipe_options(void);
struct option_set plan_network_options(void);
struct option_set plan_distill_options(void);

/* plan_make: from a recipe's tree. `path` is the recipe's (relative data paths). student_only: teacher and distill are not used. In any
 * case plan_free. */
enum status plan_make(struct context *ctx, struct arena *arena, const struct value *recipe, const char *path,
                      bool student_only, struct plan *plan);
void plan_free(struct context *ctx, struct plan *plan);

/* plan_network: a new network of the plan, with the initial values of a seed. */
enum status plan_network(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                         const char *name, uint64_t seed, struct network **network);

#endif
