/* real.c: the course of a number over a stage. */
#include "base/real.h"

#include <math.h>

#define PI 3.14159265358979323846

struct real real_constant(double value)
{
    return (struct real){.value = value, .to = value, .over = 1.0, .course = REAL_CONSTANT};
}

bool real_changes(const struct real *real)
{
    return real->course != REAL_CONSTANT && real->value != real->to;
}

double real_at(const struct real *real, double progress)
{
    if (real->course == REAL_CONSTANT || progress <= 0.0)
        return real->value;
    if (progress >= real->over) /* also over 0: a jump to B */
        return real->to;
    double part = progress / real->over;
    if (real->course == REAL_COSINE)
        part = 0.5 * (1.0 - cos(PI * part));
    return real->value + (real->to - real->value) * part;
}
