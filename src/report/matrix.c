/* matrix.c: see matrix.h. The colour is an addition: each cell also has its number, in percent. */
#include "report/matrix.h"

#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double matrix_scale(const double *cell, int64_t classes, bool diagonal, double scale)
{
    for (int64_t i = 0; i < classes * classes; i++)
        if ((diagonal || i % (classes + 1) != 0) && fabs(cell[i]) > scale)
            scale = fabs(cell[i]);
    return scale;
}

/* add_cell: the root makes rare mistakes visible; the script of the similarities does the same. */
static void add_cell(struct text *out, const struct matrix *matrix, int64_t row, int64_t column)
{
    double value = matrix->cell[row * matrix->classes + column];
    bool difference = matrix->role == NULL, coloured = difference || row != column;
    char digits[32];
    text_format(out, "<td class=\"%s%s\"", row == column ? "diagonal" : "", difference && value < 0 ? " fewer" : "");
    if (coloured && isfinite(value) && matrix->scale > 0)
        text_format(out, " style=\"--heat:%.2f\"", sqrt(fmin(fabs(value) / matrix->scale, 1)));
    text_add(out, ">");
    snprintf(digits, sizeof digits, difference ? "%+.1f" : "%.1f", value * 100);
    if (!isfinite(value))
        html_text(out, NULL);
    else if (strcmp(digits + difference, "0.0") == 0)
        text_add(out, "·");
    else
        text_format(out, "%s%s", digits[0] == '-' ? "−" : "", digits + (digits[0] == '-'));
    text_add(out, "</td>");
}

void matrix_add(const struct page *page, const struct matrix *matrix)
{
    struct text *out = page->out;
    text_format(out, "<figure class=\"panel\">\n<figcaption><strong>%s</strong> <span>%s</span></figcaption>\n",
                matrix->title, matrix->note != NULL ? matrix->note : "");
    text_format(out,
                "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n<table class=\"matrix %s\"",
                matrix->title, matrix->role != NULL ? matrix->role : "difference");
    if (matrix->id != NULL)
        text_format(out, " id=\"%s\"", matrix->id);
    text_add(out, ">\n<thead><tr><th scope=\"col\"><span class=\"unseen\">True class</span></th>");
    for (int64_t i = 0; i < matrix->classes; i++)
        text_format(out, "<th scope=\"col\">%lld</th>", (long long)i);
    text_add(out, "</tr></thead>\n<tbody>\n");
    for (int64_t row = 0; row < matrix->classes; row++) {
        text_format(out, "<tr><th scope=\"row\">%lld</th>", (long long)row);
        for (int64_t column = 0; column < matrix->classes; column++)
            add_cell(out, matrix, row, column);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n</table>\n</div>\n</figure>\n");
}
