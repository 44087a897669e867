/* method_step.h: training steps by hand, for methods.c: a student with the terms that are asked for, what they read of
 * the teacher recorded; images of 28x28 made-up bytes, batch 128, float32, one thread. */
#ifndef BENCH_METHOD_STEP_H
#define BENCH_METHOD_STEP_H

#include "recipe/recipe.h"
#include "run/losses.h"
#include "train/learning.h"
#include "train/recording.h"
#include "train/settings.h"

enum { STEP_TAPS = 4 * METHOD_TAPS, STEP_PAIRS_MAX = 4096 };

struct bench {
    struct context ctx;
    struct arena *arena;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct value *recipe;
    struct network_input input;
    struct network *teacher;
    struct train_settings settings;
    struct split split; /* its images: of as many samples alone as are recorded */
    unsigned char *images;
    int32_t *labels, *samples, *rows;
    double limit;                 /* seconds a measurement */
    double *base, *more, *ratios; /* of the last measurement, each sorted */
};

/* A stage that is stepped by hand. */
struct stepped {
    struct network *student;
    struct term *terms;
    struct stage stage;
    struct stage_graph *built;
    struct program *program;
    struct learning *learning;
    struct recording recordings[STEP_TAPS];
    int64_t step;
};

/* bench_open: the recipe's teacher, as it was drawn, and the data; ctx is initialised. bench_close: also after failure. */
enum status bench_open(struct bench *bench, const char *recipe);
void bench_close(struct bench *bench);

/* stepped_make: the recipe's student with these losses, a JSON list; `deepest`: the last one has the deepest of its pairs
 * of taps alone. stepped_free: also after failure, and of zeros. */
enum status stepped_make(struct bench *bench, struct stepped *side, const char *losses, bool deepest);
void stepped_free(struct stepped *side);
/* stepped_pairs: of how many pairs of taps the last term is. */
int stepped_pairs(const struct stepped *side);

/* measure: pairs of steps for bench->limit seconds, their CPU time in bench->base, more and ratios; with `profile` the
 * program of `more` keeps where its time goes. Returns how many, 0: error recorded. */
size_t measure(struct bench *bench, struct stepped *base, struct stepped *more, bool profile);

#endif
