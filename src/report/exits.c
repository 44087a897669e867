/* exits.c: accuracy against computation where samples leave a network early. */
#include "report/page.h"

#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { THRESHOLD, ACCURACY, MACS }; /* columns of the record's array */

/* shown: its exits are known, and its curve was recorded. */
static bool shown(const struct report_stage *stage)
{
    return stage->exits.count > 1 && stage->detail.early_exit.count > 0;
}

static size_t shown_count(const struct report_run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->stages; i++)
        count += shown(&run->stage[i]);
    return count;
}

/* alone_of: the student alone of the stage's seed; NULL: there is none, or it is the stage, or a teacher's. */
static const struct report_stage *alone_of(const struct report_run *run, const struct report_stage *stage)
{
    for (size_t i = 0; i < run->stages; i++)
        if (strcmp(run->stage[i].role, "alone") == 0 && &run->stage[i] != stage && run->stage[i].seed == stage->seed &&
            strcmp(stage->role, "teacher") != 0)
            return &run->stage[i];
    return NULL;
}

/* plain_macs: of a sample in the network without its exits. */
static double plain_macs(const struct report_stage *stage)
{
    return isfinite(stage->exits.plain) ? stage->exits.plain : stage->macs;
}

/* --- charts --- */

static struct value *point_value(struct arena *arena, const char *label, double macs, double accuracy)
{
    struct value *point = value_set(arena, value_map(arena), "label", value_text(arena, label));
    point = value_set(arena, point, "macs", value_real(arena, macs));
    return value_set(arena, point, "accuracy", html_short(arena, accuracy * 100));
}

static struct value *curve_value(struct arena *arena, const struct report_stage *stage)
{
    struct value *list = value_list(arena);
    for (int64_t i = 0; i < stage->detail.early_exit.count; i++) {
        const float *row = stage->detail.early_exit.row + i * DETAIL_EXIT_COLUMNS;
        const char *label = arena_format(arena, "threshold %.3g", (double)row[THRESHOLD]);
        list = value_append(arena, list, point_value(arena, label, (double)row[MACS], (double)row[ACCURACY]));
    }
    return list;
}

struct value *page_exit_curves(struct arena *arena, const struct report_run *run)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < run->stages; i++) {
        const struct report_stage *stage = &run->stage[i], *alone = alone_of(run, stage);
        struct value *exits = value_list(arena), *chosen = value_null(arena), *beside = value_null(arena);
        if (!shown(stage))
            continue;
        for (size_t e = 0; e < stage->exits.count; e++)
            exits = value_append(arena, exits,
                                 point_value(arena, stage->exits.exit[e].name, stage->exits.exit[e].macs,
                                             stage->exits.exit[e].accuracy));
        if (isfinite(stage->exits.threshold))
            chosen = point_value(arena, arena_format(arena, "threshold %.3g", stage->exits.threshold),
                                 stage->exits.macs, stage->exits.accuracy);
        if (alone != NULL)
            beside = point_value(arena, alone->name, plain_macs(alone), alone->accuracy);
        struct value *entry = value_set(arena, value_map(arena), "role", value_text(arena, stage->role));
        entry = value_set(arena, entry, "curve", curve_value(arena, stage));
        entry = value_set(arena, entry, "exits", exits);
        entry = value_set(arena, entry, "chosen", chosen);
        list = value_append(arena, list, value_set(arena, entry, "alone", beside));
    }
    return list;
}

static void add_charts(const struct page *page, const struct report_run *run)
{
    int place = 0;
    page_charts(page);
    for (size_t i = 0; i < run->stages; i++) {
        const struct report_stage *stage = &run->stage[i];
        char id[32];
        struct text title;
        if (!shown(stage))
            continue;
        text_init(&title, page->ctx);
        text_add(&title, "Accuracy against computation: ");
        html_text(&title, stage->name);
        snprintf(id, sizeof id, "exits-%d", place++);
        if (title.failed)
            page->out->failed = true;
        else
            page_chart(page, id, shown_count(run) > 1 ? CHART_HALF : CHART_WHOLE, 320, title.bytes,
                       "The threshold grows along the curve. Further up and to the left is better.");
        text_free(&title);
    }
    page_charts_end(page);
}

/* --- tables --- */

static void add_row(struct text *out, const char *name, double macs, double accuracy, double loss)
{
    text_add(out, "<tr><th scope=\"row\">");
    html_text(out, name);
    text_add(out, "</th>");
    html_cell(out, FIGURE_COUNT, macs);
    html_cell(out, FIGURE_PERCENT, accuracy);
    html_cell(out, FIGURE_LOSS, loss);
    text_add(out, "</tr>\n");
}

/* add_chosen: what the threshold comes to, as the table's last row. */
static void add_chosen(const struct page *page, const struct report_exits *exits)
{
    if (!isfinite(exits->threshold))
        return;
    text_add(page->out, "<tfoot>");
    add_row(page->out, arena_format(page->arena, "threshold %.3g", exits->threshold), exits->macs, exits->accuracy,
            NAN);
    text_add(page->out, "</tfoot>\n");
}

static void add_saved(struct text *out, const struct report_exits *exits)
{
    text_add(out, "<p class=\"caption\">Without its exits the network takes ");
    html_count(out, exits->plain);
    text_add(out, " MACs a sample");
    if (isfinite(exits->saved) && isfinite(exits->threshold)) {
        text_add(out, "; early exit takes ");
        html_percent(out, fabs(exits->saved));
        text_add(out, exits->saved < 0 ? " more" : " fewer");
    }
    text_add(out, ".</p>\n");
}

static void add_stage(const struct page *page, const struct report_stage *stage)
{
    struct text *out = page->out;
    text_add(out, "<figure class=\"panel\">\n<figcaption><strong>");
    html_text(out, stage->name);
    text_add(out, "</strong></figcaption>\n");
    page_table(page, "", "The exits of a network");
    text_add(out, "<thead><tr><th scope=\"col\">Exit</th><th scope=\"col\">MACs<br>a sample</th>"
                  "<th scope=\"col\">Test<br>accuracy</th><th scope=\"col\">Test<br>loss (nats)</th></tr></thead>\n"
                  "<tbody>\n");
    for (size_t i = 0; i < stage->exits.count; i++) {
        const struct report_exit *exit = &stage->exits.exit[i];
        add_row(out, exit->name, exit->macs, exit->accuracy, exit->loss);
    }
    text_add(out, "</tbody>\n");
    add_chosen(page, &stage->exits);
    page_table_end(page, NULL);
    add_saved(out, &stage->exits);
    text_add(out, "</figure>\n");
}

void page_exits(const struct page *page, const struct report_run *run)
{
    if (shown_count(run) == 0)
        return;
    page_section(page, "Early exit");
    text_add(page->out, "<p class=\"lead\">A sample leaves at the first exit that is sure enough: whose largest "
                        "probability is at least the threshold. The threshold is the one of the fewest MACs that loses "
                        "nothing on the validation split; the figures are of the test split.</p>\n");
    add_charts(page, run);
    page_panels(page);
    for (size_t i = 0; i < run->stages; i++)
        if (shown(&run->stage[i]))
            add_stage(page, &run->stage[i]);
    page_panels_end(page);
    page_section_end(page);
}
