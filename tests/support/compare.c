#include "support/compare.h"

#include <assert.h>
#include <math.h>

double element_read(enum element element, const void *values, int64_t i)
{
    switch (element) {
    case ELEMENT_F32:
        return ((const float *)values)[i];
    case ELEMENT_F64:
        return ((const double *)values)[i];
    case ELEMENT_U8:
        return ((const uint8_t *)values)[i];
    case ELEMENT_I32:
        return ((const int32_t *)values)[i];
    case ELEMENT_U32:
        return ((const uint32_t *)values)[i];
    case ELEMENT_I64:
        return (double)((const int64_t *)values)[i];
    case ELEMENT_REAL:
        break;
    }
    assert(!"a real has no bytes before it has a precision");
    return NAN;
}

void element_write(enum element element, void *values, int64_t i, double value)
{
    switch (element) {
    case ELEMENT_F32:
        ((float *)values)[i] = (float)value;
        return;
    case ELEMENT_F64:
        ((double *)values)[i] = value;
        return;
    case ELEMENT_U8:
        ((uint8_t *)values)[i] = (uint8_t)value;
        return;
    case ELEMENT_I32:
        ((int32_t *)values)[i] = (int32_t)value;
        return;
    case ELEMENT_U32:
        ((uint32_t *)values)[i] = (uint32_t)value;
        return;
    case ELEMENT_I64:
        ((int64_t *)values)[i] = (int64_t)value;
        return;
    case ELEMENT_REAL:
        break;
    }
    assert(!"a real has no bytes before it has a precision");
}

/* differs: allowed is an absolute distance. */
static bool differs(double expected, double found, double allowed)
{
    if (isnan(expected) || isnan(found)) {
        return isnan(expected) != isnan(found);
    }
    if (isinf(expected) || isinf(found)) {
        return expected != found;
    }
    return fabs(expected - found) > allowed;
}

int64_t compare_elements(FILE *out, const char *what, int64_t n, const double *expected, enum element element,
                         const void *found, double tolerance, double floor)
{
    double largest = floor;
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(expected[i]) && fabs(expected[i]) > largest) {
            largest = fabs(expected[i]);
        }
    }
    int64_t different = 0;
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = element_read(element, found, i);
        if (!differs(expected[i], value, tolerance * largest)) {
            continue;
        }
        if (out && different < 10) {
            fprintf(out, "%s: element %lld of %lld: expected %.17g, got %.17g\n", what, (long long)i, (long long)n,
                    expected[i], value);
        }
        double distance = fabs(expected[i] - value);
        worst = !(distance <= worst) ? distance : worst;
        different++;
    }
    if (out && different > 0) {
        fprintf(out, "%s: %lld of %lld differ by more than %g (%g of the largest, %g), at most by %g\n", what,
                (long long)different, (long long)n, tolerance * largest, tolerance, largest, worst);
    }
    return different;
}

int64_t compare_numbers(FILE *out, const char *what, int64_t n, const double *expected, const double *found,
                        double tolerance, double floor)
{
    return compare_elements(out, what, n, expected, ELEMENT_F64, found, tolerance, floor);
}
