/* compare.h: arrays of numbers beside what is expected of them. */
#ifndef SUPPORT_COMPARE_H
#define SUPPORT_COMPARE_H

#include "tensor/shape.h"

#include <stdio.h>

/* compare_numbers: how many of n numbers differ from `expected` by more than tolerance * max(floor, largest
 * |expected|), or are not finite where that is; equal infinities and two NaN agree. Prints `what` and the first ten
 * that differ to `out` (NULL: nothing). */
int64_t compare_numbers(FILE *out, const char *what, int64_t n, const double *expected, const double *found,
                        double tolerance, double floor);
/* compare_elements: the same, with `found` of any element type. */
int64_t compare_elements(FILE *out, const char *what, int64_t n, const double *expected, enum element element,
                         const void *found, double tolerance, double floor);

/* element_read, element_write: number i of an array of the type; F32, F64, U8, I32 or I64. */
double element_read(enum element element, const void *values, int64_t i);
void element_write(enum element element, void *values, int64_t i, double value);

#endif
