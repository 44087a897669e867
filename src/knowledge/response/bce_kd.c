/* knowledge/response/bce_kd.c: soft targets where a sample may be of several classes.
 *
 *     loss = T^2 / B  sum_bk  KL( Bernoulli(sigma(zt_bk / T)), Bernoulli(sigma(zs_bk / T)) )
 *
 * zs, zt [B,K]: logits of student and teacher, each class for itself; T: temperature. Yang 2023, arXiv 2308.06453. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

struct bce_kd_options {
    struct real temperature;
};

static const struct option_spec bce_kd_specs[] = {TEMPERATURE_OPTION(struct bce_kd_options, "1")};

static struct node *negative(struct graph *g, struct node *x)
{
    return graph_mul(g, x, graph_scalar(g, -1));
}

/* One side of the Bernoullis: p log(p/q) for each logit, with both signs in turn. */
static struct node *half(struct graph *g, struct node *zt, struct node *zs)
{
    struct node *log_p = graph_log_sigmoid(g, zt), *log_q = graph_log_sigmoid(g, zs);
    return graph_mul(g, graph_exp(g, log_p), graph_sub(g, log_p, log_q));
}

static struct node *bce_kd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct bce_kd_options *o = options;
    struct node *t = graph_real(g, &o->temperature);
    struct node *zs = graph_div(g, site->student[0].node, t), *zt = graph_div(g, site->teacher[0].node, t);
    struct node *kl = graph_add(g, half(g, zt, zs), half(g, negative(g, zt), negative(g, zs))); /* [B,K] */
    return graph_mul(g, graph_mean_all(g, graph_row_sum(g, kl)), graph_mul(g, t, t));
}

static double log_sigma(double z)
{
    return fmin(z, 0) - log1p(exp(-fabs(z)));
}

static double bce_kd_reference(const struct method_case *c, const void *options)
{
    const struct bce_kd_options *o = options;
    struct map zs = reference_student(c, 0), zt = reference_teacher(c, 0);
    double t = o->temperature.value, sum = 0;
    for (int i = 0; i < zs.b * zs.c; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            const double log_p = log_sigma(sign * zt.v[i] / t), log_q = log_sigma(sign * zs.v[i] / t);
            sum += exp(log_p) * (log_p - log_q);
        }
    return t * t * sum / zs.b;
}

const struct method method_bce_kd = {
    .name = "bce-kd",
    .summary = "soft targets of each class for itself, for samples of several classes",
    .formula = "T^2/B sum_bk KL(Bernoulli(sigmoid(zt_bk/T)), Bernoulli(sigmoid(zs_bk/T)))",
    .paper = "Yang 2023, arXiv 2308.06453",
    .when =
        "Where classes do not exclude each other (tags, attributes), or where teacher and student were trained with a "
        "sigmoid for each class.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(bce_kd_specs, struct bce_kd_options),
    .batch_min = 1,
    .build = bce_kd_build,
    .reference = bce_kd_reference,
};
