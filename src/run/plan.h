/* plan.h: a recipe, bound: every value that applied, checked before anything runs. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "data/augment.h"
#include "data/data.h"
#include "nn/cut.h"
#include "run/block_plan.h"
#include "run/run.h"
#include "run/staging.h"
#include "run/teachers.h"

/* When the teacher's outputs are recorded: AUTO: where that takes no more work than computing them in each step; TRUE: where it can be
 * done; FALSE: never. */
enum caching { CACHE_AUTO, CACHE_TRUE, CACHE_FALSE };

/* How the logits of several teachers become one teacher's: LEARNT: mean probability with the weights that fit the validation labels best. */
enum combining { COMBINING_MEAN_PROBABILITY, COMBINING_MEAN_LOGIT, COMBINING_LEARNT };

/* A network between teacher and student, distilled from the one before it. */
struct assistant_plan {
    const char *name; /* "assistant-0": of its stage and its model file */
    struct network_plan own;
    uint64_t seed;
    struct staging staging; /* one phase */
};

/* What a taught student takes over of the first teacher that is a network, where the one alone starts from new values. */
struct inheritance {
    bool cut; /* its network is that teacher's, made smaller; with the values, unless scratch */
    bool scratch;
    struct network_cut how;
    const struct value *layers; /* {layer of the student: layer of the teacher} whose values it takes; NULL: none */
    const struct value *at;
};

struct plan {
    struct arena *arena; /* borrowed: holds everything */
    const char *name;    /* of the recipe: its file's name without the ending */
    enum element precision;
    struct data *data; /* owned */
    struct network_input input;
    struct teachers teachers;
    enum combining combine;
    struct network_plan student;
    struct inheritance inheritance;
    int n_assistants;
    struct assistant_plan *assistants; /* the first learns from the teachers, the student from the last */
    const struct scheme *scheme;
    const void *scheme_options;
    const struct value *losses;  /* the recipe's, or the scheme's own; NULL: as losses_bind has them */
    const struct value *distill; /* the recipe's section, for messages; NULL: none */
    enum caching cache;
    bool cache_half;      /* recorded outputs are kept as float16 */
    double cache_limit;   /* bytes that recorded outputs may take */
    double labelled_part; /* of a batch of the distilled stages; 0: samples as they come */
    int64_t views;        /* at most so many of a sample where a teacher teaches; 0: all that the augmentation makes */
    struct staging staging;     /* of the student: student 0, teacher 1 in the terms */
    struct block_plan blocks;   /* what it learns before those stages */
    struct term student_labels; /* what the student learns alone from: the recipe's `labels` options, weight 1 */
    bool baseline;
    struct option_integers seeds;
    struct value *resolved;
    char sha256[65];  /* of the resolved recipe's text */
    const char *text; /* the resolved recipe */
};

/* The keys of a recipe, of its `student` and of its `distill`, for `retort help`. */
struct option_set plan_recipe_options(void);
struct option_set plan_network_options(void);
struct option_set plan_cut_options(void);
struct option_set plan_distill_options(void);
struct option_set plan_assistant_options(void);

/* plan_make: from a recipe's tree. `path` is the recipe's (relative data paths). student_only: teacher and distill are not used. In any
 * case plan_free. */
enum status plan_make(struct context *ctx, struct arena *arena, const struct value *recipe, const char *path,
                      bool student_only, struct plan *plan);
void plan_free(struct context *ctx, struct plan *plan);

/* plan_network: a new network of the plan, with the initial values of a seed. */
enum status plan_network(struct context *ctx, const struct plan *plan, const struct network_plan *which,
                         const char *name, uint64_t seed, struct network **network);

#endif
