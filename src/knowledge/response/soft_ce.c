/* knowledge/response/soft_ce.c: cross-entropy with the teacher's probabilities.
 *
 *     loss = -T^2 / B  sum_bk  softmax(zt_b / Tt)_k log softmax(zs_b / T)_k
 *
 * zs, zt [B,K]: logits of student and teacher; T: temperature, Tt = c T: the teacher's. kd plus the teacher's entropy, which
 * has no gradient. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

struct soft_ce_options {
    struct real temperature;
    double teacher_factor;
};

static const struct option_spec soft_ce_specs[] = {
    TEMPERATURE_OPTION(struct soft_ce_options, "1"),
    {.name = "teacher_factor",
     .offset = offsetof(struct soft_ce_options, teacher_factor),
     .type = OPTION_REAL,
     .initial = "1",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_ABOVE_MIN,
     .help = "the teacher's temperature is so many times that of the student"},
};

static struct node *soft_ce_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct soft_ce_options *o = options;
    struct node *t = graph_real(g, &o->temperature);
    struct node *tt = o->teacher_factor == 1 ? t : graph_mul(g, t, graph_scalar(g, o->teacher_factor));
    struct node *pt = graph_softmax(g, graph_div(g, site->teacher[0].node, tt));
    struct node *rows = graph_cross_entropy_soft(g, graph_div(g, site->student[0].node, t), pt); /* [B] */
    return graph_mul(g, graph_mean_all(g, rows), graph_mul(g, t, t));
}

static double soft_ce_reference(const struct method_case *c, const void *options)
{
    const struct soft_ce_options *o = options;
    struct map zs = reference_student(c, 0), zt = reference_teacher(c, 0);
    double t = o->temperature.value, sum = 0;
    for (int b = 0; b < zs.b; b++) {
        reference_log_softmax(zs.v + b * zs.c, zs.c, t);
        reference_log_softmax(zt.v + b * zs.c, zs.c, t * o->teacher_factor);
    }
    for (int i = 0; i < zs.b * zs.c; i++)
        sum -= exp(zt.v[i]) * zs.v[i];
    return t * t * sum / zs.b;
}

const struct method method_soft_ce = {
    .name = "soft-ce",
    .summary = "cross-entropy with the teacher's softened probabilities",
    .formula = "-T^2/B sum_bk softmax(zt_b/Tt)_k log softmax(zs_b/T)_k",
    .paper = "Hinton 2015, arXiv 1503.02531",
    .when =
        "Instead of kd where the value should be comparable with the cross-entropy of labels: the gradients are kd's.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(soft_ce_specs, struct soft_ce_options),
    .batch_min = 1,
    .build = soft_ce_build,
    .reference = soft_ce_reference,
};
