/* single.c: the page of one run, from the verdict down to the machine. */
#include "report/page.h"

#include "report/chart.h"
#include "report/html.h"

#include <string.h>

/* add_curves: only the charts for which the record has a series. */
static void add_curves(const struct page *page, const struct report_run *run)
{
    bool teacher = false, student = false, accuracy = false, others = false;
    for (size_t i = 0; i < run->stages; i++) {
        const bool is_student =
            strcmp(run->stage[i].role, "alone") == 0 || strcmp(run->stage[i].role, "distilled") == 0;
        const bool learnt = run->stage[i].train_loss.count > 0;
        teacher |= !is_student && learnt;
        others |= !is_student && learnt && strcmp(run->stage[i].role, "teacher") != 0;
        student |= is_student && learnt;
        accuracy |= run->stage[i].validation.count > 0;
    }
    page_section(page, "Training");
    if (!teacher && !student && !accuracy) {
        text_add(page->out, run->recorded
                                ? "<p class=\"note\">The record holds no curves of these stages.</p>\n"
                                : "<p class=\"note\">No curves: record.sqlite is not in the run&#39;s folder.</p>\n");
    } else {
        page_charts(page);
        if (accuracy)
            page_chart(page, "accuracy", CHART_WHOLE, 340, "Validation accuracy",
                       "After each epoch; lines are means over the seeds, bands reach from the lowest seed to the "
                       "highest. The first epochs may lie below the chart.");
        if (student)
            page_chart(page, "student-loss", CHART_HALF, 300, "Training loss of the student",
                       "Smoothed, with bands over the seeds. Distilled and alone minimise different sums, so only "
                       "their course can be compared.");
        if (teacher)
            page_chart(page, "teacher-loss", CHART_HALF, 300,
                       others ? "Training loss of the teacher and of earlier stages" : "Training loss of the teacher",
                       "Smoothed.");
        page_charts_end(page);
    }
    page_section_end(page);
}

static const struct {
    const char *heading;
    enum figure figure;
    size_t offset;
} columns[] = {
    {"Seed", FIGURE_COUNT, offsetof(struct report_stage, seed)},
    {"Parameters", FIGURE_COUNT, offsetof(struct report_stage, parameters)},
    {"MACs", FIGURE_COUNT, offsetof(struct report_stage, macs)},
    {"Epochs", FIGURE_COUNT, offsetof(struct report_stage, epochs)},
    {"Steps", FIGURE_COUNT, offsetof(struct report_stage, steps)},
    {"Time", FIGURE_DURATION, offsetof(struct report_stage, seconds)},
    {"Samples<br>per s", FIGURE_COUNT, offsetof(struct report_stage, samples_per_second)},
    {"Validation<br>accuracy", FIGURE_PERCENT, offsetof(struct report_stage, validation_accuracy)},
    {"Validation<br>loss (nats)", FIGURE_LOSS, offsetof(struct report_stage, validation_loss)},
    {"Test<br>accuracy", FIGURE_PERCENT, offsetof(struct report_stage, accuracy)},
    {"Test<br>top-5", FIGURE_PERCENT, offsetof(struct report_stage, top5)},
    {"Test<br>loss (nats)", FIGURE_LOSS, offsetof(struct report_stage, loss)},
    {"Calibration<br>error", FIGURE_PERCENT, offsetof(struct report_stage, ece)},
    {"Fidelity", FIGURE_PERCENT, offsetof(struct report_stage, fidelity)},
};

static void add_stages(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    page_section(page, "Stages");
    page_table(page, "dense", "Every stage of the run");
    text_add(out, "<thead><tr><th scope=\"col\">Stage</th><th scope=\"col\" class=\"word\">Role</th>");
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        text_format(out, "<th scope=\"col\">%s</th>", columns[c].heading);
    text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < run->stages; i++) {
        const struct report_stage *stage = &run->stage[i];
        text_add(out, "<tr><th scope=\"row\">");
        html_text(out, stage->name);
        text_add(out, "</th><td class=\"word\">");
        html_text(out, stage->role);
        text_add(out, "</td>");
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
            html_cell(out, columns[c].figure, *(const double *)(const void *)((const char *)stage + columns[c].offset));
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    page_table_end(page, NULL);
    page_section_end(page);
}

static void add_fact(struct text *out, const char *name, const char *words)
{
    if (words == NULL)
        return;
    text_format(out, "<div><dt>%s</dt><dd>", name);
    html_text(out, words);
    text_add(out, "</dd></div>\n");
}

static void add_origin(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    page_section(page, "Recipe and machine");
    if (run->recipe != NULL) {
        text_add(out, "<details>\n<summary>The recipe as resolved: every value that applied</summary>\n"
                      "<pre tabindex=\"0\"><code>");
        html_text(out, run->recipe);
        text_add(out, "</code></pre>\n</details>\n");
    } else {
        text_add(out, "<p class=\"note\">recipe.yaml is not in the run&#39;s folder.</p>\n");
    }
    text_add(out, "<dl class=\"facts\">\n");
    add_fact(out, "Processor", run->cpu);
    add_fact(out, "Instruction set", run->isa);
    text_add(out, "<div><dt>Cores, threads</dt><dd>");
    html_count(out, run->cores);
    text_add(out, ", ");
    html_count(out, run->threads);
    text_add(out, "</dd></div>\n<div><dt>Whole run</dt><dd>");
    html_duration(out, run->seconds);
    text_add(out, "</dd></div>\n");
    add_fact(out, "Started", run->started);
    add_fact(out, "Retort", run->version);
    add_fact(out, "Recipe&#39;s SHA-256", run->recipe_sha256);
    add_fact(out, "Folder", run->folder);
    text_add(out, "</dl>\n");
    page_section_end(page);
}

void page_of_run(const struct page *page, const struct report_run *run)
{
    page_begin(page, "Retort · distillation report", run->name);
    page_verdict(page, run);
    page_key_figures(page, run);
    text_add(page->out, "</header>\n");
    page_comparison(page, run);
    page_cost(page, run);
    page_exits(page, run);
    add_curves(page, run);
    page_terms(page, run);
    page_confusion(page, run);
    page_similarity(page, run);
    page_differing(page, run);
    page_layers(page, run);
    add_stages(page, run);
    add_origin(page, run);
    struct value *data = chart_curves(page->arena, run);
    if (run->compared)
        data = value_set(page->arena, data, "pairs", page_comparison_rows(page->arena, run));
    data = value_set(page->arena, data, "exits", page_exit_curves(page->arena, run));
    if (data == NULL)
        page->out->failed = true;
    page_end(page, run->version, data);
}
