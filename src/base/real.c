/* real.c: the course of a number over a stage. */
#include "base/real.h"

#include <math.h>

#define PI 3.14159265358979323846
#define ROUNDING 1e-8 /* far below a step of the longest epoch */

struct real real_constant(double value)
{
    return (struct real){.value = value, .to = value, .over = 1.0, .course = REAL_CONSTANT};
}

bool real_changes(const struct real *real)
{
    return real->course != REAL_CONSTANT && real->value != real->to;
}

/* epochs_done: whole ones; step / steps of an epoch may miss a whole number by its last bits. */
static double epochs_done(double epoch)
{
    const double nearest = round(epoch);
    return fabs(epoch - nearest) < ROUNDING ? nearest : floor(epoch);
}

double real_at(const struct real *real, struct moment at)
{
    if (real->whole && at.epoch > 0.0) {
        const double done = epochs_done(at.epoch);
        at = (struct moment){at.progress * (done / at.epoch), done};
    }
    const double done = real->epochs > 0.0 ? at.epoch : at.progress;
    const double over = real->epochs > 0.0 ? real->epochs : real->over;
    /* Whole epochs in parts of a stage may miss the end by their last bits, and a step must not go back. */
    const double end = real->whole ? over * (1.0 - ROUNDING) : over;
    const bool early = real->course == REAL_LINEAR || real->course == REAL_COSINE; /* A at the start, whatever `over` */
    if (real->course == REAL_CONSTANT || (early && done <= 0.0))
        return real->value;
    if (done >= end) /* also over 0: a jump to B */
        return real->to;
    if (real->course == REAL_STEP)
        return real->value;
    double part = done / over;
    if (real->course == REAL_COSINE)
        part = 0.5 * (1.0 - cos(PI * part));
    else if (real->course == REAL_RAMP)
        part = exp(-5.0 * (1.0 - part) * (1.0 - part));
    return real->value + (real->to - real->value) * part;
}
