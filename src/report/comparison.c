/* comparison.c: teacher, student alone and student distilled side by side, over the seeds and seed by seed. */
#include "report/page.h"

#include "report/chart.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *heading;
    enum figure figure;
    size_t offset;
} columns[] = {
    {"Top-5", FIGURE_PERCENT, offsetof(struct report_stage, top5)},
    {"Loss<br>(nats)", FIGURE_LOSS, offsetof(struct report_stage, loss)},
    {"Calibration<br>error", FIGURE_PERCENT, offsetof(struct report_stage, ece)},
    {"Fidelity", FIGURE_PERCENT, offsetof(struct report_stage, fidelity)},
};

#define ROLE_MEAN(run, role, field) report_role_mean(run, role, offsetof(struct report_stage, field), NULL)

static void add_key_figure(struct text *out, const char *class, const char *name)
{
    text_format(out, "<div class=\"%s\"><dt>%s</dt><dd>", class, name);
}

/* page_key_figures: the few numbers that one wants first. */
void page_key_figures(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    text_add(out, "<dl class=\"key\">\n");
    for (size_t i = PAGE_SIDES; i-- > 0;) {
        double std = NAN;
        double mean = report_role_mean(run, page_sides[i].role, offsetof(struct report_stage, accuracy), &std);
        if (report_role(run, page_sides[i].role) == NULL)
            continue;
        add_key_figure(out, page_sides[i].role, page_sides[i].label);
        html_percent(out, mean);
        text_add(out, "<small>");
        if (isfinite(std)) {
            text_format(out, "± %.2f over the seeds", std * 100);
        } else {
            html_count(out, ROLE_MEAN(run, page_sides[i].role, parameters));
            text_add(out, " parameters");
        }
        text_add(out, "</small></dd></div>\n");
    }
    const char *student = report_student(run);
    double size = student != NULL ? ROLE_MEAN(run, student, parameters) : NAN;
    double ratio = ROLE_MEAN(run, "teacher", parameters) / size;
    if (isfinite(size)) {
        add_key_figure(out, "size", "Student&#39;s size");
        html_count(out, size);
        text_add(out, "<small>parameters");
        if (isfinite(ratio)) {
            text_add(out, ", ");
            html_real(out, ratio, ratio < 10 ? 1 : 0);
            text_add(out, "× fewer than its teacher");
        }
        text_add(out, "</small></dd></div>\n");
    }
    text_add(out, "</dl>\n");
}

/* add_sides: a row a side, means over the seeds. */
static void add_sides(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    page_table(page, "", "Teacher, student alone, student distilled");
    text_add(out, "<thead><tr><th scope=\"col\">Network</th><th scope=\"col\">Networks</th>"
                  "<th scope=\"col\">Accuracy</th>");
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        text_format(out, "<th scope=\"col\">%s</th>", columns[c].heading);
    text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < PAGE_ROWS; i++) {
        const char *role = page_rows[i].role;
        if (report_role(run, role) == NULL)
            continue;
        size_t seeds = 0;
        for (size_t s = 0; s < run->stages; s++)
            seeds += strcmp(run->stage[s].role, role) == 0;
        double std = NAN, mean = report_role_mean(run, role, offsetof(struct report_stage, accuracy), &std);
        text_format(out, "<tr class=\"%s\"><th scope=\"row\">%s</th><td>%zu</td><td class=\"main\">", role,
                    page_rows[i].label, seeds);
        html_spread(out, mean, std);
        text_add(out, "</td>");
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
            html_cell(out, columns[c].figure, report_role_mean(run, role, columns[c].offset, NULL));
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    page_table_end(
        page, "Means over the seeds, or members, on the test split. The calibration error says how far confidence and "
              "accuracy lie apart; fidelity, how often the student answers as its teacher does.");
}

/* seed_of: the label of the i-th pair: the seed of the i-th distilled stage, where there are as many. */
static const char *seed_of(struct arena *arena, const struct report_run *run, size_t pair)
{
    size_t found = 0, stages = 0;
    double seed = NAN;
    for (size_t s = 0; s < run->stages; s++) {
        if (strcmp(run->stage[s].role, "distilled") != 0)
            continue;
        if (found++ == pair)
            seed = run->stage[s].seed;
        stages++;
    }
    if (stages == run->gain.count && isfinite(seed))
        return arena_format(arena, "seed %.0f", seed);
    return arena_format(arena, "pair %zu", pair + 1);
}

/* add_mean: with the deviation in a part that a narrow page puts below. */
static void add_mean(struct text *out, const struct report_figure *side)
{
    html_percent(out, side->mean);
    if (isfinite(side->std))
        text_format(out, " <span class=\"interval\">± %.2f</span>", side->std * 100);
}

/* add_pairs: alone and distilled, seed by seed. */
static void add_pairs(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    page_table(page, "compact", "Accuracy seed by seed");
    text_add(out, "<thead><tr><th scope=\"col\">Pair</th><th scope=\"col\">Alone</th>"
                  "<th scope=\"col\">Distilled</th><th scope=\"col\">Gain (points)</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < run->gain.count; i++) {
        text_add(out, "<tr><th scope=\"row\">");
        html_text(out, seed_of(page->arena, run, i));
        text_add(out, "</th><td>");
        html_percent(out, run->alone.per_seed[i]);
        text_add(out, "</td><td>");
        html_percent(out, run->distilled.per_seed[i]);
        text_add(out, "</td><td>");
        html_points(out, run->gain.per_seed[i]);
        text_add(out, "</td></tr>\n");
    }
    text_add(out, "</tbody>\n<tfoot><tr><th scope=\"row\">mean</th><td>");
    add_mean(out, &run->alone);
    text_add(out, "</td><td>");
    add_mean(out, &run->distilled);
    text_add(out, "</td><td>");
    html_points(out, run->gain.mean);
    if (isfinite(run->gain.low)) {
        text_add(out, " <span class=\"interval\">[");
        html_points(out, run->gain.low);
        text_add(out, ", ");
        html_points(out, run->gain.high);
        text_add(out, "]</span>");
    }
    text_add(out, "</td></tr></tfoot>\n");
    page_table_end(page, "Test accuracy, paired: both students of a seed start from the same weights and have the same "
                         "budget.");
}

struct value *page_comparison_rows(struct arena *arena, const struct report_run *run)
{
    struct value *rows = value_list(arena);
    for (size_t i = 0; i < run->gain.count; i++) {
        struct report_figure gain = {.mean = run->gain.per_seed[i], .low = NAN, .high = NAN};
        const char *label = seed_of(arena, run, i);
        if (label == NULL)
            return NULL;
        rows = chart_pair(arena, rows, label, run->alone.per_seed[i], run->distilled.per_seed[i], &gain, false);
    }
    if (run->gain.count == 1)
        return rows; /* the one pair is the mean */
    return chart_pair(arena, rows, "mean", run->alone.mean, run->distilled.mean, &run->gain, true);
}

void page_comparison(const struct page *page, const struct report_run *run)
{
    page_section(page, "Comparison");
    add_sides(page, run);
    if (run->compared) {
        int height = 120 + 26 * ((int)run->gain.count + 1);
        page_charts(page);
        page_chart(page, "pairs", CHART_HALF, height, "Accuracy, seed by seed",
                   "The line between the two students of a seed is what distillation changed.");
        page_chart(page, "gains", CHART_HALF, height, "What distillation gained",
                   isfinite(run->gain.low) ? "The bar is the interval of the mean gain; right of the line is better."
                                           : "One seed gives no interval; right of the line is better.");
        page_charts_end(page);
        add_pairs(page, run);
    }
    page_section_end(page);
}
