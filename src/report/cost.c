/* cost.c: what each network takes: to keep, to run and to train; and its layers. */
#include "report/page.h"

#include "report/html.h"

#include <math.h>
#include <string.h>

enum { FLOAT32_BYTES = 4, LAYERS_OPEN_MAX = 32 };

#define ROLE_MEAN(run, role, field) report_role_mean(run, role, offsetof(struct report_stage, field), NULL)

/* The learnable values alone, as `retort inspect` counts them: four bytes each, or one. */
struct cost {
    double parameters, macs, float32, int8, seconds, rate, all;
};

static const struct {
    const char *heading;
    enum figure figure;
    size_t offset;
    bool ratio; /* between teacher and student it means something */
} columns[] = {
    {"Parameters", FIGURE_COUNT, offsetof(struct cost, parameters), true},
    {"MACs", FIGURE_COUNT, offsetof(struct cost, macs), true},
    {"float32", FIGURE_BYTES, offsetof(struct cost, float32), true},
    {"int8", FIGURE_BYTES, offsetof(struct cost, int8), true},
    {"Training<br>of one", FIGURE_DURATION, offsetof(struct cost, seconds), false},
    {"Training<br>of all", FIGURE_DURATION, offsetof(struct cost, all), false},
    {"Samples<br>per s", FIGURE_COUNT, offsetof(struct cost, rate), false},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct cost cost_of(const struct report_run *run, const char *role)
{
    struct cost cost = {.parameters = ROLE_MEAN(run, role, parameters),
                        .macs = ROLE_MEAN(run, role, macs),
                        .seconds = ROLE_MEAN(run, role, seconds),
                        .rate = ROLE_MEAN(run, role, samples_per_second)};
    cost.float32 = FLOAT32_BYTES * cost.parameters;
    cost.int8 = cost.parameters;
    for (size_t s = 0; s < run->stages; s++)
        if (strcmp(run->stage[s].role, role) == 0)
            cost.all += run->stage[s].seconds;
    return cost;
}

static double cost_figure(const struct cost *cost, size_t column)
{
    return *(const double *)(const void *)((const char *)cost + columns[column].offset);
}

static void add_ratio(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    const char *student = report_student(run);
    if (student == NULL || report_role(run, "teacher") == NULL)
        return;
    struct cost teacher = cost_of(run, "teacher"), own = cost_of(run, student);
    text_add(out, "<tfoot><tr><th scope=\"row\">Teacher / student</th>");
    for (size_t c = 0; c < COLUMNS; c++) {
        double ratio = cost_figure(&teacher, c) / cost_figure(&own, c);
        text_add(out, "<td>");
        if (columns[c].ratio && isfinite(ratio)) {
            html_real(out, ratio, ratio < 10 ? 1 : 0);
            text_add(out, "×");
        }
        text_add(out, "</td>");
    }
    text_add(out, "</tr></tfoot>\n");
}

void page_cost(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    page_section(page, "Cost");
    page_table(page, "", "What the networks cost");
    text_add(out, "<thead><tr><th scope=\"col\">Network</th>");
    for (size_t c = 0; c < COLUMNS; c++)
        text_format(out, "<th scope=\"col\">%s</th>", columns[c].heading);
    text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < PAGE_ROWS; i++) {
        const char *role = page_rows[i].role;
        if (report_role(run, role) == NULL)
            continue;
        struct cost cost = cost_of(run, role);
        text_format(out, "<tr class=\"%s\"><th scope=\"row\">%s</th>", role, page_rows[i].label);
        for (size_t c = 0; c < COLUMNS; c++)
            html_cell(out, columns[c].figure, cost_figure(&cost, c));
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    add_ratio(page, run);
    page_table_end(page,
                   "MACs: the multiply-accumulates of one sample in convolutions and linear layers. float32, int8: "
                   "the bytes of the parameters with four bytes each, or with one. Times are means over the "
                   "seeds, and sums where it says all.");
    page_section_end(page);
}

/* --- layers --- */

static void add_layers(const struct page *page, const char *label, const struct report_detail *detail)
{
    struct text *out = page->out;
    double parameters = 0, macs = 0;
    for (size_t i = 0; i < detail->layers; i++) {
        parameters += (double)detail->layer[i].parameters;
        macs += (double)detail->layer[i].macs;
    }
    text_format(out, "<details%s>\n<summary>%s: %zu layers</summary>\n",
                detail->layers <= LAYERS_OPEN_MAX ? " open" : "", label, detail->layers);
    page_table(page, "dense layers", label);
    text_add(out, "<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\" class=\"word\">Type</th><th scope=\"col\" "
                  "class=\"word\">Output</th><th scope=\"col\">Parameters</th><th scope=\"col\">MACs</th>"
                  "<th scope=\"col\">Share<br>of MACs</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < detail->layers; i++) {
        const struct record_layer *layer = &detail->layer[i];
        text_add(out, "<tr><th scope=\"row\">");
        html_text(out, layer->name);
        text_add(out, "</th><td class=\"word\">");
        html_text(out, layer->type);
        text_add(out, "</td><td class=\"word\">");
        html_text(out, layer->output);
        text_add(out, "</td>");
        html_cell(out, FIGURE_COUNT, (double)layer->parameters);
        html_cell(out, FIGURE_COUNT, (double)layer->macs);
        html_cell(out, FIGURE_PERCENT, layer->macs > 0 ? (double)layer->macs / macs : (double)NAN);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n<tfoot><tr><th scope=\"row\">together</th><td></td><td></td>");
    html_cell(out, FIGURE_COUNT, parameters);
    html_cell(out, FIGURE_COUNT, macs);
    text_add(out, "<td></td></tr></tfoot>\n");
    page_table_end(page, NULL);
    text_add(out, "</details>\n");
}

/* layers_of: the role's first stage whose layers were recorded. */
static const struct report_detail *layers_of(const struct report_run *run, const char *role)
{
    for (size_t i = 0; i < run->stages && role != NULL; i++)
        if (strcmp(run->stage[i].role, role) == 0 && run->stage[i].detail.layers > 0)
            return &run->stage[i].detail;
    return NULL;
}

void page_layers(const struct page *page, const struct report_run *run)
{
    const struct report_detail *teacher = layers_of(run, "teacher"), *student = layers_of(run, report_student(run));
    if (teacher == NULL && student == NULL)
        return;
    page_section(page, "Layers");
    if (student != NULL)
        add_layers(page, "The student", student);
    if (teacher != NULL)
        add_layers(page, "The teacher", teacher);
    text_add(page->out, "<p class=\"caption\">Outputs of one sample: [channels, height, width], or [features].</p>\n");
    page_section_end(page);
}
