/* method_case.h: arrays for a method of distillation, what the graph makes of them and what the method's reference
 * makes of them.
 *
 * Knows no method: what a method takes is read from its struct. Failed assertions and lacking memory end the test. */
#ifndef SUPPORT_METHOD_CASE_H
#define SUPPORT_METHOD_CASE_H

#include "kernel/kernel.h"
#include "knowledge/method.h"

enum { ARRAYS_MAX = 8 };

enum arrays_fill {
    ARRAYS_NORMAL,    /* mean 0, deviation 2 */
    ARRAYS_IDENTICAL, /* the student's are the teacher's */
    ARRAYS_SATURATED, /* each element 1e4 or -1e4 */
    ARRAYS_CONSTANT,  /* all elements of a sample are equal */
};

/* Values that float holds exactly, as a method's reference wants them: maps [B,C,H,W]. */
struct arrays {
    int batch, classes;
    int n_student, n_teacher;
    struct shape student_shape[ARRAYS_MAX], teacher_shape[ARRAYS_MAX];
    double *student[ARRAYS_MAX], *teacher[ARRAYS_MAX];
    int32_t *labels;     /* [batch]; NULL: none */
    int32_t *all_labels; /* [samples]: of the split that the batch is taken from */
    int samples;
    double *targets;      /* [batch, classes]; NULL: none */
    const int32_t *order; /* [batch]: which sample each is; borrowed; NULL: the b-th */
    bool nothing_given;   /* own arrays are drawn, and none given */
};

/* arrays_new: taps of the method's roles (as many as method_taps says), labels in [0, classes), no targets. */
struct arrays arrays_new(const struct method *method, enum arrays_fill fill, int batch, int classes, uint64_t seed);
/* arrays_uneven: every tap has sizes of its own, and there are at least two where a method takes several. */
struct arrays arrays_uneven(const struct method *method, int batch, int classes, uint64_t seed);
void arrays_free(struct arrays *arrays);
/* arrays_give_targets: rows that are positive and sum to 1. */
void arrays_give_targets(struct arrays *arrays, uint64_t seed);
/* arrays_drop_labels: every n-th label becomes -1, the first included; n = 0: there are no labels at all. */
void arrays_drop_labels(struct arrays *arrays, int n);
/* arrays_moved: a copy whose taps' elements each differ by up to `by` of themselves; floats still, unless by < 1e-6. */
struct arrays arrays_moved(const struct arrays *arrays, double by, uint64_t seed);
/* arrays_may_lack_student: the method can do without taps of the student, in a stage that concerns the teacher alone.
 * arrays_drop_student: leaves the teacher's. */
bool arrays_may_lack_student(const struct method *method);
void arrays_drop_student(struct arrays *arrays);
/* arrays_permuted: a copy whose sample b is the original's order[b]; `order` is borrowed. */
struct arrays arrays_permuted(const struct arrays *arrays, const int32_t *order);

enum { OWN_MAX = 64, GIVEN_MAX = 8 };

/* An own array that the test gave where the method asked: whole numbers are samples, the first its own; a scalar is positive, a
 * vector normal, anything larger a mask of 0 and 1. */
struct given_array {
    char name[64];
    struct shape shape; /* maps [B,C,H,W] */
    double *values;
};

/* What came of building and running a method on arrays. */
struct method_result {
    enum status status;
    char message[512]; /* why, if not OK */
    double loss;
    double *gradient[ARRAYS_MAX]; /* of the student's arrays, in their layout; NULL where not wanted */
    struct parameters *own;       /* the method's own values */
    bool own_learns[OWN_MAX];     /* the graph asks for a gradient of this one */
    struct given_array given[GIVEN_MAX];
    int n_given;
};

enum method_how {
    METHOD_FORWARD,  /* taps are inputs with the batch as a symbol; no gradient */
    METHOD_SECOND,   /* the same, of a second step, after what the first one left */
    METHOD_GRADIENT, /* the student's taps are parameters, so that their gradients can be read */
};

struct method_result method_run(struct context *ctx, struct kernel_context *kernels, const struct method *method,
                                const void *options, const struct arrays *arrays, enum element element,
                                enum method_how how);
void method_result_free(struct method_result *result);
/* method_reference: the method's reference on the arrays, with the own and given values of a run. */
double method_reference(const struct method *method, const void *options, const struct arrays *arrays,
                        const struct method_result *run);
/* method_slope: differences of the reference along element i of a student's array; method_own_slope: of an own array. At a kink
 * the gradient may be anything from low to high, the differences to one side. */
struct slope {
    double central, low, high;
};
struct slope method_slope(const struct method *method, const void *options, struct arrays *arrays,
                          const struct method_result *run, int tap, int64_t i);
struct slope method_own_slope(const struct method *method, const void *options, const struct arrays *arrays,
                              const struct method_result *run, int entry, int64_t i);

#endif
