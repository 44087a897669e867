/* several.c: one page that sets several runs side by side. */
#include "report/page.h"

#include "report/chart.h"
#include "report/html.h"

#include <math.h>
#include <stdio.h>

#define ROLE_MEAN(run, role, field) report_role_mean(run, role, offsetof(struct report_stage, field), NULL)

/* student_figure: the student of a run without comparison counts on the side on which it was trained. */
static double student_figure(const struct report_run *run, const char *side, double *std)
{
    return report_role_mean(run, side, offsetof(struct report_stage, accuracy), std);
}

static void add_lead(struct text *out, const struct report_run *runs, int count)
{
    const struct report_run *best = NULL;
    double highest = -INFINITY;
    for (int i = 0; i < count; i++) {
        const char *student = report_student(&runs[i]);
        double mean = student != NULL ? student_figure(&runs[i], student, NULL) : NAN;
        if (mean > highest) {
            highest = mean;
            best = &runs[i];
        }
    }
    text_add(out, "<p class=\"verdict undecided\">");
    if (best == NULL) {
        text_add(out, "None of these runs tested a student.</p>\n");
        return;
    }
    text_add(out, "The most accurate student, ");
    html_percent(out, highest);
    text_add(out, ", is that of <em>");
    html_text(out, best->name);
    text_format(out,
                "</em>. The highest of %d is partly luck: choose by the validation split, then read the test split "
                "once.</p>\n",
                count);
}

static void add_row(struct text *out, const struct report_run *run)
{
    const char *student = report_student(run);
    double std = NAN;
    text_add(out, "<tr><th scope=\"row\">");
    html_text(out, run->name);
    text_add(out, "<small>");
    html_text(out, run->folder);
    text_add(out, "</small></th>");
    html_cell(out, FIGURE_PERCENT, ROLE_MEAN(run, "teacher", accuracy));
    html_cell(out, FIGURE_COUNT, student != NULL ? ROLE_MEAN(run, student, parameters) : NAN);
    html_cell(out, FIGURE_PERCENT, student != NULL ? ROLE_MEAN(run, student, validation_accuracy) : NAN);
    text_add(out, "<td>");
    double mean = student_figure(run, "alone", &std);
    html_spread(out, mean, std);
    text_add(out, "</td><td class=\"main\">");
    mean = student_figure(run, "distilled", &std);
    html_spread(out, mean, std);
    text_add(out, "</td><td>");
    html_points(out, run->compared ? run->gain.mean : NAN);
    text_add(out, "</td><td>");
    if (run->compared && isfinite(run->gain.low)) {
        html_points(out, run->gain.low);
        text_add(out, " to ");
        html_points(out, run->gain.high);
    } else {
        html_text(out, NULL);
    }
    text_format(out, "</td><td>%zu</td><td class=\"word\">", run->compared ? run->gain.count : 0);
    html_text(out, run->compared ? run->verdict : NULL);
    text_add(out, "</td>");
    html_cell(out, FIGURE_DURATION, run->seconds);
    text_add(out, "</tr>\n");
}

static void add_runs(const struct page *page, const struct report_run *runs, int count)
{
    struct text *out = page->out;
    page_table(page, "dense names", "The runs side by side");
    text_add(out, "<thead><tr><th scope=\"col\">Run</th><th scope=\"col\">Teacher</th>"
                  "<th scope=\"col\">Student&#39;s<br>parameters</th><th scope=\"col\">Student,<br>validation</th>"
                  "<th scope=\"col\">Student<br>alone</th><th scope=\"col\">Student<br>distilled</th>"
                  "<th scope=\"col\">Gain</th><th scope=\"col\">Interval</th><th scope=\"col\">Pairs</th>"
                  "<th scope=\"col\" class=\"word\">Verdict</th><th scope=\"col\">Whole<br>run</th></tr></thead>\n"
                  "<tbody>\n");
    for (int i = 0; i < count; i++)
        add_row(out, &runs[i]);
    text_add(out, "</tbody>\n");
    page_table_end(page, "Accuracy on the test split, unless it says validation: means over the seeds. The gain is "
                         "distilled minus alone, in points, paired by seed, with its interval.");
}

/* cost_points: [{"label","parameters","macs","alone","distilled"}], a run each; accuracy in percent. */
static struct value *cost_points(struct arena *arena, const struct report_run *runs, int count)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < count; i++) {
        const char *student = report_student(&runs[i]);
        if (student == NULL)
            continue;
        struct value *point = value_set(arena, value_map(arena), "label", value_text(arena, runs[i].name));
        point = value_set(arena, point, "parameters", html_short(arena, ROLE_MEAN(&runs[i], student, parameters)));
        point = value_set(arena, point, "macs", html_short(arena, ROLE_MEAN(&runs[i], student, macs)));
        point = value_set(arena, point, "alone", html_short(arena, student_figure(&runs[i], "alone", NULL) * 100));
        point =
            value_set(arena, point, "distilled", html_short(arena, student_figure(&runs[i], "distilled", NULL) * 100));
        list = value_append(arena, list, point);
    }
    return list;
}

static void add_charts(const struct page *page, int count, int compared)
{
    int height = 120 + 26 * compared;
    page_charts(page);
    if (count > 1)
        page_chart(page, "costs", CHART_WHOLE, 340, "Accuracy against cost",
                   "A student each; further up and to the left is better. Means over the seeds.");
    if (compared > 0) {
        page_chart(page, "pairs", CHART_HALF, height, "Accuracy, run by run", "Means over the seeds.");
        page_chart(page, "gains", CHART_HALF, height, "What distillation gained",
                   "The bars are the intervals of the mean gains; right of the line is better.");
    }
    page_charts_end(page);
}

void page_of_runs(const struct page *page, const struct report_run *runs, int count, const char *note)
{
    char title[64];
    struct value *rows = value_list(page->arena);
    int compared = 0;
    for (int i = 0; i < count; i++) {
        if (!runs[i].compared)
            continue;
        rows = chart_pair(page->arena, rows, runs[i].name, runs[i].alone.mean, runs[i].distilled.mean, &runs[i].gain,
                          true);
        compared++;
    }
    snprintf(title, sizeof title, "%d run%s compared", count, count > 1 ? "s" : "");
    page_begin(page, "Retort · comparison of runs", title);
    add_lead(page->out, runs, count);
    text_add(page->out, "</header>\n");
    page_section(page, "Runs");
    add_runs(page, runs, count);
    if (note != NULL) {
        text_add(page->out, "<p class=\"note\">");
        html_text(page->out, note);
        text_add(page->out, "</p>\n");
    }
    if (count > 1 || compared > 0)
        add_charts(page, count, compared);
    page_section_end(page);
    struct value *data = value_set(page->arena, value_map(page->arena), "pairs", rows);
    data = value_set(page->arena, data, "costs", cost_points(page->arena, runs, count));
    if (data == NULL)
        page->out->failed = true;
    page_end(page, runs[0].version, data);
}
