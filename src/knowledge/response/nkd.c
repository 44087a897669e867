/* knowledge/response/nkd.c: the teacher's probability of the label, and its normalised ones of the others.
 *
 *     loss = -1/n sum_b pt_b,y log ps_b,y  -  g T^2/n sum_b sum_{k != y} qt_bk log qs_bk
 *
 * p = softmax(z); q: softmax(z / T) among the classes but the label y. zs, zt [B,K]; n: samples with a label, the others are
 * left out. Yang 2023 (ICCV), arXiv 2303.13005, equation 6. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct nkd_options {
    double gamma;
    struct real temperature;
};

static const struct option_spec nkd_specs[] = {
    {.name = "gamma",
     .offset = offsetof(struct nkd_options, gamma),
     .type = OPTION_REAL,
     .initial = "1.5",
     .min = 0,
     .max = 1e6,
     .help = "weight of the choice among the other classes"},
    TEMPERATURE_OPTION(struct nkd_options, "1"),
};

static struct node *nkd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct nkd_options *o = options;
    struct node *zs = site->student[0].node, *zt = site->teacher[0].node, *t = graph_real(g, &o->temperature);
    const struct rows_split s = rows_split(g, zs, site->labels, site->classes);
    const struct rows_split p = rows_split(g, zt, site->labels, site->classes);
    const struct rows_split soft_s = rows_split(g, graph_div(g, zs, t), site->labels, site->classes);
    const struct rows_split soft_t = rows_split(g, graph_div(g, zt, t), site->labels, site->classes);
    struct node *target = graph_row_sum(g, graph_mul(g, graph_exp(g, p.log_target), s.log_target));
    struct node *others = graph_row_sum(g, graph_mul(g, graph_exp(g, soft_t.log_among), soft_s.log_among));
    struct node *factor = graph_mul(g, graph_mul(g, t, t), graph_scalar(g, -o->gamma));
    struct node *rows = graph_sub(g, graph_mul(g, others, factor), target);
    return rows_labelled_mean(g, rows, site->labels);
}

static double nkd_reference(const struct method_case *c, const void *options)
{
    const struct nkd_options *o = options;
    struct map zs = reference_student(c, 0), zt = reference_teacher(c, 0);
    double t = o->temperature.value, sum = 0, *p = reference_take(c, zs.c), *q = reference_take(c, zs.c);
    int n = 0;
    for (int b = 0; b < zs.b; b++) {
        const int y = c->labels[b];
        double *z = zs.v + b * zs.c, *zp = zt.v + b * zs.c;
        if (y < 0)
            continue;
        n++;
        for (int k = 0, at = 0; k < zs.c; k++)
            if (k != y) {
                p[at] = zp[k];
                q[at++] = z[k];
            }
        reference_log_softmax(p, zs.c - 1, t);
        reference_log_softmax(q, zs.c - 1, t);
        for (int k = 0; k < zs.c - 1; k++)
            sum -= o->gamma * t * t * exp(p[k]) * q[k];
        reference_log_softmax(z, zs.c, 1);
        reference_log_softmax(zp, zs.c, 1);
        sum -= exp(zp[y]) * z[y];
    }
    return n ? sum / n : 0;
}

const struct method method_nkd = {
    .name = "nkd",
    .summary = "the teacher's trust in the label, and its normalised choice among the others",
    .formula = "-1/n sum_b (pt_y log ps_y + g T^2 sum_{k != y} qt_k log qs_k), q: softmax(z/T) among the others",
    .paper = "Yang 2023, arXiv 2303.13005",
    .when = "As dkd: where the teacher is too sure for kd. It weighs each sample's label by the teacher's trust in it.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_WANTS_LABELS,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(nkd_specs, struct nkd_options),
    .batch_min = 1,
    .build = nkd_build,
    .reference = nkd_reference,
};
