/* differing.c: how often student and teacher agree, and the samples on which they say the most different things. */
#include "report/page.h"

#include "report/html.h"

#include <math.h>
#include <string.h>

enum { CLASSES_SHOWN = 4 };

static const char *const outcome_names[DETAIL_OUTCOMES] = {"Both right", "Only the<br>teacher right",
                                                           "Only the<br>student right", "The same<br>mistake",
                                                           "Different<br>mistakes"};

/* outcome_shares: over the role's stages, of all their samples; false: none was recorded. */
static bool outcome_shares(const struct report_run *run, const char *role, double share[DETAIL_OUTCOMES])
{
    double total = 0;
    memset(share, 0, DETAIL_OUTCOMES * sizeof *share);
    for (size_t s = 0; s < run->stages; s++) {
        const int32_t *counts = run->stage[s].detail.outcomes;
        for (int i = 0; i < DETAIL_OUTCOMES && counts != NULL && strcmp(run->stage[s].role, role) == 0; i++) {
            share[i] += counts[i];
            total += counts[i];
        }
    }
    for (int i = 0; i < DETAIL_OUTCOMES; i++)
        share[i] /= total > 0 ? total : 1;
    return total > 0;
}

static void add_outcomes(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    double share[DETAIL_OUTCOMES];
    page_table(page, "", "How student and teacher agree");
    text_add(out, "<thead><tr><th scope=\"col\">Network</th>");
    for (int i = 0; i < DETAIL_OUTCOMES; i++)
        text_format(out, "<th scope=\"col\">%s</th>", outcome_names[i]);
    text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < PAGE_SIDES; i++) {
        const char *role = page_sides[i].role;
        if (!outcome_shares(run, role, share))
            continue;
        text_format(out, "<tr class=\"%s\"><th scope=\"row\">%s</th>", role, page_sides[i].label);
        for (int j = 0; j < DETAIL_OUTCOMES; j++)
            html_cell(out, FIGURE_PERCENT, share[j]);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    page_table_end(page, "Shares of the test samples, over the seeds.");
}

/* One of the samples. */
struct sample {
    int64_t classes;
    int32_t place, label;
    double *student, *teacher; /* [K] probabilities */
};

static int64_t most_probable(const double *p, int64_t classes)
{
    int64_t best = 0;
    for (int64_t i = 1; i < classes; i++)
        if (p[i] > p[best])
            best = i;
    return best;
}

/* next_class: of those not shown yet the one that either network takes for the most probable. */
static int64_t next_class(const struct sample *sample, const bool *shown)
{
    int64_t best = -1;
    double highest = -1;
    for (int64_t i = 0; i < sample->classes; i++) {
        double p = fmax(sample->student[i], sample->teacher[i]);
        if (!shown[i] && p > highest) {
            best = i;
            highest = p;
        }
    }
    return best;
}

static void add_bar(struct text *out, const char *role, double probability)
{
    text_format(out, "<span class=\"bar %s\"><i style=\"width:%.1f%%\"></i></span><span>%.1f</span>", role,
                probability * 100, probability * 100);
}

/* add_labels: the soft labels: for each class teacher above student. */
static void add_labels(const struct page *page, const struct report_run *run, const struct sample *sample)
{
    struct text *out = page->out;
    bool *shown = arena_take(page->arena, (size_t)sample->classes, sizeof *shown);
    if (shown == NULL) {
        out->failed = true;
        return;
    }
    text_add(out, "<dl>");
    for (int64_t i = 0; i < CLASSES_SHOWN && i < sample->classes; i++) {
        int64_t class = next_class(sample, shown);
        shown[class] = true;
        text_format(out, "<dt%s>", class == sample->label ? " class=\"label\"" : "");
        page_class(page, run, class);
        text_add(out, "</dt><dd>");
        add_bar(out, "teacher", sample->teacher[class]);
        add_bar(out, "distilled", sample->student[class]);
        text_add(out, "</dd>");
    }
    text_add(out, "</dl>");
}

static void add_image(const struct page *page, const struct report_detail *detail, int64_t index)
{
    int64_t height = detail->differing.height, width = detail->differing.width, c = detail->differing.channels;
    if (detail->differing.image == NULL)
        return;
    text_format(page->out, "<img width=\"%d\" alt=\"Test sample %d\" src=\"", 84, (int)detail->differing.sample[index]);
    html_image(page->out, detail->differing.image + index * height * width * c, (uint32_t)height, (uint32_t)width,
               (int)c);
    text_add(page->out, "\">");
}

static void add_sample(const struct page *page, const struct report_run *run, const struct report_detail *detail,
                       int64_t index, double *room)
{
    struct text *out = page->out;
    int64_t k = detail->classes;
    struct sample sample = {.classes = k,
                            .place = detail->differing.sample[index],
                            .label = detail->differing.label[index],
                            .student = room,
                            .teacher = room + k};
    detail_probabilities(detail->differing.student + index * k, k, 1, sample.student);
    detail_probabilities(detail->differing.teacher + index * k, k, 1, sample.teacher);
    text_add(out, "<li>");
    add_image(page, detail, index);
    text_format(out, "<div><p><strong>Sample %d</strong> ", (int)sample.place);
    text_add(out, sample.label >= 0 ? "label " : "no label");
    if (sample.label >= 0)
        page_class(page, run, sample.label);
    text_add(out, "<br>Teacher ");
    page_class(page, run, most_probable(sample.teacher, k));
    text_add(out, ", student ");
    page_class(page, run, most_probable(sample.student, k));
    text_add(out, "</p>");
    add_labels(page, run, &sample);
    text_add(out, "</div></li>\n");
}

static void add_samples(const struct page *page, const struct report_run *run, const struct report_stage *stage)
{
    struct text *out = page->out;
    const struct report_detail *detail = &stage->detail;
    double *room = arena_take(page->arena, (size_t)(2 * detail->classes), sizeof *room);
    if (room == NULL) {
        out->failed = true;
        return;
    }
    text_add(out, "<p class=\"lead\">Of the test samples that <code>");
    html_text(out, stage->name);
    text_format(out,
                "</code> and its teacher answer differently, the %lld whose soft labels differ most "
                "(Jensen-Shannon divergence). Bars are probabilities in percent at temperature 1: <span "
                "class=\"bar teacher\"><i></i></span> teacher, <span class=\"bar distilled\"><i></i></span> "
                "student; the underlined class is the label.</p>\n<ul class=\"samples\">\n",
                (long long)detail->differing.count);
    for (int64_t i = 0; i < detail->differing.count; i++)
        add_sample(page, run, detail, i, room);
    text_add(out, "</ul>\n");
}

void page_differing(const struct page *page, const struct report_run *run)
{
    double share[DETAIL_OUTCOMES];
    const struct report_stage *shown = report_detailed(run, "distilled");
    bool outcomes = outcome_shares(run, "distilled", share);
    bool samples = shown != NULL && shown->detail.differing.count > 0;
    if (!outcomes && !samples)
        return;
    page_section(page, "Where student and teacher disagree");
    if (outcomes)
        add_outcomes(page, run);
    if (samples)
        add_samples(page, run, shown);
    page_section_end(page);
}
