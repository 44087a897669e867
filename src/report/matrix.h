/* matrix.h: a square table, a cell for each true class (row) and class (column), coloured by what it holds. */
#ifndef REPORT_MATRIX_H
#define REPORT_MATRIX_H

#include "report/page.h"

enum { MATRIX_CLASSES_MAX = 20 }; /* more cells than that cannot be read */

struct matrix {
    const char *id;           /* of the table; NULL: none */
    const char *role;         /* of the network; NULL: it is a difference of two, in points and with signs */
    const char *title, *note; /* HTML; note NULL: none */
    int64_t classes;
    const double *cell; /* [K,K] fractions; NaN: undefined */
    double scale;       /* the fraction that has the full colour */
};

/* matrix_add: a figure; between page_panels and page_panels_end. */
void matrix_add(const struct page *page, const struct matrix *matrix);
/* matrix_scale: the largest magnitude beside the diagonal, or with it; at least `scale`. */
double matrix_scale(const double *cell, int64_t classes, bool diagonal, double scale);

#endif
