/* real.h: a number that may change over a stage: a weight, a temperature, a rate. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#include <stdbool.h>

enum real_course { REAL_CONSTANT, REAL_LINEAR, REAL_COSINE, REAL_RAMP, REAL_STEP };

/* In a recipe: a number, or {from: A, to: B, over: F, course: linear|cosine|ramp|step}: from A at the stage's
 * start to B when the fraction F (default 1) of its steps is done, B from then on; with `epochs: N` in place of `over`
 * when N epochs are done. x: the part of the course that is done, in [0,1]:
 *
 *     linear  A + (B - A) x
 *     cosine  A + (B - A) (1 - cos(pi x)) / 2
 *     ramp    A + (B - A) exp(-5 (1 - x)^2): at the start not A, but A + 0.0067 (B - A)
 *     step    A where x < 1
 */
struct real {
    double value; /* the constant, or A */
    double to;
    double over;
    double epochs; /* above 0: in place of `over` */
    enum real_course course;
    bool whole; /* changes at the ends of epochs alone */
};

/* How far a stage is. */
struct moment {
    double progress; /* in [0,1]: the fraction of its steps that is done */
    double epoch;    /* epochs that are done, with the part of the one that is not */
};

struct real real_constant(double value);
bool real_changes(const struct real *real);
double real_at(const struct real *real, struct moment at);

#endif
