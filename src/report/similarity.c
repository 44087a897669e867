/* similarity.c: what a network thinks that a class resembles: its mean soft label, at a temperature that can be moved.
 *
 *     p(c, j) = mean over the samples of class c of softmax(z / T)_j
 *
 * The page shows it at one temperature; with scripts, at any of the list. */
#include "report/matrix.h"

#include "report/assets.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

static const double temperatures[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20};
enum { TEMPERATURES = sizeof temperatures / sizeof *temperatures, SHOWN_FIRST = 4 };

/* The stages side by side; all have the same samples. */
struct similarity {
    int64_t classes, samples;
    const int32_t *label;
    const struct report_stage *stage[PAGE_SIDES]; /* NULL: none */
};

static bool same_samples(const struct similarity *all, const struct report_detail *detail)
{
    return all->samples == detail->sample.count && all->classes == detail->classes &&
           memcmp(all->label, detail->sample.label, (size_t)all->samples * sizeof *all->label) == 0;
}

static struct similarity similarity_of(const struct report_run *run)
{
    struct similarity out = {0};
    for (size_t i = 0; i < PAGE_SIDES; i++) {
        const struct report_stage *stage = report_detailed(run, page_sides[i].role);
        const struct report_detail *detail = stage != NULL ? &stage->detail : NULL;
        if (detail == NULL || (out.label != NULL && !same_samples(&out, detail)))
            continue;
        out.classes = detail->classes;
        out.samples = detail->sample.count;
        out.label = detail->sample.label;
        out.stage[i] = stage;
    }
    return out;
}

/* mean_labels: out [K,K]; NaN rows where a class has no sample. probabilities [K]: room. */
static void mean_labels(const struct report_detail *detail, double temperature, double *probabilities, double *out)
{
    int64_t k = detail->classes;
    for (int64_t class = 0; class < k; class ++) {
        double count = 0;
        for (int64_t i = 0; i < detail->sample.count; i++) {
            if (detail->sample.label[i] != class)
                continue;
            detail_probabilities(detail->sample.logit + i * k, k, temperature, probabilities);
            for (int64_t j = 0; j < k; j++)
                out[class * k + j] += probabilities[j];
            count++;
        }
        for (int64_t j = 0; j < k; j++)
            out[class * k + j] = count > 0 ? out[class * k + j] / count : (double)NAN;
    }
}

/* divergence: mean over the samples of KL(teacher || student), in nats. room [2K]. */
static double divergence(const struct report_detail *teacher, const struct report_detail *student, double temperature,
                         double *room)
{
    int64_t k = teacher->classes;
    double sum = 0, *p = room, *q = room + k;
    for (int64_t i = 0; i < teacher->sample.count; i++) {
        detail_probabilities(teacher->sample.logit + i * k, k, temperature, p);
        detail_probabilities(student->sample.logit + i * k, k, temperature, q);
        for (int64_t j = 0; j < k; j++)
            sum += p[j] > 0 ? p[j] * log(p[j] / fmax(q[j], 1e-300)) : 0;
    }
    return sum / (double)teacher->sample.count;
}

static void add_divergences(const struct page *page, const struct similarity *all, double *room)
{
    struct text *out = page->out;
    if (all->stage[PAGE_TEACHER] == NULL)
        return;
    text_add(out, "<div class=\"panel\">\n<dl class=\"facts\">\n");
    for (size_t i = 0; i < PAGE_SIDES; i++) {
        if (i == PAGE_TEACHER || all->stage[i] == NULL)
            continue;
        text_format(out, "<div><dt>Teacher to %s (nats)</dt><dd id=\"divergence-%s\">", page_sides[i].lower,
                    page_sides[i].role);
        html_real(
            out, divergence(&all->stage[PAGE_TEACHER]->detail, &all->stage[i]->detail, temperatures[SHOWN_FIRST], room),
            4);
        text_add(out, "</dd></div>\n");
    }
    text_add(out, "</dl>\n<p class=\"caption\">Mean Kullback-Leibler divergence of the soft labels at this "
                  "temperature: how far the student is from saying what its teacher says.</p>\n</div>\n");
}

static enum status add_matrices(const struct page *page, const struct similarity *all, double *room)
{
    double *cells[PAGE_SIDES] = {NULL}, scale = 0;
    for (size_t i = 0; i < PAGE_SIDES; i++) {
        if (all->stage[i] == NULL)
            continue;
        cells[i] = arena_take(page->arena, (size_t)(all->classes * all->classes), sizeof **cells);
        if (cells[i] == NULL)
            return STATUS_NO_MEMORY;
        mean_labels(&all->stage[i]->detail, temperatures[SHOWN_FIRST], room, cells[i]);
        scale = matrix_scale(cells[i], all->classes, false, scale);
    }
    page_panels(page);
    for (size_t i = 0; i < PAGE_SIDES; i++)
        if (cells[i] != NULL)
            matrix_add(page, &(struct matrix){.id = page_sides[i].similarity_id,
                                              .role = page_sides[i].role,
                                              .title = page_sides[i].label,
                                              .classes = all->classes,
                                              .cell = cells[i],
                                              .scale = scale});
    add_divergences(page, all, room);
    page_panels_end(page);
    return STATUS_OK;
}

/* add_slider: only a script can move it, so only a script shows it. */
static void add_slider(struct text *out)
{
    text_format(out,
                "<p class=\"temperature\">Temperature <output id=\"temperature\">%g</output>\n<input type=\"range\" "
                "id=\"temperature-slider\" min=\"0\" max=\"%d\" step=\"1\" value=\"%d\" aria-label=\"Temperature\" "
                "aria-valuetext=\"%g\" hidden></p>\n",
                temperatures[SHOWN_FIRST], TEMPERATURES - 1, SHOWN_FIRST, temperatures[SHOWN_FIRST]);
}

/* similarity_data: {"temperatures","classes","labels":[M],"logits":{ROLE:[M*K],…}}. */
static struct value *similarity_data(struct arena *arena, const struct similarity *all)
{
    struct value *list = value_list(arena), *labels = value_list(arena), *logits = value_map(arena);
    for (size_t i = 0; i < TEMPERATURES; i++)
        list = value_append(arena, list, value_real(arena, temperatures[i]));
    for (int64_t i = 0; i < all->samples; i++)
        labels = value_append(arena, labels, value_integer(arena, all->label[i]));
    for (size_t s = 0; s < PAGE_SIDES; s++) {
        struct value *own = value_list(arena);
        if (all->stage[s] == NULL)
            continue;
        for (int64_t i = 0; i < all->samples * all->classes; i++)
            own = value_append(arena, own, html_short(arena, (double)all->stage[s]->detail.sample.logit[i]));
        logits = value_set(arena, logits, page_sides[s].role, own);
    }
    struct value *map = value_set(arena, value_map(arena), "temperatures", list);
    map = value_set(arena, map, "classes", value_integer(arena, all->classes));
    map = value_set(arena, map, "labels", labels);
    return value_set(arena, map, "logits", logits);
}

void page_similarity(const struct page *page, const struct report_run *run)
{
    struct text *out = page->out;
    struct similarity all = similarity_of(run);
    if (all.samples == 0 || all.classes > MATRIX_CLASSES_MAX)
        return;
    double *room = arena_take(page->arena, (size_t)(2 * all.classes), sizeof *room);
    struct value *data = similarity_data(page->arena, &all);
    page_section(page, "What classes resemble");
    text_format(
        out,
        "<p class=\"lead\">The mean soft label, in percent, over the test samples of a class (row; %lld samples "
        "in all): softmax(logits / temperature). Beside the diagonal stands what the network takes a class to "
        "resemble, which is what a student can learn beyond the labels. The students are those of the first "
        "seed.</p>\n",
        (long long)all.samples);
    page_classes(page, run);
    add_slider(out);
    if (room == NULL || data == NULL || add_matrices(page, &all, room) != STATUS_OK) {
        out->failed = true;
        return;
    }
    page_script_with_data(page, "similarity-data", data, page_similarity_script);
    page_section_end(page);
}
