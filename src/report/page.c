/* page.c: the frame of a page. */
#include "report/page.h"

#include "report/assets.h"
#include "report/html.h"

const struct page_side page_sides[PAGE_SIDES] = {
    {"teacher", "Teacher", "teacher", "confusion-teacher", "similarity-teacher"},
    {"alone", "Student alone", "student alone", "confusion-alone", "similarity-alone"},
    {"distilled", "Student distilled", "distilled student", "confusion-distilled", "similarity-distilled"}};

const struct page_row page_rows[PAGE_ROWS] = {
    {"teacher", "Teacher"},
    {"assistant", "Assistant"},
    {"self", "The network, trained first"},
    {"cycle", "Earlier cycles"},
    {"generation", "Earlier generations"},
    {"peer", "Peers"},
    {"average", "Average of the weights"},
    {"ensemble", "Ensemble"},
    {"alone", "Student alone"},
    {"distilled", "Student distilled"},
};

static void add_lines(struct text *out, const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        text_add(out, *lines);
        text_add(out, "\n");
    }
}

void page_begin(const struct page *page, const char *kind, const char *title)
{
    struct text *out = page->out;
    text_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  /* Nothing is loaded from anywhere, and the browser holds the page to it. */
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n<title>");
    html_text(out, title);
    text_add(out, " · Retort</title>\n<style>\n");
    add_lines(out, page_style);
    text_add(out, "</style>\n<noscript><style>.charts{display:none}</style></noscript>\n</head>\n<body>\n<main>\n"
                  "<header>\n<p class=\"kind\">");
    html_text(out, kind);
    text_add(out, "</p>\n<h1>");
    html_text(out, title);
    text_add(out, "</h1>\n");
}

void page_end(const struct page *page, const char *version, const struct value *data)
{
    struct text *out = page->out;
    text_add(out, "<footer><p>Made by Retort");
    if (version != NULL) {
        text_add(out, " ");
        html_text(out, version);
    }
    text_add(out,
             " from the run&#39;s records. Accuracies are shares of the samples; &ldquo;points&rdquo; are percentage "
             "points.</p></footer>\n</main>\n");
    if (page->library != NULL && data != NULL) {
        text_add(out, "<script>\n");
        text_add(out, page->library);
        text_add(out, "\n</script>\n");
        page_script_with_data(page, "report-data", data, page_script);
    }
    text_add(out, "</body>\n</html>\n");
}

void page_script_with_data(const struct page *page, const char *id, const struct value *data, const char *const *script)
{
    struct text *out = page->out;
    text_format(out, "<script type=\"application/json\" id=\"%s\">", id);
    html_json(out, page->ctx, data);
    text_add(out, "</script>\n<script>\n");
    add_lines(out, script);
    text_add(out, "</script>\n");
}

void page_section(const struct page *page, const char *heading)
{
    text_format(page->out, "<section>\n<h2>%s</h2>\n", heading);
}

void page_section_end(const struct page *page)
{
    text_add(page->out, "</section>\n");
}

void page_table(const struct page *page, const char *class, const char *label)
{
    /* In the tab order, so that it can be scrolled without a mouse. */
    text_format(page->out,
                "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n"
                "<table class=\"%s\">\n",
                label, class);
}

void page_table_end(const struct page *page, const char *caption)
{
    text_add(page->out, "</table>\n</div>\n");
    /* Not a <caption>: that would be as wide as the table, and so be cut off where the table scrolls. */
    if (caption != NULL)
        text_format(page->out, "<p class=\"caption\">%s</p>\n", caption);
}

void page_charts(const struct page *page)
{
    if (page->library != NULL)
        text_add(page->out, "<noscript><p class=\"note\">The charts need JavaScript; their figures also stand in the "
                            "tables.</p></noscript>\n<div class=\"charts\">\n");
    else
        text_add(page->out, "<p class=\"note\">No charts: Chart.js was not there when this page was made. Install the "
                            "Debian package libjs-chart.js and run <code>retort report</code> on the run&#39;s folder "
                            "again.</p>\n");
}

void page_chart(const struct page *page, const char *id, enum chart_width width, int height, const char *title,
                const char *note)
{
    if (page->library == NULL)
        return;
    text_format(page->out,
                "<figure class=\"chart%s\">\n<figcaption><strong>%s</strong> <span>%s</span></figcaption>\n"
                "<div class=\"canvas\" style=\"height:%dpx\"><canvas id=\"%s\" role=\"img\" aria-label=\"%s\"></canvas>"
                "</div>\n</figure>\n",
                width == CHART_WHOLE ? " whole" : "", title, note, height, id, title);
}

void page_charts_end(const struct page *page)
{
    if (page->library != NULL)
        text_add(page->out, "</div>\n");
}

void page_panels(const struct page *page)
{
    text_add(page->out, "<div class=\"panels\">\n");
}

void page_panels_end(const struct page *page)
{
    text_add(page->out, "</div>\n");
}

void page_class(const struct page *page, const struct report_run *run, int64_t class)
{
    char number[REPORT_CLASS_NUMBER];
    html_text(page->out, report_class(run, class, number));
}

void page_classes(const struct page *page, const struct report_run *run)
{
    if (run->classes == 0)
        return;
    text_add(page->out, "<p class=\"caption\">The classes:");
    for (size_t i = 0; i < run->classes; i++) {
        text_format(page->out, "%s <b>%zu</b>&nbsp;", i > 0 ? "," : "", i);
        html_text(page->out, run->class_names[i]);
    }
    text_add(page->out, ".</p>\n");
}
