/* profile.h: where a stage's time goes: each node of the step's program, and what lies outside of it.
 *
 * A loop without a profile (NULL) reads no clock for one. */
#ifndef TRAIN_PROFILE_H
#define TRAIN_PROFILE_H

#include "base/value.h"
#include "graph/program.h"

/* The parts of a step, in order. */
#define PROFILE_PARTS(X)                                                                                               \
    X(BATCH, "batch", "samples gathered and augmented")                                                                \
    X(PROGRAM, "program", "forward and backward")                                                                      \
    X(OPTIMISER, "optimiser", "weights moved")                                                                         \
    X(RECORD, "record", "losses noted, progress shown")

enum profile_part {
#define X(name, word, help) PROFILE_##name,
    PROFILE_PARTS(X)
#undef X
        PROFILE_PART_COUNT
};

struct profile {
    int threads; /* of the stage: which clock is read, base/thread.h */
    double at;   /* the last lap's end */
    double seconds[PROFILE_PART_COUNT];
    int64_t steps;
};

/* profile_begin: a step begins. profile_lap: what happened since then, or since the last lap, was this part; the last part ends the
 * step. NULL: no-op. */
void profile_begin(struct profile *profile);
void profile_lap(struct profile *profile, enum profile_part part);

/* profile_value: {"steps","threads","seconds","flops_per_second","peak":{"flops_per_second","bytes_per_second",
 * "cached_bytes_per_second"},"nodes":[{"phase","layer","op","kernel","seconds","share","flops_per_second","of_peak_flops",
 * "bytes_per_second","of_peak_bytes"}],"parts":[{"part","seconds","share"}]}: seconds of one step, nodes by their time. Measures the
 * peaks: with the machine in the state that it was in for the steps. *value is the arena's. */
enum status profile_value(const struct profile *profile, const struct program *program, enum element precision,
                          struct kernel_context *kernels, struct arena *arena, struct value **value);

#endif
