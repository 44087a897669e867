/* knowledge/response/dml.c: a peer of the same step as a teacher.
 *
 *     loss = T^2 / B  sum_b  KL( softmax(zp_b / T), softmax(z_b / T) )
 *
 * z, zp [B,K]: own logits and the peer's, which are constants; T: temperature. Zhang 2018 (CVPR), arXiv 1706.00384. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct dml_options {
    struct real temperature;
};

static const struct option_spec dml_specs[] = {TEMPERATURE_OPTION(struct dml_options, "1")};

static struct node *dml_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct dml_options *o = options;
    struct node *t = graph_real(g, &o->temperature);
    struct node *own = graph_log_softmax(g, graph_div(g, site->student[0].node, t));
    struct node *peer = graph_log_softmax(g, graph_div(g, site->teacher[0].node, t));
    return graph_mul(g, graph_mean_all(g, rows_kl(g, peer, own)), graph_mul(g, t, t));
}

static double dml_reference(const struct method_case *c, const void *options)
{
    const struct dml_options *o = options;
    struct map own = reference_student(c, 0), peer = reference_teacher(c, 0);
    double t = o->temperature.value, sum = 0;
    for (int b = 0; b < own.b; b++) {
        reference_log_softmax(own.v + b * own.c, own.c, t);
        reference_log_softmax(peer.v + b * own.c, own.c, t);
        sum += reference_kl(peer.v + b * own.c, own.v + b * own.c, own.c);
    }
    return t * t * sum / own.b;
}

const struct method method_dml = {
    .name = "dml",
    .summary = "networks that learn together imitate each other's probabilities",
    .formula = "T^2/B sum_b KL(softmax(zp_b/T), softmax(z_b/T)), the peer's logits zp as constants",
    .paper = "Zhang 2018, arXiv 1706.00384",
    .when = "Where no large teacher exists and several networks can be trained at once. Against a frozen teacher it is "
            "kd at "
            "temperature 1.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(dml_specs, struct dml_options),
    .batch_min = 1,
    .build = dml_build,
    .reference = dml_reference,
};
