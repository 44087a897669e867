/* format.c: what the formats share: which numbers are not finite, and the CRC-32. */
#include "format/format.h"

#include <assert.h>
#include <math.h>
#include <zlib.h>

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

uint32_t format_crc32(const void *bytes, size_t count)
{
    return (uint32_t)crc32_z(crc32(0, NULL, 0), bytes, count);
}
