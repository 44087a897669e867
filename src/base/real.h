/* real.h: a number that may change over a stage: a weight, a temperature, a rate. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#include <stdbool.h>

enum real_course { REAL_CONSTANT, REAL_LINEAR, REAL_COSINE };

/* In a recipe: a number, or {from: A, to: B, over: F, course: linear|cosine}: from A at the stage's
 * start to B when the fraction F (default 1) of its steps is done, B from then on. */
struct real {
    double value; /* the constant, or A */
    double to;
    double over;
    enum real_course course;
};

struct real real_constant(double value);
bool real_changes(const struct real *real);
/* real_at: its value at progress in [0,1] of the stage. */
double real_at(const struct real *real, double progress);

#endif
