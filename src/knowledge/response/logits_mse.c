/* knowledge/response/logits_mse.c: the student's logits become the teacher's.
 *
 *     loss = 1/(B K)  sum_bk  (zs_bk - zt_bk)^2
 *
 * zs, zt [B,K]: logits of student and teacher. Ba and Caruana 2014, arXiv 1312.6184. */
#include "knowledge/method.h"

static const struct method_input logits_mse_inputs[] = {
    {"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1},
    {"logits", ROLE_LOGITS, SIDE_TEACHER, 1, 1},
};

static struct node *logits_mse_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    return graph_mean_all(g, graph_square(g, graph_sub(g, site->student[0].node, site->teacher[0].node)));
}

static double logits_mse_reference(const struct method_case *c, const void *options)
{
    (void)options;
    int64_t count = c->student_shape[0].dim[0] * c->student_shape[0].dim[1];
    double total = 0;
    for (int64_t i = 0; i < count; i++) {
        double difference = c->student[0][i] - c->teacher[0][i];
        total += difference * difference;
    }
    return total / (double)count;
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
    .inputs = logits_mse_inputs,
    .n_inputs = sizeof(logits_mse_inputs) / sizeof(logits_mse_inputs[0]),
    .batch_min = 1,
    .build = logits_mse_build,
    .reference = logits_mse_reference,
};
