/* page.h: the parts that every page has, and the two kinds of page. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "base/text.h"
#include "base/value.h"
#include "report/run.h"

/* A page being written. `library`: Chart.js, or NULL: then there are no charts, and the page says so. Borrowed. */
struct page {
    struct context *ctx;
    struct arena *arena;
    const char *library;
    struct text *out;
};

/* The sides that a page compares, in the order in which it shows them. */
enum page_side_index { PAGE_TEACHER, PAGE_ALONE, PAGE_DISTILLED, PAGE_SIDES };
struct page_side {
    const char *role, *label, *lower; /* "distilled", "Student distilled", and within a sentence */
    const char *confusion_id, *similarity_id;
};
extern const struct page_side page_sides[PAGE_SIDES];

/* The rows of tables of networks: the sides, what may stand between teacher and student, and what a scheme trains beside the student. */
struct page_row {
    const char *role, *label;
};
enum { PAGE_ROWS = PAGE_SIDES + 7 };
extern const struct page_row page_rows[PAGE_ROWS];

/* page_begin: everything up to the title; page_end: the data of the charts (NULL: none), scripts, the end. */
void page_begin(const struct page *page, const char *kind, const char *title);
void page_end(const struct page *page, const char *version, const struct value *data);

/* page_section: a heading; page_table: a table's container, which scrolls by itself; `label` is for those who hear it,
 * `class` for the style; page_table_end: with a caption below, NULL: none. */
void page_section(const struct page *page, const char *heading);
void page_section_end(const struct page *page);
void page_table(const struct page *page, const char *class, const char *label);
void page_table_end(const struct page *page, const char *caption);

/* Charts stand between page_charts and page_charts_end; without a library a note takes their place, and page_chart
 * writes nothing. `id`: what the script draws there; `height` in pixels; texts are HTML. */
enum chart_width { CHART_HALF, CHART_WHOLE };
void page_charts(const struct page *page);
void page_chart(const struct page *page, const char *id, enum chart_width width, int height, const char *title,
                const char *note);
void page_charts_end(const struct page *page);

/* Panels: figures without a library, side by side where there is room. */
void page_panels(const struct page *page);
void page_panels_end(const struct page *page);
/* page_class: the class's name or number. page_classes: which number is which class, as a line; nothing without names. */
void page_class(const struct page *page, const struct report_run *run, int64_t class);
void page_classes(const struct page *page, const struct report_run *run);
/* page_script_with_data: `data` as JSON under `id`, then the script that reads it. */
void page_script_with_data(const struct page *page, const char *id, const struct value *data,
                           const char *const *script);

/* The two pages, whole; runs [count]; note: below their table, NULL: none. Failure: the error in the context, and the text's `failed` where it cannot grow. */
void page_of_run(const struct page *page, const struct report_run *run);
void page_of_runs(const struct page *page, const struct report_run *runs, int count, const char *note);

/* Parts of the first page. page_verdict: what came of the run, in one sentence. page_key_figures: the few numbers that
 * one wants first. page_comparison: tables and charts of the two sides; page_comparison_rows: what those charts draw,
 * page_exit_curves: what those of page_exits. The others are whole sections, left out where the record does not
 * have what they show. */
void page_verdict(const struct page *page, const struct report_run *run);
void page_key_figures(const struct page *page, const struct report_run *run);
void page_comparison(const struct page *page, const struct report_run *run);
void page_cost(const struct page *page, const struct report_run *run);
void page_exits(const struct page *page, const struct report_run *run);
void page_confusion(const struct page *page, const struct report_run *run);
void page_similarity(const struct page *page, const struct report_run *run);
void page_differing(const struct page *page, const struct report_run *run);
void page_layers(const struct page *page, const struct report_run *run);
void page_terms(const struct page *page, const struct report_run *run);
struct value *page_comparison_rows(struct arena *arena, const struct report_run *run);
struct value *page_exit_curves(struct arena *arena, const struct report_run *run);

#endif
