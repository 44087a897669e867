/* terms.c: what taught the student: each loss, how much it pulled, and whether it pulled with the labels or against them. */
#include "report/page.h"

#include "report/curve.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

static const char share_prefix[] = "share.";

/* ends_read: the first and the last number of a series; NaN where there is none. */
static enum status ends_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                             const char *name, double ends[2])
{
    struct curve curve = {0};
    ends[0] = ends[1] = NAN;
    RETURN_IF(curve_read(ctx, arena, record, stage, "train", name, false, &curve));
    if (curve.count > 0) {
        ends[0] = curve.y[0];
        ends[1] = curve.y[curve.count - 1];
    }
    return STATUS_OK;
}

static enum status term_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                             struct report_term *term)
{
    const char *share = arena_format(arena, "%s%s", share_prefix, term->name);
    const char *before = arena_format(arena, "cosine.labels.%s", term->name);
    const char *behind = arena_format(arena, "cosine.%s.labels", term->name);
    if (share == NULL || before == NULL || behind == NULL)
        return STATUS_NO_MEMORY;
    RETURN_IF(ends_read(ctx, arena, record, stage, term->name, term->value));
    RETURN_IF(ends_read(ctx, arena, record, stage, share, term->share));
    RETURN_IF(ends_read(ctx, arena, record, stage, before, term->cosine));
    return isfinite(term->cosine[0]) ? STATUS_OK : ends_read(ctx, arena, record, stage, behind, term->cosine);
}

enum status terms_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                       struct report_terms *out)
{
    struct record_series *series = NULL;
    size_t count = 0;
    *out = (struct report_terms){0};
    RETURN_IF(record_series_list(ctx, arena, record, &series, &count));
    out->term = arena_take(arena, count + 1, sizeof *out->term);
    if (out->term == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(series[i].stage, stage) != 0 || strncmp(series[i].name, share_prefix, strlen(share_prefix)) != 0)
            continue;
        struct report_term *term = &out->term[out->count++];
        term->name = series[i].name + strlen(share_prefix);
        RETURN_IF(term_read(ctx, arena, record, stage, term));
    }
    return STATUS_OK;
}

static void add_number(struct text *out, double number, int decimals)
{
    text_add(out, "<td>");
    html_real(out, number, decimals);
    text_add(out, "</td>");
}

static void add_stage(const struct page *page, const struct report_stage *stage)
{
    struct text *out = page->out;
    page_table(page, "dense", "Each loss of the stage at its start and its end");
    text_add(out, "<thead><tr><th scope=\"col\">Loss</th><th scope=\"col\">Value<br>at the start</th>"
                  "<th scope=\"col\">Value<br>at the end</th><th scope=\"col\">Share<br>at the start</th>"
                  "<th scope=\"col\">Share<br>at the end</th><th scope=\"col\">Cosine to labels<br>at the start</th>"
                  "<th scope=\"col\">Cosine to labels<br>at the end</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < stage->terms.count; i++) {
        const struct report_term *term = &stage->terms.term[i];
        text_add(out, "<tr><th scope=\"row\">");
        html_text(out, term->name);
        text_add(out, "</th>");
        for (int end = 0; end < 2; end++)
            add_number(out, term->value[end], 4);
        for (int end = 0; end < 2; end++)
            html_cell(out, FIGURE_PERCENT, term->share[end]);
        for (int end = 0; end < 2; end++)
            add_number(out, term->cosine[end], 2);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody>\n");
    page_table_end(page, NULL);
}

/* first_of_role: the seeds of a stage are alike. */
static bool first_of_role(const struct report_run *run, size_t stage)
{
    for (size_t i = 0; i < stage; i++)
        if (strcmp(run->stage[i].role, run->stage[stage].role) == 0 && run->stage[i].terms.count > 0)
            return false;
    return true;
}

void page_terms(const struct page *page, const struct report_run *run)
{
    bool begun = false;
    for (size_t i = 0; i < run->stages; i++) {
        const struct report_stage *stage = &run->stage[i];
        if (stage->terms.count < 2 || !first_of_role(run, i))
            continue;
        if (!begun)
            page_section(page, "What taught the student");
        begun = true;
        text_add(page->out, "<p class=\"note\">Stage ");
        html_text(page->out, stage->name);
        text_add(page->out,
                 ". Share: of the weighted gradients' norms on the student's parameters, on the first batch of an "
                 "epoch. Cosine: 1 where a loss pulls the student where the labels do, below 0 where it pulls "
                 "against them.</p>\n");
        add_stage(page, stage);
    }
    if (begun)
        page_section_end(page);
}
