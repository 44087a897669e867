/* verdict.c: what came of a run, in one sentence that claims no more than the figures do. */
#include "report/page.h"

#include "report/html.h"

#include <math.h>
#include <string.h>

static void add_gain(struct text *out, const struct report_run *run)
{
    text_add(out, "<strong>");
    html_points(out, run->gain.mean);
    text_add(out, " points</strong>");
}

static void add_interval(struct text *out, const struct report_run *run)
{
    text_format(out, "%.0f%% interval ", (isfinite(run->level) ? run->level : 0.95) * 100);
    html_points(out, run->gain.low);
    text_add(out, " to ");
    html_points(out, run->gain.high);
}

static void add_sides(struct text *out, const struct report_run *run)
{
    html_percent(out, run->distilled.mean);
    text_add(out, " distilled against ");
    html_percent(out, run->alone.mean);
    text_add(out, " alone, ");
    add_gain(out, run);
}

static void verdict_compared(struct text *out, const struct report_run *run)
{
    bool decided = strcmp(run->verdict, "not decided") != 0;
    text_format(out, "<p class=\"verdict %s\">", decided ? run->verdict : "undecided");
    if (decided)
        text_format(out, "Distillation made the student <em>%s</em>: ", run->verdict);
    else
        text_add(out, "Whether distillation helped is <em>not decided</em>: ");
    add_sides(out, run);
    if (!isfinite(run->gain.low)) {
        text_add(out, " with one seed, which gives no interval. Run it again with several (<code>seeds: [0, 1, 2, 3, "
                      "4]</code>).</p>\n");
        return;
    }
    text_add(out, decided ? " (" : ", but the ");
    add_interval(out, run);
    if (decided)
        text_format(out, ", paired over %zu seeds).</p>\n", run->gain.count);
    else
        text_format(out, " contains zero (paired over %zu seeds). More seeds would narrow it.</p>\n", run->gain.count);
}

/* verdict_alone: a run that has only one side, or none. */
static void verdict_alone(struct text *out, const struct report_run *run)
{
    const char *role = report_student(run);
    text_add(out, "<p class=\"verdict undecided\">");
    if (role == NULL) {
        text_add(out, "This run trained no student, so there is nothing to compare.</p>\n");
        return;
    }
    double std = NAN, mean = report_role_mean(run, role, offsetof(struct report_stage, accuracy), &std);
    text_add(out, strcmp(role, "alone") == 0 ? "The student, trained alone, reaches <strong>"
                                             : "The distilled student reaches <strong>");
    html_spread(out, mean, std);
    text_add(out, "</strong> on the test split. ");
    text_add(out, strcmp(role, "alone") == 0
                      ? "There was no teacher in this run.</p>\n"
                      : "It was not compared with the student alone (<code>baseline: true</code> does that).</p>\n");
}

void page_verdict(const struct page *page, const struct report_run *run)
{
    if (run->compared)
        verdict_compared(page->out, run);
    else
        verdict_alone(page->out, run);
}
