/* teachers.h: a recipe's `teacher:` section: one teacher, or a list of them. */
#ifndef RUN_TEACHERS_H
#define RUN_TEACHERS_H

#include "nn/network.h"
#include "train/settings.h"

struct network_plan {
    const struct value *network; /* the description */
    bool described;              /* it is whole (network_description), not a recipe's */
    struct train_settings train;
    bool all_labels; /* it learns also from the labels that data.labelled takes away */
};

enum teacher_kind {
    TEACHER_TRAINED,  /* network and train: a stage of the run */
    TEACHER_WEIGHTS,  /* network and a file of another framework with its weights */
    TEACHER_MODEL,    /* a model file of ours */
    TEACHER_RECORDED, /* outputs in an NPZ file */
    TEACHER_COMMAND,  /* a program that answers logits */
};

struct teacher_plan {
    enum teacher_kind kind;
    const char *name;          /* "teacher"; of several "teacher-0", "teacher-1" …: of its stage and its model file */
    struct network_plan own;   /* trained: both; weights: the network */
    uint64_t seed;             /* trained: of the initial weights and the order */
    struct term labels;        /* trained: what it learns from */
    const char *file;          /* as given, joined to the recipe's folder: of weights, model, or recorded outputs */
    const struct value *names; /* weights: {our name: theirs}; NULL: none */
    const char *command;
    double smoothing; /* trained: of its labels */
    double timeout;   /* of the command: seconds */
    double weight;    /* among the others */
    int outputs;      /* of classes; 0: none are given */
    const int
        *classes; /* [outputs] the class that each of its outputs is, -1: none of ours; NULL: they are the classes */
    const struct value *at; /* where the recipe says it; borrowed */
};

struct teachers {
    int count; /* 0: the recipe has none */
    struct teacher_plan *items;
};

/* teachers_bind: `section`: a map, or a list of them; NULL or null: none. Paths are relative to the folder of `recipe`. *resolved: every
 * value that applied, with absolute paths. Everything lies in the arena. */
enum status teachers_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe,
                          struct teachers *out, struct value **resolved);
/* teachers_options: the keys of a teacher, for `retort help`. */
struct option_set teachers_options(void);
/* teachers_combined: is what they say together not simply the logits of one? */
bool teachers_combined(const struct teachers *teachers);
/* teachers_find: by name; NULL: there is none. */
const struct teacher_plan *teachers_find(const struct teachers *teachers, const char *name);

#endif
