/* loop.h: carries out one stage. */
#ifndef TRAIN_LOOP_H
#define TRAIN_LOOP_H

#include "record/record.h"
#include "train/evaluate.h"
#include "train/profile.h"
#include "train/recording.h"

/* How the stage is doing: at most some ten times a second, and at each epoch's end. */
struct loop_progress {
    int64_t step, steps, epoch, epochs;
    double loss; /* mean of the last steps */
    double samples_per_second, seconds_left;
    double validation_accuracy; /* of the last epoch; NaN: none yet */
    bool epoch_end, finished;
};

struct loop_spec {
    const struct stage *stage;
    const struct data *data;
    enum element precision;
    struct kernel_context *kernels;
    struct program_memory *memory;
    const struct recording *recordings;
    int n_recordings;
    struct record *record;         /* NULL: nothing is recorded */
    const char *checkpoint;        /* path; NULL: none. When the file exists, the stage goes on from there */
    const char *fingerprint;       /* of the recipe */
    const char *const *parts_from; /* parts.h: files of earlier stages, the latest last */
    int n_parts_from;
    const char *parts_to;   /* NULL: no stage comes behind */
    struct arena *profile;  /* not NULL: the steps are profiled, and loop_result.profile is this arena's */
    struct metrics *others; /* [learners of the stage], or NULL: gets the validation figures of those saved beside it */
    bool announce;          /* summary.h before the first step */
    unsigned plan_flags;    /* PLAN_NO_SHARING, PLAN_POISON: for tests */
    void (*progress)(void *user, const struct loop_progress *progress);
    void *user;
};

struct loop_result {
    int64_t epochs, steps;              /* carried out: fewer than the budget's after an early stop */
    int64_t best_epoch;                 /* whose values the subject has, by early_stop; 0: the last step's */
    double seconds, samples_per_second; /* of the training steps alone */
    struct metrics validation;          /* of the subject at the end; samples 0 without a validation split */
    struct value *profile;              /* train/profile.h; NULL where none was asked for */
};

/* loop_run: trains the stage's learners in place. STATUS_CANCELLED after saving a checkpoint when the context asks to stop. A loss that is not finite
 * fails with the step and the first node. */
enum status loop_run(struct context *ctx, const struct loop_spec *spec, struct loop_result *result);

#endif
