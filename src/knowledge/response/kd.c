/* knowledge/response/kd.c: soft targets.
 *
 *     loss = T^2 / B  sum_b  D( softmax(zt_b / T), softmax(zs_b / T) )
 *
 * zs, zt [B,K]: logits of student and teacher; T: temperature. T^2 keeps the gradient's size when T changes.
 * D(p,q), m = beta p + (1 - beta) q:   forward KL(p,q)   reverse KL(q,p)   jsd beta KL(p,m) + (1 - beta) KL(q,m)
 * Hinton 2015, arXiv 1503.02531, section 2; jsd: Agarwal 2023, arXiv 2306.13649; swap: Wen 2019, arXiv 1911.07471;
 * standardise: Sun 2024, arXiv 2403.01427. */
#include "knowledge/response/kd.h"

#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

enum { DIVERGENCE_FORWARD, DIVERGENCE_REVERSE, DIVERGENCE_JSD };
enum { ERRORS_KEEP, ERRORS_SWAP, ERRORS_SKIP };
const char *const kd_divergences[] = {"forward", "reverse", "jsd", NULL};
const char *const kd_errors[] = {"keep", "swap", "skip", NULL};
static const char *const switches[] = {"off", "on", NULL};

static const struct option_spec kd_specs[] = {
    KD_OPTIONS("4"),
    {KD_OPTION(standardise), .type = OPTION_CHOICE, .initial = "off", .choices = switches,
     .help = "on: both rows of logits get mean 0 and deviation 1 first, so that only their shape is learnt"},
};

/* log(beta p + (1-beta) q), never the logarithm of an underflown sum: the larger exponent is taken out. */
static struct node *log_mixture(struct graph *g, struct node *log_p, struct node *log_q, double beta)
{
    struct node *a = graph_add(g, log_p, graph_scalar(g, log(beta)));
    struct node *b = graph_add(g, log_q, graph_scalar(g, log(1 - beta)));
    struct node *larger = graph_stop_gradient(g, graph_add(g, b, graph_relu(g, graph_sub(g, a, b))));
    struct node *sum = graph_add(g, graph_exp(g, graph_sub(g, a, larger)), graph_exp(g, graph_sub(g, b, larger)));
    return graph_add(g, larger, graph_log(g, sum));
}

static struct node *divergence(struct graph *g, struct node *log_p, struct node *log_q, const struct kd_options *o)
{
    if (o->divergence == DIVERGENCE_FORWARD)
        return rows_kl(g, log_p, log_q);
    if (o->divergence == DIVERGENCE_REVERSE)
        return rows_kl(g, log_q, log_p);
    struct node *log_m = log_mixture(g, log_p, log_q, o->beta);
    return graph_add(g, graph_mul(g, graph_scalar(g, o->beta), rows_kl(g, log_p, log_m)),
                     graph_mul(g, graph_scalar(g, 1 - o->beta), rows_kl(g, log_q, log_m)));
}

struct node *kd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct kd_options *o = options;
    struct node *zs = site->student[0].node, *zt = site->teacher[0].node, *right = NULL;
    if (o->teacher_errors != ERRORS_KEEP) {
        if (!site->labels) {
            fail(g->ctx, STATUS_BAD_INPUT, "method %s: teacher_errors %s wants labels, and %s", site->method->name,
                 kd_errors[o->teacher_errors], site->targets ? "data.augment.mixup mixes them" : "the data has none");
            return NULL;
        }
        /* The first largest changes its place exactly where it exceeds the label's: where they are equal, the exchange
         * changes nothing. */
        struct node *largest = graph_argmax(g, zt);
        struct node *swapped = graph_swap_columns(g, zt, largest, site->labels);
        if (o->teacher_errors == ERRORS_SWAP)
            zt = swapped;
        else
            right = graph_match(g, largest, graph_argmax(g, swapped)); /* [B] */
    }
    if (o->standardise == KD_STANDARDISE_ON) {
        zs = graph_standardise_rows(g, zs);
        zt = graph_standardise_rows(g, zt);
    }
    struct node *t = graph_real(g, &o->temperature);
    struct node *log_ps = graph_log_softmax(g, graph_div(g, zs, t));
    struct node *log_pt = graph_log_softmax(g, graph_div(g, zt, t));
    struct node *rows = divergence(g, log_pt, log_ps, o); /* [B] */
    if (o->teacher_errors == ERRORS_SKIP)
        rows = graph_mul(g, rows, right);
    return graph_mul(g, graph_mean_all(g, rows), graph_mul(g, t, t));
}

/* --- reference --- */

static double reference_divergence(const double *log_p, const double *log_q, double *log_m, int n,
                                   const struct kd_options *o)
{
    if (o->divergence == DIVERGENCE_FORWARD)
        return reference_kl(log_p, log_q, n);
    if (o->divergence == DIVERGENCE_REVERSE)
        return reference_kl(log_q, log_p, n);
    for (int k = 0; k < n; k++) {
        double shift = fmax(log_p[k], log_q[k]);
        log_m[k] = shift + log(o->beta * exp(log_p[k] - shift) + (1 - o->beta) * exp(log_q[k] - shift));
    }
    return o->beta * reference_kl(log_p, log_m, n) + (1 - o->beta) * reference_kl(log_q, log_m, n);
}

double kd_reference(const struct method_case *c, const void *options)
{
    const struct kd_options *o = options;
    int batch = (int)c->student_shape[0].dim[0], n = (int)c->student_shape[0].dim[1];
    double t = o->temperature.value, total = 0;
    double *rows = reference_take(c, 3 * (int64_t)n), *p = rows, *q = rows + n, *m = rows + 2 * n;
    for (int b = 0; b < batch; b++) {
        int largest = 0, label = c->labels ? c->labels[b] : -1;
        for (int k = 0; k < n; k++) {
            p[k] = c->teacher[0][b * n + k];
            q[k] = c->student[0][b * n + k];
            largest = p[k] > p[largest] ? k : largest;
        }
        bool wrong = label >= 0 && p[largest] > p[label];
        if (wrong && o->teacher_errors == ERRORS_SKIP)
            continue;
        if (wrong && o->teacher_errors == ERRORS_SWAP) {
            double kept = p[largest];
            p[largest] = p[label];
            p[label] = kept;
        }
        if (o->standardise == KD_STANDARDISE_ON) {
            reference_standardise(p, n);
            reference_standardise(q, n);
        }
        reference_log_softmax(p, n, t);
        reference_log_softmax(q, n, t);
        total += reference_divergence(p, q, m, n, o);
    }
    return t * t * total / batch;
}

const struct method method_kd = {
    .name = "kd",
    .summary = "the student imitates the teacher's softened probabilities",
    .formula = "T^2/B sum_b D(softmax(zt_b/T), softmax(zs_b/T)); D(p,q): forward KL(p,q), reverse KL(q,p), "
               "jsd beta KL(p,m) + (1-beta) KL(q,m) with m = beta p + (1-beta) q",
    .paper =
        "Hinton 2015, arXiv 1503.02531; jsd: arXiv 2306.13649; swap: arXiv 1911.07471; standardise: arXiv 2403.01427",
    .when = "The first thing to try: it needs logits alone. With ten classes and a very small student a temperature of "
            "1 to 2 does better "
            "than 4; with many classes 4 is the usual choice. Weight 0.9 beside labels 0.1 is common; without labels "
            "it uses data "
            "that nobody has labelled.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_LABELS_IF_GIVEN,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(kd_specs, struct kd_options),
    .batch_min = 1,
    .build = kd_build,
    .reference = kd_reference,
};
