/* confusion.c: what each network mistakes for what, and what distillation changed in that. */
#include "report/matrix.h"

#include "report/html.h"

#include <math.h>
#include <string.h>

enum { LIST_MAX = 10 };

/* The confusion of a side, over its seeds. */
struct confusion {
    size_t stages; /* 0: none */
    double *share; /* [K,K] of the row's samples; NaN: the class has none */
};

struct confusions {
    int64_t classes;
    struct confusion side[PAGE_SIDES];
    double *gained; /* [K,K] distilled minus alone; NULL: not both are there */
};

/* confusion_sum: all seeds' samples of a true class together are its row. */
static enum status confusion_sum(const struct page *page, const struct report_run *run, const char *role,
                                 struct confusions *all, struct confusion *out)
{
    int64_t k = all->classes;
    out->share = arena_take(page->arena, (size_t)(k * k), sizeof *out->share);
    if (out->share == NULL)
        return STATUS_NO_MEMORY;
    for (size_t s = 0; s < run->stages; s++) {
        const struct report_detail *detail = &run->stage[s].detail;
        if (strcmp(run->stage[s].role, role) != 0 || detail->confusion == NULL || detail->classes != k)
            continue;
        out->stages++;
        for (int64_t i = 0; i < k * k; i++)
            out->share[i] += detail->confusion[i];
    }
    for (int64_t row = 0; row < k; row++) {
        double total = 0;
        for (int64_t i = 0; i < k; i++)
            total += out->share[row * k + i];
        for (int64_t i = 0; i < k; i++)
            out->share[row * k + i] = total > 0 ? out->share[row * k + i] / total : (double)NAN;
    }
    return STATUS_OK;
}

/* confusions_make: classes 0: no stage has any. */
static enum status confusions_make(const struct page *page, const struct report_run *run, struct confusions *all)
{
    *all = (struct confusions){0};
    for (size_t s = 0; s < run->stages && all->classes == 0; s++)
        all->classes = run->stage[s].detail.confusion != NULL ? run->stage[s].detail.classes : 0;
    for (size_t i = 0; i < PAGE_SIDES && all->classes > 0; i++)
        RETURN_IF(confusion_sum(page, run, page_sides[i].role, all, &all->side[i]));
    const struct confusion *alone = &all->side[PAGE_ALONE], *distilled = &all->side[PAGE_DISTILLED];
    if (alone->stages == 0 || distilled->stages == 0)
        return STATUS_OK;
    size_t cells = (size_t)(all->classes * all->classes);
    all->gained = arena_take(page->arena, cells, sizeof *all->gained);
    if (all->gained == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < cells; i++)
        all->gained[i] = distilled->share[i] - alone->share[i];
    return STATUS_OK;
}

static void add_matrices(const struct page *page, const struct confusions *all)
{
    double scale = 0;
    for (size_t i = 0; i < PAGE_SIDES; i++)
        if (all->side[i].stages > 0)
            scale = matrix_scale(all->side[i].share, all->classes, false, scale);
    page_panels(page);
    for (size_t i = 0; i < PAGE_SIDES; i++) {
        const struct confusion *side = &all->side[i];
        const char *note = side->stages > 1 ? arena_format(page->arena, "%zu seeds together", side->stages) : NULL;
        if (side->stages > 0)
            matrix_add(page, &(struct matrix){.role = page_sides[i].role,
                                              .id = page_sides[i].confusion_id,
                                              .title = page_sides[i].label,
                                              .note = note,
                                              .classes = all->classes,
                                              .cell = side->share,
                                              .scale = scale});
    }
    if (all->gained != NULL)
        matrix_add(page, &(struct matrix){.id = "confusion-difference",
                                          .title = "Distilled minus alone",
                                          .note = "Points. Blue: answered more often; orange: less often",
                                          .classes = all->classes,
                                          .cell = all->gained,
                                          .scale = matrix_scale(all->gained, all->classes, true, 0)});
    page_panels_end(page);
}

/* mistake_weight: how much of a mistake the networks make between them; -1: none to list. */
static double mistake_weight(const struct confusions *all, int64_t cell)
{
    double sum = 0;
    if (cell % (all->classes + 1) == 0)
        return -1;
    for (size_t i = 0; i < PAGE_SIDES; i++)
        sum += all->side[i].stages > 0 && all->side[i].share[cell] > 0 ? all->side[i].share[cell] : 0;
    return sum > 0 ? sum : -1;
}

/* mistakes_find: the cells of the most frequent ones, in order; returns how many. */
static size_t mistakes_find(const struct confusions *all, int64_t cells[LIST_MAX])
{
    size_t count = 0;
    double weight[LIST_MAX];
    for (int64_t cell = 0; cell < all->classes * all->classes; cell++) {
        double own = mistake_weight(all, cell);
        size_t at = count;
        while (at > 0 && own > weight[at - 1])
            at--;
        if (own < 0 || at == LIST_MAX)
            continue;
        count += count < LIST_MAX;
        memmove(&weight[at + 1], &weight[at], (count - 1 - at) * sizeof *weight);
        memmove(&cells[at + 1], &cells[at], (count - 1 - at) * sizeof *cells);
        weight[at] = own;
        cells[at] = cell;
    }
    return count;
}

static void add_mistakes(const struct page *page, const struct report_run *run, const struct confusions *all)
{
    struct text *out = page->out;
    int64_t cells[LIST_MAX];
    size_t count = mistakes_find(all, cells);
    if (count == 0)
        return;
    page_table(page, "compact", "The most frequent mistakes");
    text_add(out, "<thead><tr><th scope=\"col\">True → answered</th>");
    for (size_t i = 0; i < PAGE_SIDES; i++)
        if (all->side[i].stages > 0)
            text_format(out, "<th scope=\"col\">%s</th>", page_sides[i].label);
    text_add(out, all->gained != NULL ? "<th scope=\"col\">Change (points)</th></tr></thead>\n<tbody>\n"
                                      : "</tr></thead>\n<tbody>\n");
    for (size_t m = 0; m < count; m++) {
        text_add(out, "<tr><th scope=\"row\">");
        page_class(page, run, cells[m] / all->classes);
        text_add(out, " → ");
        page_class(page, run, cells[m] % all->classes);
        text_add(out, "</th>");
        for (size_t i = 0; i < PAGE_SIDES; i++)
            if (all->side[i].stages > 0)
                html_cell(out, FIGURE_PERCENT, all->side[i].share[cells[m]]);
        if (all->gained != NULL) {
            text_add(out, "<td>");
            html_points(out, all->gained[cells[m]]);
            text_add(out, "</td>");
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    page_table_end(page, "The most frequent mistakes: shares of the samples of the true class.");
}

void page_confusion(const struct page *page, const struct report_run *run)
{
    struct confusions all;
    if (confusions_make(page, run, &all) != STATUS_OK) {
        page->out->failed = true;
        return;
    }
    if (all.classes == 0)
        return;
    page_section(page, "Confusion");
    if (all.classes <= MATRIX_CLASSES_MAX) {
        text_add(page->out, "<p class=\"lead\">Of the test samples of a class (row), the percentage that was answered "
                            "as each class (column). The colour is for mistakes: the root of their share.</p>\n");
        page_classes(page, run);
        add_matrices(page, &all);
    }
    add_mistakes(page, run, &all);
    page_section_end(page);
}
