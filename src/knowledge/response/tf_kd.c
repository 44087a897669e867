/* knowledge/response/tf_kd.c: a made teacher that is always right and unsure.
 *
 *     loss = T^2 / n  sum_b  KL( softmax(v_b / T), softmax(zs_b / T) )      v_bk = a where k = y_b, else (1 - a) / (K - 1)
 *
 * zs [B,K]: the student's logits; y: labels; n: samples with a label, the others are left out; T: temperature.
 * Yuan 2020 (CVPR), arXiv 1909.11723, section 4.2. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct tf_kd_options {
    double correct;
    struct real temperature;
};

static const struct option_spec tf_kd_specs[] = {
    {.name = "correct",
     .offset = offsetof(struct tf_kd_options, correct),
     .type = OPTION_REAL,
     .initial = "0.99",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN | OPTION_BELOW_MAX,
     .help = "the made teacher's probability of the label; the others share the rest"},
    TEMPERATURE_OPTION(struct tf_kd_options, "20"),
};

static struct node *tf_kd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct tf_kd_options *o = options;
    const double rest = (1 - o->correct) / (site->classes - 1);
    if (!(o->correct * site->classes > 1)) {
        fail(g->ctx, STATUS_BAD_INPUT,
             "method tf-kd: correct: expected more than 1/%d, one class' even share, found %g", site->classes,
             o->correct);
        return NULL;
    }
    struct node *t = graph_real(g, &o->temperature), *y = graph_one_hot(g, site->labels, site->classes);
    struct node *v = graph_add(g, graph_mul(g, y, graph_scalar(g, o->correct - rest)), graph_scalar(g, rest));
    struct node *log_p = graph_log_softmax(g, graph_div(g, v, t));
    struct node *log_q = graph_log_softmax(g, graph_div(g, site->student[0].node, t));
    return graph_mul(g, rows_labelled_mean(g, rows_kl(g, log_p, log_q), site->labels), graph_mul(g, t, t));
}

static double tf_kd_reference(const struct method_case *c, const void *options)
{
    const struct tf_kd_options *o = options;
    struct map zs = reference_student(c, 0), v = reference_map(c, zs.b, zs.c, 1, 1);
    double t = o->temperature.value, sum = 0;
    int n = 0;
    for (int b = 0; b < zs.b; b++) {
        if (c->labels[b] < 0)
            continue;
        n++;
        double *row = v.v + b * zs.c, *z = zs.v + b * zs.c;
        for (int k = 0; k < zs.c; k++)
            row[k] = k == c->labels[b] ? o->correct : (1 - o->correct) / (zs.c - 1);
        reference_log_softmax(row, zs.c, t);
        reference_log_softmax(z, zs.c, t);
        sum += reference_kl(row, z, zs.c);
    }
    return n ? t * t * sum / n : 0;
}

const struct method method_tf_kd = {
    .name = "tf-kd",
    .summary = "a made teacher: mostly the label, the rest even",
    .formula = "T^2/n sum_b KL(softmax(v_b/T), softmax(zs_b/T)), v_bk = a at the label, else (1-a)/(K-1)",
    .paper = "Yuan 2020, arXiv 1909.11723",
    .when =
        "A control: it regularises as label smoothing does and knows nothing about the data. A teacher that does no "
        "better than this one teaches nothing.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_WANTS_LABELS,
    METHOD_INPUTS(inputs_student_logits),
    METHOD_OPTIONS(tf_kd_specs, struct tf_kd_options),
    .batch_min = 1,
    .tolerance = 2e-4, /* T^2 times a small difference of logarithms */
    .build = tf_kd_build,
    .reference = tf_kd_reference,
};
