/* knowledge/response/dkd.c: decoupled soft targets: how sure of the label, and which of the others.
 *
 *     loss = T^2 / n  sum_b  a KL(b(zt_b), b(zs_b)) + b KL(o(zt_b), o(zs_b))
 *
 * of logits z / T; b: the two-way split (label, all others), o: the probabilities among the others. zs, zt [B,K]; y: labels; n:
 * samples with a label, the others are left out. kd has the second term times 1 - p_y, which a sure teacher makes vanish.
 * Zhao 2022 (CVPR), arXiv 2203.08679, equation 7. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct dkd_options {
    double alpha, beta;
    struct real temperature;
    int standardise;
};

static const char *const switches[] = {"off", "on", NULL};
#define OPTION(field) .name = #field, .offset = offsetof(struct dkd_options, field)
static const struct option_spec dkd_specs[] = {
    {OPTION(alpha), .type = OPTION_REAL, .initial = "1", .min = 0, .max = 1e6,
     .help = "weight of label against the rest"},
    {OPTION(beta), .type = OPTION_REAL, .initial = "8", .min = 0, .max = 1e6,
     .help = "weight of the choice among the other classes"},
    TEMPERATURE_OPTION(struct dkd_options, "4"),
    {OPTION(standardise), .type = OPTION_CHOICE, .initial = "off", .choices = switches,
     .help = "on: both rows of logits get mean 0 and deviation 1 first"},
};

static struct node *dkd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct dkd_options *o = options;
    struct node *zs = site->student[0].node, *zt = site->teacher[0].node, *t = graph_real(g, &o->temperature);
    if (o->standardise) {
        zs = graph_standardise_rows(g, zs);
        zt = graph_standardise_rows(g, zt);
    }
    const struct rows_split s = rows_split(g, graph_div(g, zs, t), site->labels, site->classes);
    const struct rows_split p = rows_split(g, graph_div(g, zt, t), site->labels, site->classes);
    struct node *target = graph_add(g, rows_kl(g, p.log_target, s.log_target), rows_kl(g, p.log_rest, s.log_rest));
    struct node *others = rows_kl(g, p.log_among, s.log_among);
    struct node *rows = graph_add(g, graph_mul(g, target, graph_scalar(g, o->alpha)),
                                  graph_mul(g, others, graph_scalar(g, o->beta))); /* [B] */
    return graph_mul(g, rows_labelled_mean(g, rows, site->labels), graph_mul(g, t, t));
}

/* The label's log-probability and the rest's into two[2], and those among the others into others[k-1]. */
static void reference_split(const double *z, int k, int label, double t, double *two, double *others)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0, at = 0; i < k; i++)
        if (i != label) {
            others[at++] = z[i];
            largest = fmax(largest, z[i]);
        }
    for (int i = 0; i < k - 1; i++)
        sum += exp((others[i] - largest) / t);
    two[0] = z[label] / t;
    two[1] = largest / t + log(fmax(sum, 1)); /* the largest alone gives 1 */
    reference_log_softmax(two, 2, 1);
    reference_log_softmax(others, k - 1, t);
}

static double dkd_reference(const struct method_case *c, const void *options)
{
    const struct dkd_options *o = options;
    struct map zs = reference_student(c, 0), zt = reference_teacher(c, 0);
    double t = o->temperature.value, sum = 0, p[2], q[2];
    double *among_p = reference_take(c, zs.c), *among_q = reference_take(c, zs.c);
    int n = 0;
    for (int b = 0; b < zs.b; b++) {
        double *z = zs.v + b * zs.c, *zp = zt.v + b * zs.c;
        if (c->labels[b] < 0)
            continue;
        n++;
        if (o->standardise) {
            reference_standardise(z, zs.c);
            reference_standardise(zp, zs.c);
        }
        reference_split(zp, zs.c, c->labels[b], t, p, among_p);
        reference_split(z, zs.c, c->labels[b], t, q, among_q);
        sum += o->alpha * reference_kl(p, q, 2) + o->beta * reference_kl(among_p, among_q, zs.c - 1);
    }
    return n ? t * t * sum / n : 0;
}

const struct method method_dkd = {
    .name = "dkd",
    .summary = "soft targets taken apart: the label against the rest, and among the rest",
    .formula = "T^2/n sum_b a KL(label against rest) + b KL(among the rest), of z/T",
    .paper = "Zhao 2022, arXiv 2203.08679",
    .when = "Where the teacher is nearly always sure, so that kd hears little about the other classes: beta gives them "
            "their "
            "own weight. Warm its weight up over the first epochs.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_WANTS_LABELS,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(dkd_specs, struct dkd_options),
    .batch_min = 1,
    .build = dkd_build,
    .reference = dkd_reference,
};
