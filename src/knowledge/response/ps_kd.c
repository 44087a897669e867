/* knowledge/response/ps_kd.c: labels softened by what the network itself said before.
 *
 *     loss = 1/n  sum_b  - sum_k ((1 - a) one-hot(y_b) + a softmax(zp_b))_k  log softmax(zs_b)_k
 *
 * zs, zp [B,K]: the student's logits and earlier ones; y: labels; n: samples with a label, the others are left out.
 * Kim 2021 (ICCV), arXiv 2006.12000, equation 3. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct ps_kd_options {
    struct real alpha;
};

static const struct option_spec ps_kd_specs[] = {
    {.name = "alpha",
     .offset = offsetof(struct ps_kd_options, alpha),
     .type = OPTION_SCHEDULED,
     .initial = "0.8",
     .min = 0,
     .max = 1,
     .help = "the part of the earlier predictions in the target; the labels have the rest"},
};

static struct node *ps_kd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct ps_kd_options *o = options;
    struct node *a = graph_real(g, &o->alpha), *hard = graph_one_hot(g, site->labels, site->classes);
    struct node *past = graph_softmax(g, site->teacher[0].node);
    struct node *target = graph_add(g, hard, graph_mul(g, a, graph_sub(g, past, hard)));
    return rows_labelled_mean(g, graph_cross_entropy_soft(g, site->student[0].node, target), site->labels);
}

static double ps_kd_reference(const struct method_case *c, const void *options)
{
    const struct ps_kd_options *o = options;
    struct map zs = reference_student(c, 0), past = reference_teacher(c, 0);
    double a = o->alpha.value, sum = 0;
    int n = 0;
    for (int b = 0; b < zs.b; b++) {
        if (c->labels[b] < 0)
            continue;
        n++;
        reference_log_softmax(zs.v + b * zs.c, zs.c, 1);
        reference_log_softmax(past.v + b * zs.c, zs.c, 1);
        for (int k = 0; k < zs.c; k++)
            sum -= ((1 - a) * (k == c->labels[b]) + a * exp(past.v[b * zs.c + k])) * zs.v[b * zs.c + k];
    }
    return n ? sum / n : 0;
}

const struct method method_ps_kd = {
    .name = "ps-kd",
    .summary = "labels, softened by earlier predictions of the network itself",
    .formula = "1/n sum_b -sum_k ((1-a) one-hot(y_b) + a softmax(zp_b))_k log softmax(zs_b)_k",
    .paper = "Kim 2021, arXiv 2006.12000",
    .when = "Self-distillation without a second network: the earlier logits come from the last epoch. With a trained "
            "teacher "
            "it mixes labels and soft targets in one term.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_WANTS_LABELS,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(ps_kd_specs, struct ps_kd_options),
    .batch_min = 1,
    .build = ps_kd_build,
    .reference = ps_kd_reference,
};
