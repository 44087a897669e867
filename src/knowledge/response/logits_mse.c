/* knowledge/response/logits_mse.c: the student's logits become the teacher's.
 *
 *     loss = 1/(B K)  sum_bk  (zs_bk - zt_bk)^2
 *
 * zs, zt [B,K]: logits of student and teacher. Ba and Caruana 2014, arXiv 1312.6184. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

static struct node *logits_mse_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    return graph_mean_all(g, graph_square(g, graph_sub(g, site->student[0].node, site->teacher[0].node)));
}

static double logits_mse_reference(const struct method_case *c, const void *options)
{
    (void)options;
    return reference_mean_square(c->student[0], c->teacher[0], shape_elements(&c->student_shape[0]));
}

const struct method method_logits_mse = {
    .name = "logits-mse",
    .summary = "the student's logits become the teacher's",
    .formula = "1/(BK) sum_bk (zs_bk - zt_bk)^2",
    .paper = "Ba and Caruana 2014, arXiv 1312.6184",
    .when = "Where the student is large enough to follow the teacher everywhere, or where labels are missing; it also "
            "learns the differences "
            "between improbable classes, which a very small student cannot afford.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    .batch_min = 1,
    .build = logits_mse_build,
    .reference = logits_mse_reference,
};
