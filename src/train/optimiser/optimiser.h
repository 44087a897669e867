/* optimiser.h: how gradients become steps. One file train/optimiser/NAME.c and one line in optimisers.def. Formulas are PyTorch's. */
#ifndef TRAIN_OPTIMISER_OPTIMISER_H
#define TRAIN_OPTIMISER_OPTIMISER_H

#include "base/option.h"
#include "kernel/kernel.h"
#include "train/optimiser/groups.h"
#include "train/schedule/schedule.h"

enum { OPTIMISER_MAX_SLOTS = 2 };

/* One step over a range of values that are treated alike. All of the program's precision. */
struct optimiser_step {
    const struct kernels *table;
    int64_t n;
    void *values;
    const void *gradients;
    void *slots[OPTIMISER_MAX_SLOTS]; /* zero before the first step */
    double rate;                      /* of this step */
    double gradient_scale;            /* multiplies the gradients (clipping) */
    double decay;                     /* factor of the weight decay in this range (PyTorch's default: 1 for all) */
    int64_t step;                     /* 0 for the first */
};

struct optimiser {
    const char *name, *summary, *paper;
    const struct option_spec *options; /* begins with `rate` at offset 0: a double */
    size_t n_options, options_size;
    int slots; /* values kept per parameter */
    void (*step)(const struct optimiser_step *step, const void *options);
};

extern const struct optimiser *const optimiser_table[];
extern const size_t optimiser_table_count;

/* How one learner learns: bound from a recipe. */
struct optimiser_settings {
    const struct optimiser *type;
    const void *options;
    const struct schedule *schedule;
    const void *schedule_options;
    struct layer_groups groups;
};

#endif
