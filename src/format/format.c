/* format.c: what the formats share: which numbers are not finite. */
#include "format/format.h"

#include <assert.h>
#include <math.h>

int64_t format_not_finite(enum element element, const void *data, int64_t count)
{
    if (element == ELEMENT_F32) {
        const float *f32 = data;
        for (int64_t i = 0; i < count; i++)
            if (!isfinite(f32[i]))
                return i;
    } else if (element == ELEMENT_F64) {
        const double *f64 = data;
        for (int64_t i = 0; i < count; i++)
            if (!isfinite(f64[i]))
                return i;
    }
    return -1;
}

const char *format_not_finite_text(enum element element, const void *data, int64_t index)
{
    assert(element == ELEMENT_F32 || element == ELEMENT_F64);
    double number = element == ELEMENT_F32 ? (double)((const float *)data)[index] : ((const double *)data)[index];
    if (isnan(number))
        return "NaN";
    return number < 0 ? "-inf" : "inf";
}
